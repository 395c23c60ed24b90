"""Oracle 9: one step is softmax(log u - lr dL/du) of each live segment, and stays on the simplex."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nascore.api import ChoiceGroup, Gradients, Horizon, Op
from nascore.nn import ArchitectureState, log_normalise, segment_softmax
from nascore_geonas import UpdaterSettings
from nascore_geonas import updater as module
from nascore_geonas.updater import Updater

HORIZON = Horizon(updates=None, samples=4, replicas={"edges": 2, "node": 1}, keep={"edges": 1, "node": 1})
FLOOR = 1e-5


def group(mask, *, node=False):
    return ChoiceGroup(
        rows=tuple(("cell", "n0", f"in{row}") for row in range(len(mask))),
        ops=tuple(Op(f"op{column}") for column in range(len(mask[0]))),
        mask=mask,
        segments=tuple(
            tuple((0 if node else row) if here else -1 for here in line) for row, line in enumerate(mask)
        ),
        replicas=2,
    )


def state(seed=0):
    """Edges of three, two and one operation that compete each by itself, and six that compete together."""
    groups = {
        "edges": group(((True, True, True), (True, False, True), (False, True, False))),
        "node": group(((True, True), (True, True), (True, True)), node=True),
    }
    generator = torch.Generator().manual_seed(seed)
    theta = {
        name: torch.randn(len(one.rows), len(one.ops), generator=generator, dtype=torch.float64)
        for name, one in groups.items()
    }
    return ArchitectureState(groups=groups, theta=theta)


def started(found, **asked):
    updater = Updater(UpdaterSettings(**asked))
    updater.start(found, HORIZON, torch.Generator())
    return updater


def slopes(found, seed, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: scale * torch.randn(theta.shape, generator=generator, dtype=torch.float64)
        for name, theta in found.theta.items()
    }


def copied(found):
    return {name: theta.detach().clone() for name, theta in found.theta.items()}


def points(found):
    """Return exp(theta), not the softmax, which would hide that theta is the logarithm of no point."""
    return {name: theta.detach().exp() for name, theta in found.theta.items()}


def by_hand(theta, slope, segments, lr):
    """Return the logarithms after the step, written out for each segment; the dead stay as they are."""
    wanted = theta.clone()
    for number in set(segments[segments >= 0].tolist()):
        inside = segments == number
        wanted[inside] = torch.softmax(torch.softmax(theta[inside], 0).log() - lr * slope[inside], 0).log()
    return wanted


def check_steps(lr=0.1, *, narrowed=True):
    """Hold some steps against the formula, with operations that die in between."""
    found = state()
    updater = started(found, lr=lr)
    for number in range(6):
        if narrowed and number == 3:
            found.alive["edges"][0, 1] = False
            found.alive["node"][2] = False
        before, slope = copied(found), slopes(found, number)
        updater.step(found, Gradients(mixture=slope))
        for name, theta in found.theta.items():
            wanted = by_hand(before[name], slope[name], found.segments(name), lr)
            assert (theta.detach() - wanted).abs().max() < 1e-12


def check_constant_loss():
    """On a loss whose slope c never changes, u_t = softmax(-lr t c): here for the logarithms."""
    found = state()
    with torch.no_grad():
        for theta in found.theta.values():
            theta.zero_()
    updater, slope = started(found, lr=0.1), slopes(found, 7)
    for count in range(1, 21):
        updater.step(found, Gradients(mixture=slope))
        for name, theta in found.theta.items():
            segments = found.segments(name)
            wanted = log_normalise(-0.1 * count * slope[name], segments)
            assert torch.allclose(theta.detach()[segments >= 0], wanted[segments >= 0], rtol=0, atol=1e-12)


def check_simplex(seed, scale):
    """Whatever the gradients: each live segment sums to 1, none falls below the floor, the dead rest."""
    found = state(seed)
    updater = started(found)
    generator = torch.Generator().manual_seed(seed)
    for number in range(4):
        for name in found.alive:
            last = found.segments(name) == found.segments(name).max()
            found.alive[name] &= last | (torch.rand(last.shape, generator=generator) < 0.8)
        before = copied(found)
        updater.step(found, Gradients(mixture=slopes(found, seed + number, scale)))
        for name, point in points(found).items():
            segments = found.segments(name)
            for segment in set(segments[segments >= 0].tolist()):
                inside = point[segments == segment]
                assert abs(float(inside.sum()) - 1) < 1e-12
                assert float(inside.min()) > 0.999 * FLOOR / (1 + len(inside) * FLOOR)
            assert torch.equal(found.theta[name].detach()[segments < 0], before[name][segments < 0])


@pytest.mark.parametrize("narrowed", [False, True])
@pytest.mark.parametrize("lr", [0.01, 0.1, 1.0])
def test_a_step_is_the_softmax_of_the_moved_logarithms(lr, narrowed):
    check_steps(lr, narrowed=narrowed)


def test_closed_form_on_a_constant_linear_loss():
    check_constant_loss()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.0, 1e-8, 1.0, 1e3, 1e30, 1e150]))
def test_it_stays_on_the_simplex(seed, scale):
    check_simplex(seed, scale)


def by_theta(theta, slope, segments, rate):
    """A mutation: steps by the gradient of theta, which vanishes with u."""
    point = segment_softmax(theta, segments)
    mean = torch.zeros_like(theta)
    for number in set(segments[segments >= 0].tolist()):
        mean[segments == number] = (point * slope)[segments == number].sum()
    return right(theta, point * (slope - mean), segments, rate)


def not_normalised(theta, slope, segments, rate):
    return torch.where(segments >= 0, (theta - rate * slope).clamp_min(math.log(FLOOR)), theta)


def over_rows(theta, slope, segments, rate):
    """A mutation: what is not offered, or dead, gets its share of the row."""
    return torch.where(segments >= 0, torch.log_softmax(theta - rate * slope, 1), theta)


def moves_the_dead(theta, slope, segments, rate):
    return torch.where(segments >= 0, right(theta, slope, segments, rate), theta - rate * slope)


def uphill(theta, slope, segments, rate):
    return right(theta, -slope, segments, rate)


right = module.eg_step
MUTATIONS = {
    "by the gradient of theta": (by_theta, check_steps),
    "by the gradient of theta, constant loss": (by_theta, check_constant_loss),
    "not normalised": (not_normalised, lambda: check_simplex(3, 1.0)),
    "not normalised, the step": (not_normalised, check_steps),
    "over whole rows": (over_rows, lambda: check_simplex(3, 1.0)),
    "over whole rows, the step": (over_rows, check_steps),
    "the dead move": (moves_the_dead, lambda: check_simplex(3, 1.0)),
    "uphill": (uphill, check_constant_loss),
    "no floor": (lambda *of: right(*of, floor=1e-30), lambda: check_simplex(3, 1e3)),
}


@pytest.mark.parametrize(("wrong", "check"), MUTATIONS.values(), ids=MUTATIONS)
def test_a_wrong_step_is_seen(monkeypatch, wrong, check):
    check()
    monkeypatch.setattr(module, "eg_step", wrong)
    with pytest.raises(AssertionError):
        check()


def check_start():
    found = state(4)
    before = {
        name: segment_softmax(theta.detach(), found.segments(name)) for name, theta in found.theta.items()
    }
    started(found)
    for name, point in points(found).items():
        live = found.segments(name) >= 0
        assert torch.allclose(point[live], before[name][live], rtol=0, atol=1e-14)


def test_the_start_is_the_same_point_and_theta_its_logarithm():
    check_start()


def test_a_start_that_leaves_theta_as_it_is_is_seen(monkeypatch):
    monkeypatch.setattr(module, "log_normalise", lambda theta, _: theta)
    with pytest.raises(AssertionError):
        check_start()
