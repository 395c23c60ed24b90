"""An axis of a plot in the terminal: where a value stands, and which round values are written beside it."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

TENFOLD = 10
"""From this ratio of the largest to the smallest value on, the axis is logarithmic."""

TINY = 1e-200
"""Below this two values are one, and one is none: their ratios leave the range of floating point numbers."""

ROUND = (1, 2, 5)
_PREFIXES = ("", "k", "M", "G", "T")
_STEP = 1000


@frozen(kw_only=True)
class Axis:
    """An axis from the smallest to the largest value.

    Attributes:
        low: The smallest value; its logarithm where the axis is logarithmic.
        high: The largest value, or its logarithm; above `low`.
        log: Whether equal ratios are equally far from each other.
    """

    low: float
    high: float
    log: bool = False

    @classmethod
    def of(cls, values: Iterable[float]) -> Axis:
        """Return the axis of some values; logarithmic where all are above 0 and the largest is tenfold."""
        known = sorted(values)
        low, high = known[0], known[-1]
        if high - low < TINY:
            room = abs(low) / TENFOLD if abs(low) > TINY else 1.0
            return cls(low=low - room, high=high + room)
        if low > TINY and high / low >= TENFOLD:
            return cls(low=log10(low), high=log10(high), log=True)
        return cls(low=low, high=high)

    def cell(self, value: float, cells: int) -> int:
        """Return in which of some cells a value of the axis stands, from 0."""
        place = (log10(value) if self.log else value) - self.low
        return min(cells - 1, max(0, round(place / (self.high - self.low) * (cells - 1))))

    def ticks(self, most: int) -> list[float]:
        """Return round values on the axis, from the lowest; few, where there are such, more than `most`."""
        if self.log:
            decades = range(floor(self.low), ceil(self.high) + 1)
            every = [digit * 10.0**power for power in decades for digit in ROUND]
            within = [value for value in every if self.low <= log10(value) <= self.high]
            return within if len(within) <= most else [one for one in within if log10(one).is_integer()]
        step = _step((self.high - self.low) / most)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def _step(least: float) -> float:
    """Return the smallest round number that is no smaller."""
    power = 10.0 ** floor(log10(least))
    return next(digit * power for digit in (*ROUND, TENFOLD) if digit * power >= least * (1 - 1e-9))


def short(value: float) -> str:
    """Return a number in three digits: 3.35M.

    Args:
        value: 0 or more.
    """
    for prefix in _PREFIXES:
        digits = f"{value:.3g}"
        if float(digits) < _STEP or prefix == _PREFIXES[-1]:
            return f"{float(digits):g}{prefix}"
        value /= _STEP
    raise AssertionError("the last prefix takes whatever is left")
