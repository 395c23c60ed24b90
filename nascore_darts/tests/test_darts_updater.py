"""The update rule against Adam written out, its state, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch

from nascore.api import Gradients, Horizon, expand
from nascore.contract import DataFacts
from nascore.nn import ArchitectureState
from nascore_darts import UpdaterSettings
from nascore_darts.space import Space, SpaceSettings
from nascore_darts.updater import Updater

FACTS = DataFacts(
    channels=3, height=8, width=8, classes=10, train=10, test=10, mean=(0.5,) * 3, std=(0.25,) * 3
)
DESCRIPTION = Space(SpaceSettings(channels=4, cells=3, nodes=2)).describe(FACTS)
HORIZON = Horizon(updates=10, samples=4, replicas={"normal": 1, "reduce": 2}, keep={"normal": 1, "reduce": 1})
SHAPE = (5, 8)


def started(**settings):
    generator = torch.Generator().manual_seed(1)
    theta = {name: torch.randn(SHAPE, generator=generator) for name in ("normal", "reduce")}
    state = ArchitectureState(groups=expand(DESCRIPTION).layouts, theta=theta)
    updater = Updater(UpdaterSettings(**settings))
    updater.start(state, HORIZON, generator)
    return updater, state


def gradients(seed):
    generator = torch.Generator().manual_seed(seed)
    return Gradients(theta={name: torch.randn(SHAPE, generator=generator) for name in ("normal", "reduce")})


def adam(theta, series, *, lr=3e-4, beta1=0.5, beta2=0.999, weight_decay=1e-3):
    """Adam as its paper writes it (arXiv 1412.6980, algorithm 1), in float64."""
    theta = theta.double().clone()
    mean, square = torch.zeros_like(theta), torch.zeros_like(theta)
    for step, raw in enumerate(series, start=1):
        grad = raw.double() + weight_decay * theta
        mean = beta1 * mean + (1 - beta1) * grad
        square = beta2 * square + (1 - beta2) * grad**2
        theta = theta - lr * (mean / (1 - beta1**step)) / ((square / (1 - beta2**step)).sqrt() + 1e-8)
    return theta


def run(steps=5, scale=1.0, **settings):
    updater, state = started(**settings)
    before = {name: theta.detach().clone() for name, theta in state.theta.items()}
    series = [gradients(seed) for seed in range(steps)]
    series = [Gradients(theta={name: scale * grad for name, grad in one.theta.items()}) for one in series]
    for one in series:
        updater.step(state, one)
    return before, state, series


SETTINGS = [{}, {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.5}]


def oracle(settings):
    before, state, series = run(scale=1e-3, **settings)
    for name, theta in state.theta.items():
        wanted = adam(before[name], [one.theta[name] for one in series], **settings)
        assert torch.allclose(theta.double(), wanted, atol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_is_adam_with_coupled_decay(settings):
    oracle(settings)


def without(name):
    """Return Adam that is not told one of its settings."""
    right = torch.optim.Adam

    def told(params, **settings):
        del settings[name]
        return right(params, **settings)

    return told


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    "optimizer",
    [torch.optim.AdamW, torch.optim.NAdam, without("lr"), without("betas"), without("weight_decay")],
    ids=["decoupled", "nesterov", "lr", "betas", "weight_decay"],
)
def test_the_oracle_sees_another_rule(monkeypatch, optimizer, settings):
    monkeypatch.setattr("nascore_darts.updater.Adam", optimizer)
    with pytest.raises(AssertionError):
        oracle(settings)


def test_the_oracle_sees_a_gradient_that_is_given_to_another_group(monkeypatch):
    right = Updater.step

    def crossed(updater, state, gradients):
        theta = gradients.theta
        right(updater, state, Gradients(theta={"normal": theta["reduce"], "reduce": theta["normal"]}))

    monkeypatch.setattr(Updater, "step", crossed)
    with pytest.raises(AssertionError):
        oracle({})


def test_theta_is_moved_in_place_and_keeps_no_gradient():
    updater, state = started()
    theta = state.theta["normal"]
    before = theta.detach().clone()
    updater.step(state, gradients(0))
    assert state.theta["normal"] is theta
    assert theta.grad is None
    assert not torch.equal(theta, before)


def test_what_is_not_alive_is_not_moved():
    updater, state = started(lr=0.1)
    updater.step(state, gradients(0))  # Adam has momentum now, which must not move a dead entry either
    state.alive["normal"][1, 2:] = False
    before = state.theta["normal"].detach().clone()
    updater.step(state, gradients(1))
    moved = state.theta["normal"].detach() != before
    assert torch.equal(moved, state.alive["normal"])


def test_the_state_gives_the_bit_equal_next_step():
    updater, state = started()
    for seed in range(3):
        updater.step(state, gradients(seed))
    saved = updater.state_dict()
    other, copy = started()
    for name, theta in state.theta.items():
        with torch.no_grad():
            copy.theta[name].copy_(theta)
    other.load_state_dict(saved)
    updater.step(state, gradients(9))
    other.step(copy, gradients(9))
    for name, theta in state.theta.items():
        assert torch.equal(theta, copy.theta[name])


def test_a_state_of_other_groups_is_refused():
    updater, _ = started()
    other, _ = started()
    with pytest.raises(ValueError, match="the saved state is for the groups"):
        other.load_state_dict({**updater.state_dict(), "names": ["layers"]})


def test_the_wrong_gradient_is_refused():
    updater, state = started()
    with pytest.raises(ValueError, match="follows the gradient of theta"):
        updater.step(state, Gradients(mixture=gradients(0).theta))


def test_strength_is_the_mixture_where_alive():
    updater, state = started()
    state.alive["reduce"][0] = False
    mixture = {name: torch.softmax(theta, dim=-1) for name, theta in state.theta.items()}
    strength = updater.strength(state, mixture)
    assert torch.equal(strength["normal"], mixture["normal"])
    assert torch.equal(strength["reduce"][1:], mixture["reduce"][1:])
    assert not strength["reduce"][0].any()
