"""Oracle 10: what is drawn, how often, and where gradients go."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from attrs import evolve

from nascore.api import Op, expand, load
from nascore.testing.choices import group
from nascore_data import EgsSettings
from nascore_data.relaxation import Egs, code_probability

SHARES = (0.4, 0.3, 0.2, 0.1)
THETA = torch.tensor([SHARES], dtype=torch.float64).log()
ONE = torch.zeros(1, 4, dtype=torch.int64)
FOUR = evolve(group(1, 4), ops=tuple(map(Op, "abcd")))
"""One edge with four operations, none of which is `none`."""


CHAIN = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  g: {ops: [conv_3x3, sep_conv_3x3, skip_connect]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: g}
    head: {from: -1, op: classifier, width: classes}
"""


def egs(**settings):
    return Egs(EgsSettings(**settings))


def frequencies(relaxation, count):
    """How often each code is drawn, for as many edges at once."""
    segments = torch.arange(count)[:, None].expand(count, 4)
    generator = torch.Generator().manual_seed(1)
    weights = relaxation.mixture(THETA.expand(count, 4), segments, FOUR, generator=generator).weights
    codes, times = (weights != 0).unique(dim=0, return_counts=True)
    return {
        tuple(column for column in range(4) if code[column]): int(many) / count
        for code, many in zip(codes.tolist(), times, strict=True)
    }


def law(draws):
    codes = [code for size in range(1, 5) for code in combinations(range(4), size)]
    return {code: code_probability([SHARES[one] for one in code], draws) for code in codes}


def farthest(relaxation, draws, count=6000):
    found = frequencies(relaxation, count)
    return max(abs(found.get(code, 0.0) - chance) for code, chance in law(draws).items())


@pytest.mark.parametrize("draws", [1, 2, 4])
def test_codes_follow_their_law(draws):
    assert farthest(egs(draws=draws), draws) < 0.025


def test_codes_follow_their_law_closely():
    assert farthest(egs(draws=4), 4, 200_000) < 0.003


@pytest.mark.parametrize("tau", [5.0, 1.0, 0.1])
def test_the_temperature_does_not_change_what_is_drawn(tau):
    generators = [torch.Generator().manual_seed(5) for _ in range(2)]
    plain, other = egs(draws=4), egs(draws=4, tau=tau)
    for _ in range(50):
        one = plain.mixture(THETA, ONE, FOUR, generator=generators[0]).weights
        assert torch.equal(one, other.mixture(THETA, ONE, FOUR, generator=generators[1]).weights)


@pytest.mark.parametrize("tau", [5.0, 0.1])
def test_the_law_is_the_same_at_every_temperature(tau):
    assert farthest(egs(draws=4, tau=tau), 4, 50_000) < 0.008


class Soft(Egs):
    """Archai's imitation: soft weights, summed."""

    def mixture(self, theta, segments, group, *, generator):
        sampled = super().mixture(theta, segments, group, generator=generator)
        soft = torch.softmax(theta, dim=1)
        return type(sampled)(weights=soft * self.settings.draws)


class Tempered(Egs):
    """Draws from the distribution at the temperature, not from the distribution."""

    def mixture(self, theta, segments, group, *, generator):
        return super().mixture(theta / 5, segments, group, generator=generator)


class Cooled(Egs):
    """Divides the logits by the temperature before the noise is added."""

    def mixture(self, theta, segments, group, *, generator):
        return super().mixture(theta / self.tau, segments, group, generator=generator)


class Once(Egs):
    """Draws one time too few."""

    def mixture(self, theta, segments, group, *, generator):
        fewer = Egs(evolve(self.settings, draws=self.settings.draws - 1))
        return fewer.mixture(theta, segments, group, generator=generator)


@pytest.mark.parametrize("wrong", [Soft, Tempered, Cooled, Once])
def test_the_oracle_sees_another_sampler(wrong):
    assert farthest(wrong(EgsSettings(draws=4, tau=5.0)), 4) > 0.05


def test_one_draw_is_the_hard_gumbel_softmax():
    generator = torch.Generator().manual_seed(0)
    theta = THETA.clone().requires_grad_()
    sampled = egs(draws=1, tau=2.0).mixture(theta, ONE, FOUR, generator=generator)
    generator.manual_seed(0)
    noise = -torch.empty(1, 1, 4).exponential_(generator=generator).log().double()
    soft = torch.softmax((torch.log_softmax(theta, 1) + noise[0]) / 2, dim=1)
    hard = torch.zeros(1, 4, dtype=torch.float64)
    hard[0, soft.argmax()] = 1
    assert torch.equal(sampled.weights.detach(), hard)
    slope = torch.arange(4.0, dtype=torch.float64)
    (mine,) = torch.autograd.grad((sampled.weights * slope).sum(), theta)
    # The mean of one drawn operation divides by the sum of soft shares, whose gradient is none.
    (wanted,) = torch.autograd.grad((soft * slope).sum(), theta)
    assert torch.allclose(mine, wanted, atol=1e-12)


@pytest.mark.parametrize("normalize", ["mean", "sum"])
def test_numbers_are_those_of_a_code(normalize):
    generator = torch.Generator().manual_seed(0)
    for _ in range(30):
        weights = egs(draws=3, normalize=normalize).mixture(THETA, ONE, FOUR, generator=generator).weights
        drawn = weights[weights != 0]
        assert 1 <= len(drawn) <= 3
        share = 1 / len(drawn) if normalize == "mean" else 1
        assert torch.equal(drawn, torch.full_like(drawn, share))


def slopes(relaxation, seed):
    theta = THETA.clone().requires_grad_()
    sampled = relaxation.mixture(theta, ONE, FOUR, generator=torch.Generator().manual_seed(seed))
    (slope,) = torch.autograd.grad((sampled.weights * torch.tensor([[1.0, -2, 3, -4]])).sum(), theta)
    return sampled.weights.detach(), slope


def test_what_was_not_drawn_learns_too():
    for seed in range(10):
        weights, slope = slopes(egs(draws=2, normalize="sum"), seed)
        assert (weights == 0).any()
        assert (slope != 0).all()


class Hard(Egs):
    """Gives no gradient to what was not drawn."""

    def mixture(self, theta, segments, group, *, generator):
        sampled = super().mixture(theta, segments, group, generator=generator)
        return type(sampled)(weights=sampled.weights * (sampled.weights.detach() != 0) + 0 * theta)


def test_the_check_sees_a_gradient_that_stops():
    right, wrong = (slopes(kind(EgsSettings(draws=2, normalize="sum")), 0)[1] for kind in (Egs, Hard))
    assert not torch.allclose(right, wrong)


def test_a_node_is_one_competition():
    theta = torch.zeros(3, 4)
    segments = torch.tensor([[0, 0, 0, -1], [0, 0, 0, 0], [1, 1, 1, 1]])
    generator = torch.Generator().manual_seed(0)
    for _ in range(30):
        weights = egs(draws=2).mixture(theta, segments, FOUR, generator=generator).weights
        assert weights[0, 3] == 0
        assert [float(weights[segments == one].sum()) for one in (0, 1)] == [1, 1]
        assert (weights[segments == 0] != 0).sum() <= 2


@pytest.mark.parametrize("settings", [{}, {"tau": 0.01}, {"tau": 1e4}, {"draws": 64}, {"normalize": "sum"}])
@pytest.mark.parametrize("size", [0.0, 100.0, 1e4])
def test_numbers_and_gradients_are_finite_wherever_theta_is(settings, size):
    theta = (size * torch.tensor([[1.0, -1.0, 0.5, 1.0]])).requires_grad_()
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        weights = egs(**settings).mixture(theta, ONE, FOUR, generator=generator).weights
        (slope,) = torch.autograd.grad((weights * torch.tensor([[1.0, -2, 3, -4]])).sum(), theta)
        assert weights.isfinite().all()
        assert slope.isfinite().all()
        assert (weights != 0).sum() >= 1
    assert egs(**settings).picks(theta, ONE, FOUR)


def test_what_never_wins_still_counts_as_alive():
    """A share that is no number any more in 32 bits is 0; the code of the others is as likely as before."""
    theta = torch.tensor([[0.0, 0.0, -200.0, -1e30]])
    assert egs(draws=5).expected(theta, ONE, FOUR).tolist() == [[0.5, 0.5, 0, 0]]
    assert egs(draws=5).picks(theta, ONE, FOUR) == [(0, 0), (0, 1)]


def test_more_draws_than_entries_take_all_of_them():
    generator = torch.Generator().manual_seed(0)
    theta = torch.zeros(1, 4)
    weights = egs(draws=64).mixture(theta, ONE, FOUR, generator=generator).weights
    assert torch.equal(weights, torch.full((1, 4), 0.25))
    assert len(egs(draws=64).picks(theta, ONE, FOUR)) == 4


def test_what_is_drawn_does_not_depend_on_what_else_is_alive():
    """So a search in which something dies goes on with the same random numbers."""
    segments = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]])
    narrowed = torch.tensor([[0, 0, -1, -1], [1, 1, 1, 1]])
    for seed in range(10):
        one, other = (
            egs(draws=3).mixture(
                THETA.expand(2, 4), which, FOUR, generator=torch.Generator().manual_seed(seed)
            )
            for which in (segments, narrowed)
        )
        assert torch.equal(one.weights[1], other.weights[1])


def test_the_temperature_falls_from_first_to_last():
    relaxation = egs(tau=5.0, tau_last=1.0)
    assert [relaxation.annealed(share).tau for share in (0, 0.5, 1)] == [5, 3, 1]
    assert egs(tau=2.0).annealed(0.7).tau == 2


def test_picks_are_the_most_probable_codes():
    theta = torch.tensor([SHARES, (0.97, 0.01, 0.01, 0.01)]).log()
    segments = torch.tensor([[0, 0, 0, 0], [1, 1, 1, -1]])
    assert egs(draws=4).picks(theta, segments, FOUR) == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert egs(draws=1).picks(theta, segments, FOUR) == [(0, 0), (1, 0)]


def test_the_start_is_nearly_even():
    (group,) = expand(load(CHAIN)).layouts.values()
    theta = egs().initial(group, torch.Generator().manual_seed(0))
    assert theta.shape == (1, 3)
    assert 0 < theta.abs().max() < 0.01
