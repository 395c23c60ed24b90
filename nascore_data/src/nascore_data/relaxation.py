"""Ensemble Gumbel-softmax (Chang et al., NeurIPS 2019; earlier arXiv 1905.01786)."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

import torch
from attrs import evolve, frozen

from nascore.api import Op, Sampled
from nascore.nn import log_normalise, segment_argmax, segment_softmax, segment_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

    from nascore.api import ChoiceGroup, Pick
    from nascore_data import EgsSettings


def prefix_probabilities(shares: Sequence[float], draws: int) -> list[float]:
    """Return for each n the probability that M draws touch exactly the first n entries, each at least once.

    It is the sum over all counts ``m_i >= 1`` that add up to M of ``M! prod p_i^m_i / m_i!``: the coefficient
    of x^M in ``M! prod (exp(p_i x) - 1)``. The series are multiplied, which adds positive numbers only;
    inclusion and exclusion over subsets gives the same with large terms of both signs.

    Args:
        shares: Probabilities p_i of the entries; what they lack to 1 belongs to others, which stay untouched.
        draws: M.

    Returns:
        As many probabilities as there are shares; zero where n is above M.
    """
    found: list[float] = []
    series = [1.0, *([0.0] * draws)]
    for share in shares:
        term = [0.0, *(share**power / factorial(power) for power in range(1, draws + 1))]
        series = [
            sum(series[low] * term[power - low] for low in range(power + 1)) for power in range(draws + 1)
        ]
        found.append(factorial(draws) * series[draws])
    return found


def code_probability(chosen: Sequence[float], draws: int) -> float:
    """Return the probability that M draws touch exactly these entries.

    Args:
        chosen: Probabilities p_i of the entries, at least one.
        draws: M.
    """
    return prefix_probabilities(chosen, draws)[-1]


def most_probable(shares: Sequence[float], draws: int) -> list[int]:
    """Return the entries of the most probable code, the most probable entry first.

    Of all codes with n entries the n largest p have the highest probability, so one per size is compared; of
    equals the smaller stands. Of equal entries the earlier does.

    Args:
        shares: p, the probabilities of all entries.
        draws: M.
    """
    ranked = sorted(range(len(shares)), key=lambda place: -shares[place])[:draws]
    chances = prefix_probabilities([shares[place] for place in ranked], draws)
    return ranked[: chances.index(max(chances)) + 1]


NOTHING = Op("none")
START = {"softmax": 0.0, "relu": 1.0}
"""What theta starts around, by form."""

SUM_FLOOR, SHARE_FLOOR = 1e-7, 1e-10
"""What the authors' code adds to the sum of ReLUs, and to a probability before its logarithm is taken."""


@frozen
class Egs:
    """Draws a code: the union of M one-hot draws from p over each segment, which the form makes of theta.

    Each draw is straight-through: its numbers are 0 and 1, its gradient that of a softmax at temperature tau.
    The union is the largest of the M draws, entry by entry, so that one draw of each entry gets the gradient,
    also where no draw touched it. All operations are run in an architecture pass therefore.

    Attributes:
        settings: Number of draws, temperature and the rest.
        progress: How much of the search is over, 0 to 1: decides on the temperature.
    """

    settings: EgsSettings
    progress: float = 0.0

    @property
    def segment(self) -> str | None:
        """The entries that compete: those of an edge, or of a node; None: as in the space."""
        return self.settings.segment

    @property
    def tau(self) -> float:
        """The temperature now."""
        first, last = self.settings.tau, self.settings.tau_last
        return first if last is None else first + (last - first) * self.progress

    def annealed(self, progress: float) -> Egs:
        """Return the relaxation as it is when this share of the search is over."""
        return evolve(self, progress=progress)

    def initial(self, group: ChoiceGroup, generator: Generator) -> Tensor:
        """Return the start value [E, O]: zeros, or ones for ReLU, and a little noise."""
        shape = (len(group.rows), len(group.ops))
        noise = self.settings.noise * torch.randn(shape, generator=generator, device=generator.device)
        return START[self.settings.form] + noise

    def mixture(
        self, theta: Tensor, segments: Tensor, group: ChoiceGroup, *, generator: Generator
    ) -> Sampled:
        """Return the drawn code, averaged or summed as the settings say, with its graph to theta.

        Args:
            theta: Logits [E, O].
            segments: Number of the segment in which each entry competes, [E, O]; -1 for entries not alive.
            group: Says which operations are `none`, which a mean leaves out in the form with softmax.
            generator: Draws M * E * O numbers on its own device, however many entries are alive.
        """
        draws = self.settings.draws
        apart = int(segments.max()) + 1
        # Each draw competes by itself: the segments of draw m follow those of draw m - 1.
        offsets = apart * torch.arange(draws, device=segments.device).reshape(-1, 1, 1)
        several = torch.where(segments >= 0, segments + offsets, -1)
        # Minus the logarithm of exponential numbers, which are never 0, is Gumbel noise.
        waits = torch.empty((draws, *theta.shape), device=generator.device).exponential_(generator=generator)
        logits = (self._logarithms(theta, segments) - waits.log().to(theta)) / self.tau
        soft = segment_softmax(logits, several)
        # The difference is zero to the bit, so that the numbers are exactly 0 and 1. Of equal draws the
        # largest is the first.
        code = (segment_argmax(logits, several) + (soft - soft.detach())).max(dim=0).values
        if self.settings.normalize == "mean":
            code = code / self._counted(code, segments, group)
        return Sampled(weights=code)

    def expected(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> Tensor:
        """Return p [E, O], the distribution that each draw is of; it sums to 1 for sums of codes too."""
        del group
        if self.settings.form == "softmax":
            return segment_softmax(theta, segments)
        return segment_softmax(self._logarithms(theta, segments), segments)

    def pooled(self, theta: Tensor) -> Tensor:
        """Return the parameter of several entries that compete as one: its p is the sum of theirs."""
        return theta.logsumexp(0) if self.settings.form == "softmax" else theta.relu().sum(0)

    def _logarithms(self, theta: Tensor, segments: Tensor) -> Tensor:
        """Return log p [E, O], in the form with ReLU up to a constant."""
        if self.settings.form == "softmax":
            return log_normalise(theta, segments)
        positive = theta.relu()
        return (positive / (segment_sum(positive, segments) + SUM_FLOOR) + SHARE_FLOOR).log()

    def _counted(self, code: Tensor, segments: Tensor, group: ChoiceGroup) -> Tensor:
        """Return the divisor of a code: for each segment, the number of drawn operations that count.

        If only `none` is drawn, nothing is divided. The authors' code divides by 1e-9 there: the mixture is
        zero either way, but gradients become a thousand million times as large.
        """
        counted = code
        nothing = [column for column, op in enumerate(group.ops) if op == NOTHING]
        if self.settings.form == "softmax" and nothing:
            counted = code.clone()
            counted[:, nothing] = 0
        total = segment_sum(counted, segments)
        return total.where(total.detach() > 0, 1)

    def picks(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> list[Pick]:
        """Return the (row, column) pairs of each segment's most probable code, its strongest first."""
        shares = self.expected(theta.detach(), segments, group).tolist()
        entries: dict[int, list[Pick]] = {}
        for row, owners in enumerate(segments.tolist()):
            for column, owner in enumerate(owners):
                if owner >= 0:
                    entries.setdefault(owner, []).append((row, column))
        return [
            places[place]
            for _, places in sorted(entries.items())
            for place in most_probable([shares[row][column] for row, column in places], self.settings.draws)
        ]
