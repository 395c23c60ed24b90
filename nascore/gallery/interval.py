"""How sure a measured share is."""

from __future__ import annotations

from math import sqrt

NORMAL_95 = 1.959963984540054
"""Half the width, in standard deviations, of the interval that holds 95 % of a normal distribution."""


def wilson(share: float, count: int, *, deviations: float = NORMAL_95) -> tuple[float, float]:
    """Return Wilson's score interval of a share (E. B. Wilson, 1927), which stays within 0 and 1.

    Args:
        share: The share that was seen, 0 to 1.
        count: Of how many it is a share; of none, the share may be anything.
        deviations: Half the width in standard deviations; the default is for 95 %.
    """
    if count <= 0:
        return 0.0, 1.0
    square = deviations**2 / count
    middle = (share + square / 2) / (1 + square)
    half = deviations / (1 + square) * sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)
