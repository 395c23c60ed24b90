"""Statistical tests of the difference between two algorithms over a few seeds.

There are two methods, since neither is enough with few seeds. Student's t assumes that the values are normal.
A permutation test assumes only that the two are exchangeable under the null hypothesis, but its smallest p is
limited by the number of permutations: five pairs have 32, so p is never below 2/32.
"""

from __future__ import annotations

from itertools import combinations
from math import comb, exp, inf, lgamma, log, sqrt
from random import Random
from statistics import fmean, stdev, variance
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence


MOST_TERMS = 300
"""Limit on the terms of the continued fraction; a few dozen are enough."""

CONVERGED = 1e-15
TINY = 1e-300
HALVINGS = 200


def two_sided(t: float, freedom: float) -> float:
    """Return the two-sided p of a value under Student's t distribution.

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
    """Return the two-sided quantile of Student's t distribution.

    Args:
        freedom: Degrees of freedom, above 0.
        outside: Probability of a larger absolute value; 0.05 gives half the width of a 95 % interval.
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
    """Return 1 + d1/(1 + d2/(1 + ...)) of Abramowitz and Stegun, 26.5.8, by Lentz's method."""
    value, upper, lower = 1.0, 1.0, 0.0
    for term in range(1, MOST_TERMS):
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
"""The p below which a difference is significant."""

FEWEST: Final = 2
"""Number of values that an interval needs."""

MOST: Final = 200_000
"""Largest number of permutations that are enumerated; from more, :data:`DRAWN` are sampled."""

DRAWN: Final = 20_000
CLOSE: Final = 1e-9
"""Accuracies are fractions of images: a difference below this is a rounding error."""


@frozen(kw_only=True)
class Difference:
    """A difference of two means with its interval and tests.

    Attributes:
        value: The first mean minus the second.
        interval: The 95 % interval of the difference, if values are normal; None if it cannot be computed.
        p: The p by Student's t: paired, or Welch's if the seeds are not shared; None if it does not apply.
        exact: The p by permutation; None if it does not apply.
        least: The smallest p that the permutation test can give with this number of seeds.
    """

    value: float
    interval: tuple[float, float] | None = None
    p: float | None = None
    exact: float | None = None
    least: float = 1.0


def plain_tests(found: Difference | None, p: float | None, exact: float | None) -> dict[str, Any]:
    """Return the interval and the tests of a difference as values for JSON.

    Args:
        found: The difference; None: it could not be computed.
        p: Its p by Student's t, corrected by Holm's method.
        exact: Its p by permutation, corrected likewise.
    """
    return {
        "interval": None if found is None or found.interval is None else list(found.interval),
        "p": None if found is None else found.p,
        "p_holm": p,
        "exact_p": None if found is None else found.exact,
        "exact_p_holm": exact,
    }


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean by Student's t; None for a single value, or if all are equal.

    Agreement of a few seeds does not show that the variance is zero.

    Args:
        values: One for each seed.
    """
    if len(values) < FEWEST or stdev(values) < CLOSE:
        return None
    half = quantile(len(values) - 1) * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def paired(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Test the difference of two algorithms that share their seeds.

    Args:
        first: Values of the first, by seed.
        second: Values of the second, in the same order of seeds.
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    mean = fmean(differences)
    if len(differences) < FEWEST:
        return Difference(value=mean)
    error = stdev(differences) / sqrt(len(differences))
    return Difference(
        value=mean,
        interval=mean_interval(differences),
        p=_t_test(mean, error, len(differences) - 1),
        exact=_sign_test(differences),
        least=2 / 2 ** len(differences),
    )


def unpaired(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Test the difference of two algorithms that share no seeds.

    Args:
        first: Values of the first.
        second: Values of the second.
    """
    difference = fmean(first) - fmean(second)
    if min(len(first), len(second)) < FEWEST:
        return Difference(value=difference)
    parts = [variance(values) / len(values) for values in (first, second)]
    error = sqrt(sum(parts))
    if error > CLOSE:
        weights = (part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
        freedom = sum(parts) ** 2 / sum(weights)
    else:
        freedom = len(first) + len(second) - 2
    half = quantile(freedom) * error
    interval = (difference - half, difference + half) if error > CLOSE else None
    permutations = comb(len(first) + len(second), len(first))
    return Difference(
        value=difference,
        interval=interval,
        p=_t_test(difference, error, freedom),
        exact=_permutation_test(first, second),
        least=(2 if len(first) == len(second) else 1) / permutations,
    )


def holm(values: Sequence[float]) -> list[float]:
    """Return p values corrected for multiple tests (Holm, 1979), in the order of the arguments."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, least = [0.0] * len(values), 0.0
    for place, index in enumerate(order):
        least = max(least, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = least
    return adjusted


def seeds_needed(comparisons: int) -> int:
    """Return the number of shared seeds from which a permutation test can find significant differences.

    Args:
        comparisons: The number of differences that are tested together.
    """
    seeds = FEWEST
    while comparisons * 2 / 2**seeds >= LEVEL:
        seeds += 1
    return seeds


def _t_test(mean: float, error: float, freedom: float) -> float | None:
    """Return the p of a mean with its standard error; None if all differences are equal and not 0."""
    if error > CLOSE:
        return two_sided(mean / error, freedom)
    return 1.0 if abs(mean) < CLOSE else None


def _sign_test(differences: Sequence[float]) -> float:
    """Return the share of all sign changes of the differences that give at least as large a mean."""
    found = abs(sum(differences)) - CLOSE
    if 2 ** len(differences) <= MOST:
        sums = [0.0]
        for difference in differences:
            sums = [sum_ + signed for sum_ in sums for signed in (difference, -difference)]
        return sum(abs(sum_) >= found for sum_ in sums) / len(sums)
    draw = Random(0)  # noqa: S311 - nothing secret
    drawn = (abs(sum(draw.choice((one, -one)) for one in differences)) for _ in range(DRAWN))
    return _sampled_p(sum(sum_ >= found for sum_ in drawn))


def _permutation_test(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the share of all assignments of the values to two groups with at least as large a difference."""
    pool = [*first, *second]
    total, count, others = sum(pool), len(first), len(second)

    def distance(part: float) -> float:
        return abs(part / count - (total - part) / others)

    found = distance(sum(first)) - CLOSE
    if comb(len(pool), count) <= MOST:
        every = [distance(sum(part)) >= found for part in combinations(pool, count)]
        return sum(every) / len(every)
    draw = Random(0)  # noqa: S311 - nothing secret
    return _sampled_p(sum(distance(sum(draw.sample(pool, count))) >= found for _ in range(DRAWN)))


def _sampled_p(hits: int) -> float:
    """Return the p of sampled permutations; the observed one is counted too, so p is never 0."""
    return (hits + 1) / (DRAWN + 1)
