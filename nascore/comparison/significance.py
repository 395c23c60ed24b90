"""Statistical tests of the difference between two algorithms over a few seeds.

Two methods, since neither is enough alone with few seeds. Student's t assumes that the values are normal; a
permutation test assumes nothing but that under chance the two could be exchanged, and can therefore not give
a small p where few exchanges exist: of five pairs there are 32, so its p is never below 2/32.
"""

from __future__ import annotations

from itertools import combinations
from math import comb, exp, inf, lgamma, log, sqrt
from random import Random
from statistics import fmean, stdev, variance
from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence


CONTINUED = 300
"""Terms of the continued fraction; some tens are enough."""

CONVERGED = 1e-15
TINY = 1e-300
HALVINGS = 200


def two_sided(t: float, freedom: float) -> float:
    """Return how likely a value at least so far from 0 is, on either side.

    With x = v / (v + t^2) it is the regularized incomplete beta function I_x(v / 2, 1 / 2) (Abramowitz and
    Stegun, 26.7.1).

    Args:
        t: The value.
        freedom: Degrees of freedom v, above 0; need not be whole.
    """
    if t == 0:
        return 1.0
    return _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def quantile(freedom: float, outside: float = 0.05) -> float:
    """Return the value beyond which, on both sides together, a share of the distribution lies.

    Args:
        freedom: Degrees of freedom, above 0.
        outside: The share, above 0 and below 1; 0.05 gives half the width of a 95 % interval.
    """
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > outside:
        low, high = high, 2 * high
        if high == inf:
            return inf
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > outside else (low, middle)
    return high


def _beta(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function for x from 0 to 1."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # The fraction converges fast on this side of the mean; the other side mirrors it.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _beta(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1/(1 + d2/(1 + ...)) of Abramowitz and Stegun, 26.5.8, from the front (Lentz's way)."""
    value, upper, lower = 1.0, 1.0, 0.0
    for term in range(1, CONTINUED):
        m = term // 2
        if term % 2:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1.0 / (1.0 + step * lower or TINY)
        upper = 1.0 + step / upper or TINY
        value *= upper * lower
        if abs(upper * lower - 1) < CONVERGED:
            break
    return value


LEVEL: Final = 0.05
"""The p below which a difference counts as told from chance."""

FEWEST: Final = 2
"""Values that an interval needs."""

MOST: Final = 200_000
"""Exchanges up to which all are counted; of more, :data:`DRAWN` are drawn."""

DRAWN: Final = 20_000
CLOSE: Final = 1e-9
"""Shares of images are fractions: what differs by less than this is a rounding error."""


@frozen(kw_only=True)
class Chance:
    """A difference of two means, and how likely chance alone makes one as large.

    Attributes:
        difference: The first mean without the second.
        interval: Bounds that hold the true difference in 95 % of cases, if values are normal; None: no say.
        p: By Student's t: paired, or Welch's where the seeds are not shared. None: no say.
        exact: By permutation; None: no say.
        least: The smallest p that the permutation test could have given with so many seeds.
    """

    difference: float
    interval: tuple[float, float] | None = None
    p: float | None = None
    exact: float | None = None
    least: float = 1.0


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean by Student's t; None for values of which Student says nothing.

    These are a single one, and such that are all equal: that few seeds agree does not make them certain.

    Args:
        values: One a seed.
    """
    if len(values) < FEWEST or stdev(values) < CLOSE:
        return None
    half = quantile(len(values) - 1) * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def paired(first: Sequence[float], second: Sequence[float]) -> Chance:
    """Compare two algorithms that share their seeds.

    Args:
        first: Values of the first, by seed.
        second: Values of the second, in the same order of seeds.
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    mean = fmean(differences)
    if len(differences) < FEWEST:
        return Chance(difference=mean)
    spread = stdev(differences) / sqrt(len(differences))
    return Chance(
        difference=mean,
        interval=mean_interval(differences),
        p=_student(mean, spread, len(differences) - 1),
        exact=_flipped(differences),
        least=2 / 2 ** len(differences),
    )


def unpaired(first: Sequence[float], second: Sequence[float]) -> Chance:
    """Compare two algorithms that share no seeds.

    Args:
        first: Values of the first.
        second: Values of the second.
    """
    difference = fmean(first) - fmean(second)
    if min(len(first), len(second)) < FEWEST:
        return Chance(difference=difference)
    parts = [variance(values) / len(values) for values in (first, second)]
    spread = sqrt(sum(parts))
    if spread > CLOSE:
        weights = (part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
        freedom = sum(parts) ** 2 / sum(weights)
    else:
        freedom = len(first) + len(second) - 2
    half = quantile(freedom) * spread
    interval = (difference - half, difference + half) if spread > CLOSE else None
    ways = comb(len(first) + len(second), len(first))
    return Chance(
        difference=difference,
        interval=interval,
        p=_student(difference, spread, freedom),
        exact=_dealt(first, second),
        least=(2 if len(first) == len(second) else 1) / ways,
    )


def holm(values: Sequence[float]) -> list[float]:
    """Return p values that hold for all of them together (Holm, 1979), in the order of the given ones."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, least = [0.0] * len(values), 0.0
    for place, index in enumerate(order):
        least = max(least, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = least
    return adjusted


def seeds_needed(comparisons: int) -> int:
    """Return with how many shared seeds a permutation test can tell anything, in so many comparisons."""
    seeds = FEWEST
    while comparisons * 2 / 2**seeds >= LEVEL:
        seeds += 1
    return seeds


def _student(mean: float, spread: float, freedom: float) -> float | None:
    """Return the p of a mean; None where all differences are equal, of which a normal one says nothing."""
    if spread > CLOSE:
        return two_sided(mean / spread, freedom)
    return 1.0 if abs(mean) < CLOSE else None


def _flipped(differences: Sequence[float]) -> float:
    """Return the share of the ways to exchange the two of some pairs that give as large a mean."""
    found = abs(sum(differences)) - CLOSE
    if 2 ** len(differences) <= MOST:
        sums = [0.0]
        for difference in differences:
            sums = [sum_ + signed for sum_ in sums for signed in (difference, -difference)]
        return sum(abs(sum_) >= found for sum_ in sums) / len(sums)
    draw = Random(0)  # noqa: S311 - nothing secret
    drawn = (abs(sum(draw.choice((one, -one)) for one in differences)) for _ in range(DRAWN))
    return _share(sum(sum_ >= found for sum_ in drawn))


def _dealt(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the share of the ways to deal all values out that give as large a difference of means."""
    pool = [*first, *second]
    whole, count, others = sum(pool), len(first), len(second)

    def far(part: float) -> float:
        return abs(part / count - (whole - part) / others)

    found = far(sum(first)) - CLOSE
    if comb(len(pool), count) <= MOST:
        every = [far(sum(part)) >= found for part in combinations(pool, count)]
        return sum(every) / len(every)
    draw = Random(0)  # noqa: S311 - nothing secret
    return _share(sum(far(sum(draw.sample(pool, count))) >= found for _ in range(DRAWN)))


def _share(hits: int) -> float:
    """Return the p of drawn exchanges: what was found counts as one of them, so it is never 0."""
    return (hits + 1) / (DRAWN + 1)
