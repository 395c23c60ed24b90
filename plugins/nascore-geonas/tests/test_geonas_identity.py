"""Oracle 9b: dL/dtheta divided by u, and dL/du, give the same step, since it is blind to constants."""

from __future__ import annotations

import pytest
import torch
from test_geonas_updater import points, started, state

from nascore.api import Gradients
from nascore.nn import segment_softmax
from nascore_geonas import updater as module


def loss(mixture, seed=11):
    """A smooth loss that mixes all entries of a group."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros((), dtype=torch.float64)
    for name in sorted(mixture):
        flat = mixture[name].reshape(-1)
        matrix = torch.randn(3, len(flat), generator=generator, dtype=torch.float64)
        total = total + torch.tanh(matrix @ flat).square().sum() + (matrix[0] @ flat)
    return total


def both(found):
    """Return u, dL/dtheta through the softmax, and dL/du, by group."""
    mixture = {name: segment_softmax(theta, found.segments(name)) for name, theta in found.theta.items()}
    flat = torch.autograd.grad(loss(mixture), list(found.theta.values()))
    leaf = {name: value.detach().requires_grad_() for name, value in mixture.items()}
    direct = torch.autograd.grad(loss(leaf), list(leaf.values()))
    names = list(mixture)
    return mixture, dict(zip(names, flat, strict=True)), dict(zip(names, direct, strict=True))


def divided(found, mixture, slope):
    """Return dL/dtheta / u, and 0 where there is no weight to divide by."""
    return {name: torch.where(found.alive[name], slope[name] / mixture[name], 0).detach() for name in mixture}


def check_same_step(convert=divided, shift=0.0):
    ours, theirs = state(2), state(2)
    first, second = started(ours), started(theirs)
    for _ in range(4):
        _, _, direct = both(ours)
        first.step(ours, Gradients(mixture={name: slope + shift for name, slope in direct.items()}))
        mixture, of_theta, _ = both(theirs)
        second.step(theirs, Gradients(mixture=convert(theirs, mixture, of_theta)))
    for name, point in points(ours).items():
        live = ours.alive[name]
        assert (point - points(theirs)[name])[live].abs().max() < 1e-12


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_both_gradients_give_the_same_step(shift):
    check_same_step(shift=shift)


def test_the_gradient_of_theta_without_the_division_is_another_step():
    with pytest.raises(AssertionError):
        check_same_step(convert=lambda _found, _mixture, slope: slope)


def clipped(theta, slope, segments, rate):
    """A mutation: what XNAS does, to whom constants are not nothing."""
    return right(theta, slope.clamp(-1, 1), segments, rate)


def not_normalised(theta, slope, segments, rate):
    return torch.where(segments >= 0, theta - rate * slope, theta)


right = module.eg_step


@pytest.mark.parametrize("wrong", [clipped, not_normalised])
def test_a_step_that_sees_constants_is_seen(monkeypatch, wrong):
    monkeypatch.setattr(module, "eg_step", wrong)
    with pytest.raises(AssertionError):
        check_same_step()
