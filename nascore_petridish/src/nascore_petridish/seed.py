"""Where growing starts: the least architecture of a space, in the space's own frame.

Petridish begins with cells of one sum that reads its last input through a separable convolution and through
the identity (arXiv 1905.13360; `basic` in the authors' code). Here that is an edit of any space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.api import derive, expand

if TYPE_CHECKING:
    from collections.abc import Collection

    from nascore.api import ChoiceGroup, Description, Graph, Node, Op, Pick, Picks

FIRST: Final = ("sep_conv_3x3", "skip_connect")
"""What stands on the edge that is kept, as far as the space offers it."""


def seed(description: Description) -> Description:
    """Return the least architecture of a space: one node in each cell, and one edge for each choice."""
    cells = {name: _least(graph) for name, graph in description.cells.items()}
    least = evolve(description, cells=cells, network=_least(description.network))
    return derive(least, _picks(least))


def _least(graph: Graph) -> Graph:
    """Return a graph with the first of its open nodes alone, where the others only feed a concatenation."""
    out = graph.node(graph.output)
    opened = [node.name for node in graph.nodes if _is_open(node)]
    if out is None or out.join != "concat" or len(opened) < 2:  # noqa: PLR2004 - nothing to leave out
        return graph
    gone = set(opened[1:])
    kept = [node for node in graph.nodes if node.name not in gone]
    if any(_reads(node, gone) for node in kept if node is not out):
        return graph
    edges = tuple(edge for edge in out.edges if edge.source not in gone)
    nodes = tuple(evolve(node, edges=edges) if node is out else node for node in kept)
    return evolve(graph, nodes=nodes)


def _is_open(node: Node) -> bool:
    return any(edge.group is not None for edge in node.edges)


def _reads(node: Node, names: Collection[str]) -> bool:
    return any(edge.source in names or isinstance(edge.source, int) for edge in node.edges)


def _picks(description: Description) -> Picks:
    """Return for each node that chooses its last edge, with what Petridish begins with there.

    Of a node that concatenates each edge stays: without one of them it would have other channels.
    """
    picks: dict[str, list[Pick]] = {}
    for name, layout in expand(description).layouts.items():
        last = {row[:2]: index for index, row in enumerate(layout.rows)}
        never = description.groups[name].never
        picks[name] = [
            (index, column)
            for index, row in enumerate(layout.rows)
            if last[row[:2]] == index or _concatenates(description, row[0], row[1])
            for column in _columns(layout, index, never)
        ]
    return picks


def _concatenates(description: Description, graph: str, name: str) -> bool:
    node = description.graphs()[graph].node(name)
    return node is not None and node.join == "concat"


def _columns(layout: ChoiceGroup, row: int, never: Collection[Op]) -> list[int]:
    offered = [column for column, there in enumerate(layout.mask[row]) if there]
    useful = [column for column in offered if layout.ops[column] not in never]
    named = ([column for column in useful if layout.ops[column].name == name] for name in FIRST)
    first = [columns[0] for columns in named if columns]
    rest = [column for column in useful if layout.ops[column].name != "none"]
    return first or rest[:1] or offered[:1]
