"""Gradient descent on theta against its rule written out, its state, and what it leaves alone."""

from __future__ import annotations

import io

import pytest
import torch
from test_builtin_choosing import FACTS, HORIZON

from nascore.api import Gradients, expand
from nascore.builtin.components import PlantedSpaceSettings, SgdSettings
from nascore.builtin.spaces import Planted
from nascore.builtin.updaters import Sgd
from nascore.nn import ArchitectureState

GROUPS = expand(Planted(PlantedSpaceSettings()).describe(FACTS)).layouts
SHAPE = (1, 4)
SETTINGS = [{"weight_decay": 0.01}, {"lr": 0.2, "momentum": 0.5, "weight_decay": 0.3}]


def started(**settings):
    generator = torch.Generator().manual_seed(1)
    theta = {name: torch.randn(SHAPE, generator=generator) for name in GROUPS}
    state = ArchitectureState(groups=GROUPS, theta=theta)
    updater = Sgd(SgdSettings(**settings))
    updater.start(state, HORIZON, generator)
    return updater, state


def slopes(seed):
    generator = torch.Generator().manual_seed(seed)
    return Gradients(theta={name: torch.randn(SHAPE, generator=generator) for name in GROUPS})


def written_out(theta, series, *, lr=0.05, momentum=0.9, weight_decay=0.0):
    """Heavy ball in float64; the first buffer is the first gradient itself."""
    theta, buffer = theta.double().clone(), torch.zeros(SHAPE).double()
    for raw in series:
        buffer = momentum * buffer + raw.double() + weight_decay * theta
        theta -= lr * buffer
    return theta


def oracle(settings):
    updater, state = started(**settings)
    before = {name: theta.detach().clone() for name, theta in state.theta.items()}
    series = [slopes(seed) for seed in range(5)]
    for one in series:
        updater.step(state, one)
    for name, theta in state.theta.items():
        wanted = written_out(before[name], [one.theta[name] for one in series], **settings)
        assert torch.allclose(theta.double(), wanted, atol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_is_descent_with_momentum_and_coupled_decay(settings):
    oracle(settings)


def without(name):
    right = torch.optim.SGD

    def told(params, **settings):
        del settings[name]
        return right(params, **settings)

    return told


def nesterov(params, **settings):
    return plain(params, nesterov=True, **settings)


plain = torch.optim.SGD


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    "optimizer",
    [nesterov, without("lr"), without("momentum"), without("weight_decay")],
    ids=["nesterov", "lr", "momentum", "weight_decay"],
)
def test_the_oracle_sees_another_rule(monkeypatch, optimizer, settings):
    monkeypatch.setattr("nascore.builtin.updaters.SGD", optimizer)
    with pytest.raises(AssertionError):
        oracle(settings)


def test_theta_is_moved_in_place_and_keeps_no_gradient():
    updater, state = started()
    theta = state.theta["layer0"]
    before = theta.detach().clone()
    updater.step(state, slopes(0))
    assert state.theta["layer0"] is theta
    assert theta.grad is None
    assert not torch.equal(theta, before)


def test_what_is_not_alive_is_not_moved_by_momentum_either():
    updater, state = started(weight_decay=0.1)
    updater.step(state, slopes(0))
    state.alive["layer1"][0, 2:] = False
    before = state.theta["layer1"].detach().clone()
    updater.step(state, slopes(1))
    moved = state.theta["layer1"].detach() != before
    assert torch.equal(moved, state.alive["layer1"])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_state_that_was_written_gives_the_bit_equal_next_steps(momentum):
    updater, state = started(momentum=momentum)
    for seed in range(3):
        updater.step(state, slopes(seed))
    file = io.BytesIO()
    torch.save(updater.state_dict(), file)
    file.seek(0)
    other, copy = started(momentum=momentum)
    copy.load_state_dict(state.state_dict())
    other.load_state_dict(torch.load(file, weights_only=True))
    for seed in range(7, 10):
        updater.step(state, slopes(seed))
        other.step(copy, slopes(seed))
    assert all(torch.equal(theta, copy.theta[name]) for name, theta in state.theta.items())


def test_a_state_is_a_copy_in_both_directions():
    updater, state = started()
    updater.step(state, slopes(0))
    saved = updater.state_dict()
    buffer = saved["optimizer"]["state"][0]["momentum_buffer"]
    before = buffer.clone()
    updater.step(state, slopes(1))
    assert torch.equal(buffer, before)
    updater.load_state_dict(saved)
    updater.step(state, slopes(2))
    assert torch.equal(buffer, before)


def test_what_cannot_be_followed_is_refused():
    updater, state = started()
    with pytest.raises(ValueError, match="follows the gradient of theta"):
        updater.step(state, Gradients(mixture=slopes(0).theta))
    with pytest.raises(ValueError, match="the saved state is for the groups"):
        updater.load_state_dict({**updater.state_dict(), "names": ["cell"]})
    with pytest.raises(RuntimeError, match="not started"):
        Sgd(SgdSettings()).state_dict()


def test_strength_is_the_size_of_the_weights_where_alive():
    updater, state = started()
    state.alive["layer2"][0, 1] = False
    expected = {name: -theta.detach() for name, theta in state.theta.items()}
    found = updater.strength(state, expected)
    assert torch.equal(found["layer0"], expected["layer0"].abs())
    assert (expected["layer0"] < 0).any()
    assert found["layer2"][0, 1] == 0
    assert (found["layer2"] > 0).sum() == 3
