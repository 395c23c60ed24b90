"""What goes into a step beside the loss, what strength is, and what is saved."""

from __future__ import annotations

import pytest
import torch
from test_geonas_updater import copied, slopes, started, state

from nascore.api import Gradients
from nascore.nn import log_normalise, segment_softmax
from nascore_geonas.updater import Updater


def check_entropic(lr=0.1, weight=0.5, steps=30):
    """With a constant slope c, log u_t = a^t log u_0 - lr c (1 + ... + a^(t-1)), where a = 1 - lr weight.

    All up to a constant over the segment.
    """
    found = state(1)
    updater, slope = started(found, lr=lr, entropic=weight), slopes(found, 2, scale=0.3)
    before, kept = copied(found), 1 - lr * weight
    for count in range(1, steps + 1):
        updater.step(found, Gradients(mixture=slope))
        for name, theta in found.theta.items():
            drift = lr * slope[name] * (1 - kept**count) / (1 - kept)
            wanted = log_normalise(kept**count * before[name] - drift, found.segments(name))
            live = found.segments(name) >= 0
            assert torch.allclose(theta.detach()[live], wanted[live], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("lr", "weight"), [(0.1, 0.5), (0.05, 2.0)])
def test_the_entropic_regulariser_in_closed_form(lr, weight):
    check_entropic(lr, weight)


@pytest.mark.parametrize("factor", [0.0, -1.0], ids=["left-out", "turned"])
def test_another_entropic_regulariser_is_seen(monkeypatch, factor):
    healthy = Updater.step

    def wrong(updater, found, gradients):
        # To what the healthy step adds, add so much that `factor` of it is left.
        extra = (factor - 1) * updater.settings.entropic
        mixture = {
            name: gradients.mixture[name] + extra * found.theta[name].detach() for name in updater.names
        }
        healthy(updater, found, Gradients(mixture=mixture))

    monkeypatch.setattr(Updater, "step", wrong)
    with pytest.raises(AssertionError):
        check_entropic()


def divergence(point, segments):
    """Return the sum over segments of KL(u || even)."""
    total = torch.zeros((), dtype=point.dtype)
    for number in set(segments[segments >= 0].tolist()):
        inside = point[segments == number]
        total = total + (inside * (inside * len(inside)).log()).sum()
    return total


def test_the_entropic_slope_is_that_of_the_divergence_from_the_even_mixture():
    found, other = state(1), state(1)
    slope, drawn = slopes(found, 5), {}
    for name, theta in found.theta.items():
        segments = found.segments(name)
        point = segment_softmax(theta.detach(), segments).requires_grad_()
        (drawn[name],) = torch.autograd.grad(0.7 * divergence(point, segments), point)
    started(found, entropic=0.7).step(found, Gradients(mixture=slope))
    started(other).step(other, Gradients(mixture={name: slope[name] + drawn[name] for name in slope}))
    for name, theta in found.theta.items():
        live = found.segments(name) >= 0
        assert torch.allclose(theta[live], other.theta[name][live], rtol=0, atol=1e-12)


def test_a_penalty_is_a_part_of_the_gradient():
    found, other = state(), state()
    slope, pull = slopes(found, 1), slopes(found, 2)
    started(found).step(found, Gradients(mixture=slope, penalty=pull))
    started(other).step(other, Gradients(mixture={name: slope[name] + pull[name] for name in slope}))
    for name, theta in found.theta.items():
        assert torch.equal(theta, other.theta[name])


def test_theta_is_moved_in_place():
    found = state()
    before = dict(found.theta)
    updater = started(found)
    updater.step(found, Gradients(mixture=slopes(found, 1)))
    assert all(found.theta[name] is theta for name, theta in before.items())
    assert all(theta.requires_grad and theta.is_leaf for theta in found.theta.values())


def test_strength_is_the_mixture_where_alive():
    found = state()
    updater = started(found)
    found.alive["node"][1] = False
    expected = {name: torch.rand_like(theta) for name, theta in found.theta.items()}
    strength = updater.strength(found, expected)
    for name, alive in found.alive.items():
        assert torch.equal(strength[name], torch.where(alive, expected[name], 0))


def test_a_saved_state_goes_on_bit_equal():
    whole, half = state(), state(9)
    first, second = started(whole, entropic=0.1), started(half, entropic=0.1)
    for number in range(5):
        first.step(whole, Gradients(mixture=slopes(whole, number)))
    second.load_state_dict(first.state_dict())
    half.load_state_dict(whole.state_dict())
    for number in range(5, 9):
        for updater, found in ((first, whole), (second, half)):
            updater.step(found, Gradients(mixture=slopes(found, number)))
    for name, theta in whole.theta.items():
        assert torch.equal(theta, half.theta[name])
    assert first.state_dict() == second.state_dict()


def test_a_state_of_other_groups_is_refused():
    with pytest.raises(ValueError, match="the saved state is for the groups"):
        started(state()).load_state_dict({"names": ["layers"]})


def test_the_wrong_gradient_is_refused():
    found = state()
    with pytest.raises(ValueError, match="follows the gradient of the mixture"):
        started(found).step(found, Gradients(theta=slopes(found, 0)))
