"""A scatter plot in plain characters, with axes.

It is not based on plotext, the only maintained library for plots in a terminal: version 6 was rewritten, has
no type annotations, takes half a second to import, and is thirty times as large as this module.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


TENFOLD = 10
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""

TINY = 1e-200
"""Smaller values and differences count as 0, since their ratios exceed the range of floats."""

ROUND = (1, 2, 5)
_PREFIXES = ("", "k", "M", "G", "T")
_STEP = 1000


@frozen(kw_only=True)
class Axis:
    """An axis from the smallest to the largest value.

    Attributes:
        low: The smallest value, or its logarithm on a logarithmic axis.
        high: The largest value, or its logarithm; above `low`.
        log: Whether the axis is logarithmic.
    """

    low: float
    high: float
    log: bool = False

    @classmethod
    def of(cls, values: Iterable[float]) -> Axis:
        """Return the axis of some values; logarithmic if all are above 0 and their ratio is 10 or more."""
        known = sorted(values)
        low, high = known[0], known[-1]
        if high - low < TINY:
            room = abs(low) / TENFOLD if abs(low) > TINY else 1.0
            return cls(low=low - room, high=high + room)
        if low > TINY and high / low >= TENFOLD:
            return cls(low=log10(low), high=log10(high), log=True)
        return cls(low=low, high=high)

    def cell(self, value: float, cells: int) -> int:
        """Return the index of the cell of a value, from 0 to `cells - 1`."""
        place = (log10(value) if self.log else value) - self.low
        return min(cells - 1, max(0, round(place / (self.high - self.low) * (cells - 1))))

    def ticks(self, most: int) -> list[float]:
        """Return round values on the axis in ascending order, about `most` of them."""
        if self.log:
            decades = range(floor(self.low), ceil(self.high) + 1)
            every = [digit * 10.0**power for power in decades for digit in ROUND]
            within = [value for value in every if self.low <= log10(value) <= self.high]
            return within if len(within) <= most else [one for one in within if log10(one).is_integer()]
        step = _step((self.high - self.low) / most)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def _step(least: float) -> float:
    """Return the smallest round number that is at least this large."""
    power = 10.0 ** floor(log10(least))
    return next(digit * power for digit in (*ROUND, TENFOLD) if digit * power >= least * (1 - 1e-9))


def short(value: float) -> str:
    """Return a number with three digits and a prefix: 3.35M.

    Args:
        value: 0 or more.
    """
    for prefix in _PREFIXES:
        digits = f"{value:.3g}"
        if float(digits) < _STEP or prefix == _PREFIXES[-1]:
            return f"{float(digits):g}{prefix}"
        value /= _STEP
    raise AssertionError("the last prefix takes every value")


ROWS = 12
BETWEEN = 10
"""Number of columns per label below the plot."""

LEAST = 20
"""Smallest width of the plotted area, in columns."""


@frozen(kw_only=True)
class Point:
    """A point of a plot.

    Attributes:
        x: The horizontal value.
        y: The vertical value.
        mark: The character at this point.
    """

    x: float
    y: float
    mark: str


def scatter(
    points: Sequence[Point], *, width: int, rows: int = ROWS, label: Callable[[float], str] = short
) -> str:
    """Return a plot with labels at the left of its rows and below them.

    Args:
        points: At least one point; later points cover earlier ones.
        width: Width of the plot with its labels, in columns.
        rows: Number of rows.
        label: Formats a value of `y`; an empty text omits the label.
    """
    across, up = Axis.of(point.x for point in points), Axis.of(point.y for point in points)
    named = {up.cell(value, rows): label(value) for value in up.ticks(rows // 2)}
    beside = {row: text for row, text in named.items() if text}
    margin = max(map(len, beside.values()), default=0)
    columns = max(LEAST, width - margin - 2)
    cells = [[" "] * columns for _ in range(rows)]
    for point in points:
        cells[up.cell(point.y, rows)][across.cell(point.x, columns)] = point.mark
    lines = [
        f"{beside.get(row, ''):>{margin}} {'+' if row in beside else '|'}{''.join(cells[row])}".rstrip()
        for row in reversed(range(rows))
    ]
    below = {across.cell(value, columns): short(value) for value in across.ticks(columns // BETWEEN)}
    rule = "".join("+" if column in below else "-" for column in range(columns))
    lines.append(f"{'':>{margin}} +{rule}")
    lines.append(f"{'':>{margin}}  {_labels(below, columns)}".rstrip())
    return "\n".join(lines)


def _labels(below: dict[int, str], columns: int) -> str:
    """Return a line of labels, each below its column; a label that would touch another is left out."""
    line, taken = [" "] * columns, -1
    for column, text in sorted(below.items()):
        start = min(max(0, column - len(text) // 2), columns - len(text))
        if start > taken:
            line[start : start + len(text)] = text
            taken = start + len(text)
    return "".join(line)
