"""Rewards and shadows: identities between gradients, and the mistakes that break them."""

from __future__ import annotations

import pytest
import torch
from nn_samples import (
    CATALOGUE,
    CHAIN,
    darts,
    images,
    layouts,
    network,
    per_sample,
    random_mixture,
    seed,
    uniform,
)
from torch.nn.functional import cross_entropy

from nascore.description import Op, grow, load
from nascore.nn import inherit

DOUBLE = torch.float64
SAMPLES = 4
LABELS = torch.arange(SAMPLES)
TEXTS = ("sep_conv_3x3(affine=false)", "max_pool_3x3(pool_norm=true)", "skip_connect")
CANDIDATES = tuple(map(Op.parse, TEXTS))
GROWN = "grow/normal/x/1"


def total(logits):
    return cross_entropy(logits, LABELS, reduction="sum")


def listen(net, paths):
    """Keep what goes into and comes out of operations: {path: (input, output)}."""
    heard = {}
    for path in paths:
        net.ops[path].register_forward_hook(lambda _, x, y, path=path: heard.update({path: (x[0], y)}))
    return heard


def slopes(description):
    """Return the gradients of the shared mixture, and of the one per use and sample."""
    net, x = network(description, dtype=DOUBLE), images(SAMPLES, dtype=DOUBLE)
    mixture = random_mixture(description, dtype=DOUBLE)
    shared = {name: weights.clone().requires_grad_() for name, weights in mixture.items()}
    found = []
    for given in (shared, per_sample(description, mixture, SAMPLES)):
        flat = torch.autograd.grad(total(net(x, given)), list(given.values()))
        found.append(dict(zip(given, flat, strict=True)))
    return found


@pytest.mark.parametrize(
    "description", [darts(), darts(depth=2), load(CHAIN)], ids=["darts", "deep", "chain"]
)
def test_rewards_add_up_to_the_shared_gradient(description):
    shared, each = slopes(description)
    for name, group in layouts(description).items():
        assert each[name].shape == (group.replicas, SAMPLES, len(group.rows), len(group.ops))
        largest = shared[name].abs().max()
        assert largest > 0
        assert (each[name].sum((0, 1)) - shared[name]).abs().max() < 1e-13 * largest
        assert not each[name][..., group.column_names().index("none")].any()
        assert not each[name][..., ~torch.tensor(group.mask)].any()


def inner(slope, value):
    return (slope * value).flatten(1).sum(1)


def test_a_reward_is_an_inner_product():
    description = load(CHAIN)
    net, x = network(description, dtype=DOUBLE), images(SAMPLES, dtype=DOUBLE)
    ops = layouts(description)["layers"].column_names()
    reader = f"l2/-1/{ops[0]}"
    heard = listen(net, [*(f"l1/-1/{op}" for op in ops), reader])
    leaf = per_sample(description, random_mixture(description, dtype=DOUBLE), SAMPLES)
    found, slope = torch.autograd.grad(total(net(x, leaf)), [leaf["layers"], heard[reader][0]])
    for column, op in enumerate(ops):
        value = heard[f"l1/-1/{op}"][1]
        assert torch.allclose(found[0, :, 1, column], inner(slope, value), rtol=1e-12, atol=1e-14)


def grown():
    return grow(seed(), "normal", "x", CANDIDATES, CATALOGUE)


def opened(description, parent):
    net = network(description, seed=7, dtype=DOUBLE)
    _, left = inherit(net, parent)
    assert left == ()
    return net


READERS = {"a-0": "a-1/pre1/in1/fit", "a-1": "r1/pre1/in1/fit", "b-0": "r2/pre1/in1/fit"}


def test_a_shadow_changes_neither_loss_nor_the_parents_gradient():
    parent = network(seed(), dtype=DOUBLE)
    net, x = opened(grown(), parent), images(SAMPLES, size=32, dtype=DOUBLE)
    mixture = {name: each.requires_grad_() for name, each in random_mixture(grown(), dtype=DOUBLE).items()}
    losses = []
    for one, args in ((parent, (x,)), (net, (x, mixture))):
        logits, head = one(*args)
        losses.append(total(logits) + total(head))
        losses[-1].backward()
    assert torch.equal(losses[0], losses[1])
    slope = {name: weight.grad for name, weight in net.named_parameters()}
    trained = {name: weight.grad for name, weight in parent.named_parameters() if weight.grad is not None}
    assert len(trained) > 30
    for name, wanted in trained.items():
        assert torch.equal(slope[name], wanted)
    assert mixture[GROWN].grad.abs().max() > 0


def test_the_slope_of_a_candidate_is_its_inner_product_with_the_parents_slope():
    description = grown()
    net, x = network(description, dtype=DOUBLE), images(SAMPLES, size=32, dtype=DOUBLE)
    net.eval()
    group = layouts(description)[GROWN]
    candidates = [
        (row, column, f"x+1/{source}/{op}")
        for row, (_, _, source) in enumerate(group.rows)
        for column, op in enumerate(group.column_names())
        if group.mask[row][column]
    ]
    heard = listen(
        net, [*(f"{use}/{path}" for use in READERS for _, _, path in candidates), *READERS.values()]
    )
    leaf = per_sample(description, random_mixture(description, dtype=DOUBLE), SAMPLES)
    loss = total(net(x, leaf))
    found, *at = torch.autograd.grad(loss, [leaf[GROWN], *(heard[path][0] for path in READERS.values())])
    assert found.shape[0] == len(READERS)
    for replica, (use, slope) in enumerate(zip(READERS, at, strict=True)):
        for row, column, path in candidates:
            value = heard[f"{use}/{path}"][1]
            assert torch.allclose(found[replica, :, row, column], inner(slope, value), rtol=1e-11, atol=1e-14)


def test_the_slope_of_a_candidates_weights_carries_its_mixture():
    description, x = grown(), images(SAMPLES, size=32, dtype=DOUBLE)
    net, name = network(description, dtype=DOUBLE).eval(), "ops.b-0/x+1/pre0/sep_conv_3x3(affine=false)"
    weight = net.get_parameter(f"{name}.first.depthwise.weight")
    mixture = uniform(description, DOUBLE)
    slopes_of_weight = []
    for factor in (1, 3):
        scaled = {group: factor * weights for group, weights in mixture.items()}
        slopes_of_weight.append(torch.autograd.grad(total(net(x, scaled)), weight)[0])
    assert slopes_of_weight[0].abs().max() > 0
    assert torch.allclose(3 * slopes_of_weight[0], slopes_of_weight[1], rtol=1e-12)


def test_mutation_a_shadow_that_is_read_as_it_is_changes_the_loss(monkeypatch):
    parent = network(seed(), dtype=DOUBLE).eval()
    net, x = opened(grown(), parent).eval(), images(SAMPLES, size=32, dtype=DOUBLE)
    mixture = uniform(grown(), DOUBLE)
    assert torch.equal(net(x, mixture), parent(x))
    monkeypatch.setattr("nascore.nn.execution.join", summed)
    assert not torch.allclose(net(x, mixture), parent(x))


def summed(step, arrived):
    terms = [term for place in arrived for term in place]
    return sum(terms[1:], terms[0]) if step.join == "sum" else torch.cat(terms, 1)


def test_mutation_without_detaching_the_parents_gradient_changes():
    parent = network(seed(), dtype=DOUBLE).eval()
    net, x = opened(grown(), parent).eval(), images(SAMPLES, size=32, dtype=DOUBLE)
    attached(net)
    name = "ops.stem/images/stem.conv.weight"
    wanted = torch.autograd.grad(total(parent(x)), parent.get_parameter(name))[0]
    found = torch.autograd.grad(total(net(x, uniform(grown(), DOUBLE))), net.get_parameter(name))[0]
    assert not torch.allclose(found, wanted)


def attached(net):
    """Let the gradient of shadows reach what they read."""
    for program in net.programs.values():
        for step in program.steps:
            for link in step.readers:
                object.__setattr__(link, "detached", False)
