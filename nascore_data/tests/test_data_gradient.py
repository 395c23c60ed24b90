"""The gradient that theta gets, on average, against its expectation, worked out without drawing anything.

The straight-through estimate is biased: its mean is not the gradient of the expected loss. Its own
expectation is known exactly all the same. What happens in a step depends on the M winners alone: they make
the code, hence the loss and its slope there, and they say which draw of each entry gets the slope (the
first that won it; the first of all where none did). Given who won, draws are independent, so each routed
slope meets the mean Jacobian of one tempered softmax over the region of noise in which that entry wins.
Winners are gone through one by one (K^M sequences), and the regions are integrated by quadrature.
"""

from __future__ import annotations

from itertools import product

import pytest
import torch
from attrs import evolve
from numpy.polynomial.legendre import leggauss
from test_data_codes import enumerated

from nascore.api import Op
from nascore.testing.choices import group
from nascore_data import EgsSettings
from nascore_data.relaxation import Egs

DOUBLE = torch.float64
SHARES = torch.tensor([0.5, 0.3, 0.2], dtype=DOUBLE)
PLAIN = torch.tensor([1.0, -2.0, 0.5], dtype=DOUBLE)
BENT = torch.tensor([0.8, -0.3, 1.5], dtype=DOUBLE)
THREE = evolve(group(1, 3), ops=tuple(map(Op, "abc")))
"""One edge with three operations, none of which is `none`."""

COUNT = 60_000
SIGMAS = 4.5
KINDS = [
    {"draws": 1},
    {"draws": 2, "normalize": "sum"},
    {"draws": 2, "tau": 0.5},
    {"draws": 3, "normalize": "sum", "tau": 3.0},
    {"draws": 4},
]


def loss(weights):
    """A loss that is bent, so that its slope depends on what else was drawn."""
    return (weights * PLAIN).sum(-1) + (weights * BENT).sum(-1) ** 2 / 2


def slope(weights):
    return PLAIN + BENT * (weights * BENT).sum()


def jacobian(winner, tau):
    """The mean of d softmax((log p + g) / tau)_k / d theta_j over the noise with which this entry wins.

    The two others lie behind it by u > 0, whose density is that of differences of Gumbel numbers.
    """
    nodes, weights = (torch.from_numpy(one) for one in leggauss(120))
    grid, weights = 20 * (nodes + 1), 20 * weights
    behind = torch.stack(torch.meshgrid(grid, grid, indexing="ij"), dim=-1)
    others = [place for place in range(3) if place != winner]
    decay = SHARES[winner] + (SHARES[others] * behind.exp()).sum(-1)
    density = 2 * SHARES.prod() * behind.sum(-1).exp() / decay**3 * weights[:, None] * weights
    gaps = torch.zeros((*behind.shape[:2], 3), dtype=DOUBLE)
    gaps[..., others] = behind
    soft = torch.softmax(-gaps / tau, dim=-1)
    each = (torch.diag_embed(soft) - soft[..., :, None] * soft[..., None, :]) / tau
    assert float(density.sum()) == pytest.approx(float(SHARES[winner]), abs=1e-6)
    return (density[..., None, None] * each).sum((0, 1)) / density.sum()


def expectation(settings):
    """The exact mean of the estimate, [K]."""
    means = [jacobian(winner, settings.tau) for winner in range(3)]
    total = torch.zeros(3, dtype=DOUBLE)
    for winners in product(range(3), repeat=settings.draws):
        code = torch.tensor([float(place in winners) for place in range(3)], dtype=DOUBLE)
        size = code.sum() if settings.normalize == "mean" else 1.0
        pull = slope(code / size)
        if settings.normalize == "mean":
            pull = (pull - (pull * code).sum() / size) / size
        for place in range(3):
            met = place if place in winners else winners[0]
            total += SHARES[list(winners)].prod() * pull[place] * means[met][place]
    return total


def estimates(relaxation, count=COUNT):
    """As many independent estimates, [count, K]: one for each edge of a large group."""
    theta = SHARES.log().expand(count, 3).clone().requires_grad_()
    segments = torch.arange(count)[:, None].expand(count, 3)
    drawn = relaxation.mixture(theta, segments, THREE, generator=torch.Generator().manual_seed(7))
    (found,) = torch.autograd.grad(loss(drawn.weights).sum(), theta)
    return found


def errors(relaxation):
    """By how many standard errors each entry's mean is off, and how exact the means are."""
    found = estimates(relaxation)
    wanted, error = expectation(relaxation.settings), found.std(dim=0) / len(found) ** 0.5
    return (found.mean(dim=0) - wanted).abs() / error, error / wanted.abs().max()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_mean_gradient_is_the_expectation(kind):
    off, exactness = errors(Egs(EgsSettings(**kind)))
    assert off.max() < SIGMAS
    assert exactness.max() < 0.05


def redrawn(relaxation, theta, generator, tau):
    """The soft draws [M, count, K] for these random numbers."""
    waits = torch.empty((relaxation.settings.draws, *theta.shape)).exponential_(generator=generator)
    return torch.softmax((torch.log_softmax(theta, 1) - waits.log().to(theta)) / tau, dim=-1)


class Wrong(Egs):
    """The right numbers with another gradient."""

    def mixture(self, theta, segments, group, *, generator):
        again = torch.Generator()
        again.set_state(generator.get_state())
        code = super().mixture(theta, segments, group, generator=generator)
        moving = self.moving(theta, code.weights, again)
        return type(code)(weights=code.weights.detach() + (moving - moving.detach()))


class Averaged(Wrong):
    """Every draw gets a share of the gradient, not the one that made the entry."""

    def moving(self, theta, code, again):
        soft = redrawn(self, theta, again, self.tau).mean(0)
        return soft / (code != 0).sum(1, keepdim=True)


class Untempered(Wrong):
    """The gradient is that of temperature 1."""

    def moving(self, theta, code, again):
        del code
        plain = Egs(EgsSettings(draws=self.settings.draws, normalize=self.settings.normalize))
        segments = torch.arange(len(theta))[:, None].expand(*theta.shape)
        return plain.mixture(theta, segments, THREE, generator=again).weights


class Unrelated(Wrong):
    """The soft draws have random numbers of their own."""

    def moving(self, theta, code, again):
        del code
        again.manual_seed(1)
        segments = torch.arange(len(theta))[:, None].expand(*theta.shape)
        return Egs(self.settings).mixture(theta, segments, THREE, generator=again).weights


class Stopped(Wrong):
    """What was not drawn gets no gradient."""

    def moving(self, theta, code, again):
        del theta, again
        return code * (code.detach() != 0)


class Smooth(Wrong):
    """The gradient is that of p itself."""

    def moving(self, theta, code, again):
        del code, again
        return torch.softmax(theta, dim=1)


class Constant(Wrong):
    """The number of drawn operations, by which the code is divided, counts as a constant."""

    def moving(self, theta, code, again):
        summed = Egs(EgsSettings(draws=self.settings.draws, tau=self.tau, normalize="sum"))
        segments = torch.arange(len(theta))[:, None].expand(*theta.shape)
        return summed.mixture(theta, segments, THREE, generator=again).weights / (code != 0).sum(
            1, keepdim=True
        )


@pytest.mark.parametrize("wrong", [Averaged, Untempered, Unrelated, Stopped, Smooth, Constant])
def test_the_oracle_sees_another_gradient(wrong):
    off, _ = errors(wrong(EgsSettings(draws=3, tau=2.0)))
    assert off.max() > 2 * SIGMAS


def uphill(settings):
    """The gradient of the expected loss itself, through the law of codes."""
    theta = SHARES.log().clone().requires_grad_()
    law = enumerated(list(torch.softmax(theta, 0)), settings.draws)
    total = torch.zeros((), dtype=DOUBLE)
    for code, chance in law.items():
        entries = torch.tensor([float(place in code) for place in range(3)], dtype=DOUBLE)
        size = len(code) if settings.normalize == "mean" else 1
        total = total + chance * loss(entries / size)
    (found,) = torch.autograd.grad(total, theta)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_is_biased_and_goes_uphill_all_the_same(kind):
    settings = EgsSettings(**kind)
    mine, exact = expectation(settings), uphill(settings)
    assert not torch.allclose(mine, exact, rtol=0.05)
    assert torch.cosine_similarity(mine, exact, dim=0) > 0.5
