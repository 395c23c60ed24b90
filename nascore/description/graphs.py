"""Replacing parts of a description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.description.names import NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from nascore.description.op import Op
    from nascore.description.values import Description, Edge, Graph


def with_graph(description: Description, name: str, graph: Graph) -> Description:
    """Return the description with another network, or another cell of this name."""
    if name == NETWORK:
        return evolve(description, network=graph)
    return evolve(description, cells={**description.cells, name: graph})


def map_ops(description: Description, change: Callable[[Op], Op]) -> Description:
    """Return the description with every operation changed, on edges and in groups."""

    def of_edge(edge: Edge) -> Edge:
        return evolve(edge, ops=tuple(change(op) for op in edge.ops))

    def of_graph(graph: Graph) -> Graph:
        nodes = (evolve(node, edges=tuple(of_edge(edge) for edge in node.edges)) for node in graph.nodes)
        return evolve(graph, nodes=tuple(nodes))

    groups = {
        name: evolve(
            group, ops=tuple(change(op) for op in group.ops), never=tuple(change(op) for op in group.never)
        )
        for name, group in description.groups.items()
    }
    cells = {name: of_graph(cell) for name, cell in description.cells.items()}
    return evolve(description, network=of_graph(description.network), cells=cells, groups=groups)
