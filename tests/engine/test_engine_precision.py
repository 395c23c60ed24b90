"""Mixed precision and the memory layout of training."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch
from torch import nn

from nascore.engine.loss_scale import INITIAL, PATIENCE, LossScale
from nascore.engine.mixture import gradients
from nascore.errors import RecipeError
from nascore.plugin import discover
from nascore.testing.harness import searched_with, searching
from nascore.testing.planted import planted

CELL = {"space": "tiny", "dataset": "synthetic"}
SETS = ("trainer.epochs=3", "trainer.warm_up=0", "trainer.batch=8")


@pytest.fixture(scope="module")
def registry():
    return discover()


@contextmanager
def search_in(registry, *sets, names=None):
    with searching(registry, {**CELL, **(names or {})}, seed=1, sets=(*SETS, *sets)) as found:
        yield found


def conv_types(network):
    """Return a list that collects the types of what convolutions of the network return."""
    types = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda _module, _given, result: types.append(result.dtype))
    return types


@pytest.mark.parametrize(("name", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_training_runs_convolutions_in_the_type_and_keeps_the_rest_in_float32(name, dtype, registry):
    with search_in(registry, f"precision={name}") as found:
        network = found.phase.network
        types = conv_types(network)
        found.trainer.start(found.phase)
        found.trainer.step()
        trained = set(types)
        types.clear()
        network.eval()
        images = next(found.phase.batches["train"].plain())
        logits = network(images, found.search.expected())
        found_types = {value.dtype for value in network.state_dict().values() if value.is_floating_point()}
        thetas = {theta.dtype for theta in found.search.state.theta.values()}

    assert trained == {dtype}
    assert set(types) == {torch.float32}
    assert logits.dtype == torch.float32
    assert found_types == thetas == {torch.float32}


@pytest.mark.parametrize("sets", [("precision=bf16",), ("precision=fp16",), ("channels_last=true",)])
def test_losses_fall_as_they_do_in_float32(sets, registry):
    losses = {}
    for given in ((), sets):
        with search_in(registry, *given) as found:
            found.trainer.start(found.phase)
            losses[given] = [float(found.trainer.step().loss) for _ in range(12)]

    plain, other = losses[()], losses[sets]
    assert plain != other or "channels_last" in sets[0]
    assert sum(other[-4:]) < sum(other[:4])
    assert other == pytest.approx(plain, rel=0.1)


def test_planted_choices_are_found_in_bf16_as_in_float32(registry):
    names = {"updater": "sgd", "relaxation": "softmax"}
    found = [planted(registry, names, 0, sets) for sets in ((), ("precision=bf16",))]

    assert [one.lost() for one in found] == [[], []]
    assert [one.missed() for one in found] == [[], []]
    assert found[0].shares != found[1].shares


@pytest.mark.parametrize("name", ["bf16", "fp16"])
def test_unrolled_is_refused_with_the_estimate_that_works(name, registry):
    with pytest.raises(RecipeError, match="needs a run that computes float32") as refused:
        searched_with(registry, CELL, sets=(f"precision={name}", "trainer.estimate=unrolled"))
    assert "trainer.estimate=first" in str(refused.value)


def test_channels_last_lays_out_weights_and_features(registry):
    with search_in(registry, "channels_last=true") as found:
        layouts = []
        for module in found.phase.network.modules():
            if isinstance(module, nn.Conv2d) and module.groups == 1 and module.kernel_size == (3, 3):
                layouts.append(module.weight)
                module.register_forward_hook(lambda _module, given, _result: layouts.append(given[0]))
        weights = len(layouts)
        found.trainer.start(found.phase)
        found.trainer.step()

    assert weights
    assert len(layouts) > weights
    assert all(value.is_contiguous(memory_format=torch.channels_last) for value in layouts)


def test_a_scale_rescues_gradients_that_fp16_loses():
    weights = {"w": torch.ones(1, requires_grad=True)}

    def loss():
        return (weights["w"].half() * 2**-14).float().sum() * 2**-14

    (lost,) = gradients(loss(), weights)
    (found,) = gradients(loss(), weights, scale=INITIAL)
    assert lost["w"] == 0
    assert found["w"] == 2**-28


def test_a_step_that_overflows_is_skipped_with_half_the_scale():
    scale = LossScale.of("fp16")
    good, bad = {"w": torch.ones(2)}, {"w": torch.tensor([1.0, torch.inf])}

    assert scale.accepts(good)
    assert not scale.accepts(bad)
    assert (scale.value, scale.skipped) == (INITIAL / 2, 1)
    for _ in range(PATIENCE):
        assert scale.accepts(good)
    assert scale.value == INITIAL
    other = LossScale.of("fp16")
    other.load_state_dict(scale.state_dict())
    assert other == scale


def test_an_overflow_changes_no_weight_and_no_architecture_parameter(registry):
    with search_in(registry, "precision=fp16") as found:
        found.trainer.start(found.phase)
        found.trainer.step()
        found.trainer.scale.value = 1e38
        before = {name: value.clone() for name, value in found.trainer.weights.items()}
        thetas = {name: value.detach().clone() for name, value in found.search.state.theta.items()}
        found.trainer.step()

        assert found.trainer.scale.skipped == 2
        assert all(torch.equal(value, found.trainer.weights[name]) for name, value in before.items())
        assert all(torch.equal(value, found.search.state.theta[name]) for name, value in thetas.items())
