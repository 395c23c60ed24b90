"""Student's distribution, of which Python's `statistics` knows nothing."""

from __future__ import annotations

from math import exp, inf, lgamma, log

CONTINUED = 300
"""Terms of the continued fraction; some tens are enough."""

CLOSE = 1e-15
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
        if abs(upper * lower - 1) < CLOSE:
            break
    return value
