"""Closing choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.description.expand import expand
from nascore.description.graphs import map_ops, with_graph
from nascore.description.names import CONCAT
from nascore.description.op import Op
from nascore.description.problems import Found
from nascore.description.values import Edge
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.description.picks import Pick
    from nascore.description.plan import ChoiceGroup, Plan, Row
    from nascore.description.values import Description, Node

NOTHING = Op("none")
"""What stays on a node of which nothing is kept: its state of zeros then has a shape."""

Kept = dict["Row", list[Op]]
"""The operations kept on each edge, strongest first; the edges of a node in the order of its picks."""


def derive(description: Description, picks: Mapping[str, Sequence[Pick]]) -> Description:
    """Close the named groups and keep the picks, in their order; works for any number per node or edge.

    The edges of a sum stand in the order of the picks; those of a concat stay in theirs, since it orders the
    channels. A node of which nothing is kept gets ``none``. Where a node says no reduction and would become
    finer, because its coarsest source is dropped, its reduction is written out.

    Args:
        description: An open description.
        picks: Per group the (row, column) pairs that stay.

    Raises:
        DescriptionError: On an unknown group, or a pick that is given twice or lies outside the mask.
    """
    plan = expand(description)
    found = Found()
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
    """Return the form that is trained from scratch: affine on, no batch norm after pools.

    Settings of single operations that say otherwise, such as those of growth's candidates, are taken off.

    Raises:
        DescriptionError: If two operations of an edge become one.
    """
    plain = map_ops(description, lambda op: op.without("affine", "pool_norm"))
    return evolve(plain, affine=True, pool_norm=False)


def _chosen(name: str, layout: ChoiceGroup, pairs: Sequence[Pick], found: Found) -> list[tuple[Row, Op]]:
    chosen: list[tuple[Row, Op]] = []
    for row, column in pairs:
        inside = 0 <= row < len(layout.rows) and 0 <= column < len(layout.ops) and layout.mask[row][column]
        if not inside:
            found.add(name, f"the pick ({row}, {column}) is not offered.")
        elif (layout.rows[row], layout.ops[column]) in chosen:
            found.add(name, f"the pick ({row}, {column}) is given twice.")
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
    """Return the node's reduction, written out where the edges that stay would change it."""
    if node.reduction is not None:
        return node.reduction
    sources = {str(edge.source) for edge in edges}
    for state in plan.states:
        if state.template != (graph, node.name):
            continue
        read = [plan.states[w.source].reduction for w in state.wires if w.path.rsplit("/", 1)[1] in sources]
        if max(read, default=state.reduction) != state.reduction:
            return state.relative
    return None
