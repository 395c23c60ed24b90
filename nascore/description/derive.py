"""Derives a closed description from an open one and the chosen operations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from attrs import evolve

from nascore.description.edits import map_ops, with_graph
from nascore.description.expand import expand
from nascore.description.names import CONCAT
from nascore.description.problems import ProblemCollector
from nascore.description.values import Edge, Op
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.description.graph import Description
    from nascore.description.plan import ChoiceGroup, Plan, Row
    from nascore.description.values import Group, Node


NOTHING = Op("none")
"""The operation of a node without a selected operation: zeros, with the shape of its source."""

Kept = dict["Row", list[Op]]
"""The operations kept on each edge, strongest first; the edges of a node in the order of its picks."""


def derive(description: Description, picks: Mapping[str, Sequence[Pick]]) -> Description:
    """Return the description with the named groups closed to their picks, any number per node or edge.

    The edges of a sum are in the order of the picks; those of a concat keep their order, which orders the
    channels. A node without a pick gets ``none``. If a node without a written reduction would become finer,
    because its coarsest source is dropped, its reduction is written out.

    Args:
        description: An open description.
        picks: The selected (row, column) pairs of each group.

    Raises:
        DescriptionError: A group is unknown, or a pick occurs twice or is outside the mask.
    """
    plan = expand(description)
    found = ProblemCollector()
    kept: Kept = {}
    closed: set[Row] = set()
    for name, pairs in picks.items():
        if name not in plan.layouts:
            found.add(name, f"there is no group {name!r}.", hint=did_you_mean(name, plan.layouts))
            continue
        closed |= set(plan.layouts[name].rows)
        for row, op in _chosen(name, plan.layouts[name], pairs, found):
            kept.setdefault(row, []).append(op)
    found.stop()
    for graph_name, graph in description.graphs().items():
        nodes = tuple(_close(graph_name, node, kept, closed, plan) for node in graph.nodes)
        description = with_graph(description, graph_name, evolve(graph, nodes=nodes))
    groups = {name: group for name, group in description.groups.items() if name not in picks}
    return evolve(description, groups=groups)


def final(description: Description) -> Description:
    """Return the form that is trained from scratch: affine batch norms, no batch norm after pools.

    Other settings `affine` and `pool_norm` of single operations, as growth's candidates have, are removed.

    Raises:
        DescriptionError: Two operations of an edge become equal.
    """
    plain = map_ops(description, lambda op: op.without("affine", "pool_norm"))
    return evolve(plain, affine=True, pool_norm=False)


def _chosen(
    name: str, layout: ChoiceGroup, pairs: Sequence[Pick], found: ProblemCollector
) -> list[tuple[Row, Op]]:
    chosen: list[tuple[Row, Op]] = []
    for row, column in pairs:
        inside = 0 <= row < len(layout.rows) and 0 <= column < len(layout.ops) and layout.mask[row][column]
        if not inside:
            found.add(name, f"the group does not offer the pick ({row}, {column}).")
        elif (layout.rows[row], layout.ops[column]) in chosen:
            found.add(name, f"the pick ({row}, {column}) occurs twice.")
        else:
            chosen.append((layout.rows[row], layout.ops[column]))
    return chosen


def _close(graph: str, node: Node, kept: Kept, closed: set[Row], plan: Plan) -> Node:
    rows = {edge: (graph, node.name, str(edge.source)) for edge in node.edges if edge.group is not None}
    closing = {edge: row for edge, row in rows.items() if row in closed}
    if not closing:
        return node
    order = list(kept) if node.join != CONCAT else list(closing.values())
    stay = sorted((edge for edge in closing if closing[edge] in kept), key=lambda e: order.index(closing[e]))
    picked = iter([Edge(source=edge.source, ops=tuple(kept[closing[edge]])) for edge in stay])
    edges: list[Edge] = []
    for edge in node.edges:
        if edge not in closing:
            edges.append(edge)
        elif closing[edge] in kept:
            edges.append(next(picked))
    if not edges:
        edges.append(Edge(source=next(iter(closing)).source, ops=(NOTHING,)))
    return evolve(node, edges=tuple(edges), reduction=_reduction(graph, node, edges, plan))


def _reduction(graph: str, node: Node, edges: Sequence[Edge], plan: Plan) -> int | None:
    """Return the node's reduction, written out if the remaining edges would change it."""
    if node.reduction is not None:
        return node.reduction
    sources = {str(edge.source) for edge in edges}
    for state in plan.feature_maps:
        if state.template != (graph, node.name):
            continue
        read = [
            plan.feature_maps[w.source].reduction for w in state.wires if w.path.rsplit("/", 1)[1] in sources
        ]
        if max(read, default=state.reduction) != state.reduction:
            return state.relative
    return None


class Line(Protocol):
    """One row of a matrix: a list, an array or a tensor."""

    def __len__(self) -> int: ...
    def __getitem__(self, column: int, /) -> object: ...


class Matrix(Protocol):
    """A matrix with rows ``matrix[row]``: nested lists, an array or a tensor."""

    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> Line: ...


Pick = tuple[int, int]
"""Row and column of a group."""

Picks = dict[str, list[Pick]]


def choose(description: Description, strength: Mapping[str, Matrix], *, last: bool = False) -> Picks:
    """Return the picks of each group by its own rule.

    For segments of an edge: of each node the best ``edges`` edges, ranked by their best operation outside
    ``never``, and of each edge the best ``keep`` operations. For segments of a node: its best ``keep``
    entries, none of strength zero. In a tie the lower row wins, then the lower column.

    Args:
        description: An open description.
        strength: A matrix [E, O] for each group, at least zero, larger is better; read within the mask only.
        last: Whether the higher row and column win a tie; a different result reveals that ties decided.

    Returns:
        The (row, column) pairs of each group of ``strength``: node by node, strongest first.

    Raises:
        DescriptionError: A group is unknown, a matrix has another shape, or a strength is not finite.
    """
    layouts = expand(description).layouts
    found = ProblemCollector()
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


def _scores(name: str, layout: ChoiceGroup, matrix: Matrix, found: ProblemCollector) -> Scores:
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
    """Yield the scores of the entries outside ``never``, node by node."""
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
    return sorted(scores, key=lambda pick: -scores[pick])  # stable: in a tie the lower row, then column
