"""Features that are computed again in the backward pass: the same numbers, in less memory."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from nn_samples import CATALOGUE, CHAIN, darts, images, petridish, random_mixture, seed
from torch.nn.functional import cross_entropy

from nascore.description import Op, grow, load
from nascore.errors import DescriptionError
from nascore.nn import compile as compiled
from nascore.nn import recomputation
from nascore.nn.randomness import use_generators

LABELS = torch.arange(4)
CANDIDATES = tuple(map(Op.parse, ("sep_conv_3x3(affine=false)", "none")))
NOISY = """\
nascore: 1
channels: 4
in_channels: 3
classes: 10
cells:
  cell:
    inputs: [x0]
    nodes:
      x1: {from: x0, op: noise}
      x2: {from: [x0, x1], op: nor_conv_3x3}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell, repeat: 3}
    head: {from: -1, op: classifier, width: classes}
"""
DESCRIPTIONS = {
    "darts": darts(),
    "chain": load(CHAIN),
    "closed": petridish(),
    "growing": grow(seed(), "normal", "x", CANDIDATES, CATALOGUE),
    "noisy": load(NOISY),
}


class Saved:
    """Counts the bytes that a forward pass keeps for its backward pass, except weights and buffers."""

    def __init__(self, network):
        self._known = {one.untyped_storage().data_ptr() for one in network.state_dict().values()}
        self._stores = {}

    def pack(self, tensor):
        self._stores[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    def bytes(self):
        found = (one.untyped_storage() for at, one in self._stores.items() if at not in self._known)
        return sum(one.nbytes() for one in found)


def network(description, execution="fused", *, recompute):
    torch.manual_seed(0)
    return compiled(description, CATALOGUE, execution=execution, recompute=recompute).double()


def loss_of(net, mixture, **options):
    outputs = net(images(4, dtype=torch.float64), mixture or None, **options)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return sum(cross_entropy(logits, LABELS % logits.shape[1]) for logits in outputs)


def passed(description, execution, *, recompute, generators=False, drop_path=0.3):
    """Return the loss, all gradients, the buffers, and the next random number."""
    net = network(description, execution, recompute=recompute)
    mixture = {
        name: one.requires_grad_() for name, one in random_mixture(description, dtype=torch.float64).items()
    }
    torch.manual_seed(3)
    stream = torch.Generator().manual_seed(4)
    if generators:
        with use_generators({"cpu": stream}):
            loss = loss_of(net, mixture, drop_path=drop_path)
    else:
        loss = loss_of(net, mixture, drop_path=drop_path)
    loss.backward()
    leaves = {**dict(net.named_parameters()), **mixture}
    grads = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
    return (
        {"loss": loss, **grads, **dict(net.named_buffers())},
        torch.rand(1),
        torch.rand(1, generator=stream),
    )


@pytest.mark.parametrize("generators", [False, True], ids=["global", "generators"])
@pytest.mark.parametrize("execution", ["plain", "fused", "batched"])
@pytest.mark.parametrize("description", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_every_number_is_the_same(description, execution, generators):
    kept, *kept_draws = passed(description, execution, recompute=False, generators=generators)
    again, *draws = passed(description, execution, recompute=True, generators=generators)
    assert again.keys() == kept.keys()
    for name, value in kept.items():
        assert torch.equal(again[name], value), name
    assert draws == kept_draws


@pytest.mark.parametrize("name", ["darts", "closed", "chain"])
def test_features_inside_of_cells_are_not_kept(name):
    description, found = DESCRIPTIONS[name], {}
    for recompute in (False, True):
        net = network(description, recompute=recompute)
        saved = Saved(net)
        # checkpoint packs by hooks of its own, inside of these
        with torch.autograd.graph.saved_tensors_hooks(saved.pack, lambda tensor: tensor):
            loss_of(net, random_mixture(description, dtype=torch.float64))
        found[recompute] = saved.bytes()
    assert found[True] < 0.75 * found[False]


def test_weights_that_were_replaced_in_the_forward_pass_are_used_again():
    """As in an unrolled step: the backward pass follows when the network has its own weights again."""
    description, found = DESCRIPTIONS["darts"], []
    mixture = random_mixture(description, dtype=torch.float64)
    for recompute in (False, True):
        net = network(description, recompute=recompute)
        others = {name: (2 * one).detach().requires_grad_() for name, one in net.named_parameters()}
        with net.substitution.given({**others, **net.substitution.copied_buffers()}):
            loss = loss_of(net, mixture)
        found.append(torch.autograd.grad(loss, list(others.values()), allow_unused=True))
        assert all(not buffer.any() for name, buffer in net.named_buffers() if name.endswith("mean"))
    for kept, again in zip(*found, strict=True):
        assert (kept is None) is (again is None)
        assert kept is None or torch.equal(kept, again)


@pytest.mark.parametrize("part", ["buffers", "generators"])
def test_a_value_that_is_not_restored_is_noticed(monkeypatch, part):
    """A mutation: the comparison above would see running statistics or random numbers of the second pass."""
    healthy = recomputation.Before.of

    def forgetful(segment, generators):
        before = healthy(segment, generators)
        return evolve(before, **{part: ()})

    monkeypatch.setattr(recomputation.Before, "of", forgetful)
    with pytest.raises(AssertionError):
        test_every_number_is_the_same(DESCRIPTIONS["noisy"], "plain", generators=True)


def test_without_gradients_nothing_is_prepared(monkeypatch):
    monkeypatch.setattr(recomputation.Before, "of", None)
    description = DESCRIPTIONS["darts"]
    with torch.no_grad():
        mixture = random_mixture(description, dtype=torch.float64)
        assert loss_of(network(description, recompute=True), mixture).isfinite()


class Strange:
    """An execution of its own kind."""

    def __init__(self, ops, gates):
        """It needs neither."""

    def run(self, images, options):
        """Return nothing."""


def test_an_execution_of_another_kind_is_refused():
    with pytest.raises(DescriptionError, match=r"execution\.recompute: the execution Strange cannot"):
        compiled(darts(), CATALOGUE, execution=Strange, recompute=True)
