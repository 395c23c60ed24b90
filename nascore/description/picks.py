"""What deriving keeps: each group's own rule, applied to how strong its candidates are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from nascore.description.expand import expand
from nascore.description.problems import Found
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.description.plan import ChoiceGroup
    from nascore.description.values import Description, Group


class Line(Protocol):
    """One row of a matrix: nested lists, arrays and tensors all have this."""

    def __len__(self) -> int: ...
    def __getitem__(self, column: int, /) -> object: ...


class Matrix(Protocol):
    """Anything that gives a row for ``matrix[row]``."""

    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> Line: ...


Pick = tuple[int, int]
"""Row and column of a group."""

Picks = dict[str, list[Pick]]


def choose(description: Description, strength: Mapping[str, Matrix], *, last: bool = False) -> Picks:
    """Return what each group's own rule keeps.

    For segments of an edge: per node the best ``edges`` edges by the best operation that may be kept, per
    edge the best ``keep`` operations. For segments of a node: its best ``keep`` entries, none of strength
    zero. Equal strengths go to the lower row, then the lower column.

    Args:
        description: An open description.
        strength: Per group a matrix [E, O], at least zero, larger is better; read within the mask only.
        last: Let equal strengths go to the higher row and column: where that keeps something else, a choice
            was decided by the order of equals.

    Returns:
        Per group of ``strength`` its (row, column) pairs: node by node, strongest first.

    Raises:
        DescriptionError: If a group is unknown, a matrix has another shape, or a strength is not finite.
    """
    layouts = expand(description).layouts
    found = Found()
    picks: Picks = {}
    for name, matrix in strength.items():
        if name not in layouts:
            found.add(name, f"there is no group {name!r}.", hint=did_you_mean(name, layouts))
            continue
        scores = _scores(name, layouts[name], matrix, found)
        group = description.groups[name]
        by_rule = _of_edges if group.segment == "edge" else _of_node
        nodes = _nodes(layouts[name], scores, group)
        picks[name] = [
            pick
            for offered in nodes
            for pick in by_rule(group, dict(reversed(offered.items())) if last else offered)
        ]
    found.stop()
    return picks


Scores = dict[Pick, float]


def _scores(name: str, layout: ChoiceGroup, matrix: Matrix, found: Found) -> Scores:
    shape = (len(layout.rows), len(layout.ops))
    lengths = {len(matrix[row]) for row in range(len(matrix))}
    if len(matrix) != shape[0] or lengths != {shape[1]}:
        columns = " or ".join(str(each) for each in sorted(lengths))
        found.add(name, f"the strength is {len(matrix)} x {columns}, not {shape[0]} x {shape[1]}.")
        return {}
    scores: Scores = {}
    for row, line in enumerate(layout.mask):
        for column, offered in enumerate(line):
            if offered:
                scores[row, column] = float(matrix[row][column])  # type: ignore[arg-type]
    rows, columns_of = layout.row_names(), layout.column_names()
    for (row, column), score in scores.items():
        if not math.isfinite(score):
            found.add(name, f"the strength of {columns_of[column]} on {rows[row]} is {score}.")
    return scores


def _nodes(layout: ChoiceGroup, scores: Scores, group: Group) -> Iterator[Scores]:
    """Yield the scores of what may be kept, node by node."""
    for node in dict.fromkeys(row[:2] for row in layout.rows):
        yield {
            (row, column): score
            for (row, column), score in scores.items()
            if layout.rows[row][:2] == node and layout.ops[column] not in group.never
        }


def _of_edges(group: Group, scores: Scores) -> list[Pick]:
    ranked = _ranked(scores)
    rows = list(dict.fromkeys(row for row, _ in ranked))[: group.edges]
    return [pick for row in rows for pick in [each for each in ranked if each[0] == row][: group.keep]]


def _of_node(group: Group, scores: Scores) -> list[Pick]:
    return [pick for pick in _ranked(scores) if scores[pick] > 0][: group.keep]


def _ranked(scores: Scores) -> list[Pick]:
    return sorted(scores, key=lambda pick: -scores[pick])  # stable: of equals the lower row, then column
