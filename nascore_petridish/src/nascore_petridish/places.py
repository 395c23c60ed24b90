"""Where an architecture grows: the last sum of each cell, or every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.api import DescriptionError, Op, grow, untie

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.api import Catalogue, Description, Edge, Graph, Node

NETWORK = "network"


def candidates(names: Sequence[str], catalogue: Catalogue) -> tuple[Op, ...]:
    """Return candidate operations: each ends in a batch norm without weights, where it has one to end in.

    A candidate is trained on a loss that is linear in it, which only a norm keeps bounded.
    """
    switches = (("affine", False), ("pool_norm", True))
    return tuple(
        Op(name, tuple(switch for switch in switches if switch[0] in catalogue[name].settings))
        for name in names
    )


def opened(
    parent: Description, ops: Sequence[Op], catalogue: Catalogue, *, keep: int, macro: bool
) -> Description:
    """Return a parent with shadow candidates at each place where it grows.

    Args:
        parent: A closed description.
        ops: The candidates.
        catalogue: What each operation can do.
        keep: How many of a place are to survive.
        macro: Whether each use of a cell, and each layer of a network without cells, grows by itself.

    Raises:
        DescriptionError: Nothing of it can grow; says why of its last place.
    """
    grown = untie(parent) if macro else parent
    refused: DescriptionError | None = None
    count = 0
    for graph, target in list(_places(grown, macro=macro)):
        try:
            grown = grow(grown, graph, target, ops, catalogue, keep=keep)
            count += 1
        except DescriptionError as error:
            refused = error
    if not count:
        raise refused or DescriptionError("nothing of this architecture can grow: it has no sum of states.")
    return grown


def _places(description: Description, *, macro: bool) -> Iterator[tuple[str, str]]:
    """Yield graph and node of each place that may grow."""
    for name, graph in description.cells.items():
        targets = _sums(graph)
        if targets:
            yield name, targets[-1]
    if not description.cells:
        # What reads the images and what gives the output are the frame, not layers.
        layers = [name for name in _sums(description.network) if name != description.network.output]
        yield from ((NETWORK, layer) for layer in (layers if macro else layers[-1:]))


def _sums(graph: Graph) -> list[str]:
    return [
        node.name
        for node in graph.nodes
        if node.join == "sum"
        and node.repeat is None
        and not node.shadow
        and not any(edge.source == "images" for edge in node.edges)
    ]


def softened(description: Description) -> Description:
    """Return an opened description whose candidates join through a gate, instead of as shadows."""
    cells = {name: _gated(graph) for name, graph in description.cells.items()}
    return evolve(description, cells=cells, network=_gated(description.network))


def _gated(graph: Graph) -> Graph:
    shadows = {node.name for node in graph.nodes if node.shadow}

    def joined(edge: Edge) -> Edge:
        return evolve(edge, gate=True) if edge.source in shadows and not edge.ops else edge

    nodes: list[Node] = [
        evolve(node, shadow=False, edges=tuple(map(joined, node.edges))) for node in graph.nodes
    ]
    return evolve(graph, nodes=tuple(nodes))
