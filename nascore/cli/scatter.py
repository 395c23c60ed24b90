"""A scatter plot in plain characters.

Of our own: the one library that plots in a terminal and is kept up, plotext, was written anew in version 6,
has no types, takes half a second to import, and is thirty times as large as all that is needed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.cli.axis import Axis, short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = 12
BETWEEN = 10
"""Columns for each label below the plot."""

LEAST = 20
"""Columns that points need at least."""


@frozen(kw_only=True)
class Point:
    """A point of a plot.

    Attributes:
        x: Where it stands across.
        y: Where it stands up.
        mark: The character that shows it.
    """

    x: float
    y: float
    mark: str


def scatter(
    points: Sequence[Point], *, width: int, rows: int = ROWS, label: Callable[[float], str] = short
) -> str:
    """Return a plot: rows of the points with labels at the left, and a line with labels beneath.

    Args:
        points: One at least. Those that come later are drawn over those before.
        width: Columns of the whole.
        rows: Lines of the points.
        label: What is written beside a value of `y`; empty for a value that there cannot be.
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
    """Return a line of labels, each under its column; one that would touch another is left out."""
    line, taken = [" "] * columns, -1
    for column, text in sorted(below.items()):
        start = min(max(0, column - len(text) // 2), columns - len(text))
        if start > taken:
            line[start : start + len(text)] = text
            taken = start + len(text)
    return "".join(line)
