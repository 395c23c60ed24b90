"""The places where an architecture grows: the last sum of each cell, or every layer.

Petridish begins with cells of one sum that reads its last input through a separable convolution and the
identity (arXiv 1905.13360; `basic` in the authors' code). Here this is an edit of any space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.api import DescriptionError, Op, candidate_sources, derive, expand, grow, untie

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from nascore.api import Catalogue, ChoiceGroup, Description, Edge, Graph, Node, Pick, Picks


NETWORK = "network"


def candidates(texts: Iterable[str], catalogue: Catalogue) -> tuple[Op, ...]:
    """Return candidate operations; each ends in a batch norm without weights if it has such a setting.

    The loss is linear in the output of a candidate, which only a norm keeps bounded.

    Args:
        texts: Operations as in a description: `sep_conv_3x3`, or with settings `mbconv(expand=3)`.
        catalogue: The operations.
    """
    return tuple(_normed(Op.parse(text), catalogue) for text in texts)


def _normed(op: Op, catalogue: Catalogue) -> Op:
    given = {key for key, _ in op.settings}
    switches = (("affine", False), ("pool_norm", True))
    more = ((key, on) for key, on in switches if key in catalogue[op.name].settings and key not in given)
    return Op(op.name, (*op.settings, *more))


def opened(
    parent: Description, ops: Sequence[Op], catalogue: Catalogue, *, keep: int, macro: bool
) -> Description:
    """Return a parent with shadow candidates at each place where it grows.

    Args:
        parent: A closed description.
        ops: The candidates.
        catalogue: The operations.
        keep: Number of candidates that each place keeps.
        macro: Whether each use of a cell, and each layer of a network without cells, grows separately.

    Raises:
        DescriptionError: No place can grow; the text has the reason of the last place.
    """
    grown = untie(parent) if macro else parent
    refused: DescriptionError | None = None
    count = 0
    for graph, target in list(_places(grown, macro=macro)):
        try:
            sources = _sources(grown.graphs()[graph], target, catalogue)
            grown = grow(grown, graph, target, ops, catalogue, keep=keep, sources=sources)
            count += 1
        except DescriptionError as error:
            refused = error
    if not count:
        raise refused or DescriptionError("this architecture cannot grow: no node of it is a sum of states.")
    return grown


def _places(description: Description, *, macro: bool) -> Iterator[tuple[str, str]]:
    """Yield graph and node of each place that may grow."""
    for name, graph in description.cells.items():
        targets = _sums(graph)
        if targets:
            yield name, targets[-1]
    if not description.cells:
        # The nodes that read the images or give the logits are not layers.
        heads = (description.network.output, description.auxiliary)
        layers = [name for name in _sums(description.network) if name not in heads]
        yield from ((NETWORK, layer) for layer in (layers if macro else layers[-1:]))


def _sums(graph: Graph) -> list[str]:
    return [
        node.name
        for node in graph.nodes
        if node.join == "sum"
        and node.repeat is None
        and not node.shadow
        and "+" not in node.name  # the projection of an earlier growth
        and not any(edge.source == "images" for edge in node.edges)
    ]


def _sources(graph: Graph, target: str, catalogue: Catalogue) -> list[str]:
    """Return the sources of candidates at a place: all earlier layers, those of earlier growths included.

    If only fixed operations read an input, as the stem reads images, candidates read the results of these.
    """
    framed = {name for name in graph.inputs if _framed(graph, name, catalogue)}
    return [name for name in candidate_sources(graph, target) if name not in framed]


def _framed(graph: Graph, name: str, catalogue: Catalogue) -> bool:
    readers = [edge.ops for node in graph.nodes for edge in node.edges if edge.source == name]
    return bool(readers) and all(
        bool(ops) and all(catalogue[op.name].structural for op in ops) for ops in readers
    )


def softened(description: Description) -> Description:
    """Return an opened description whose candidates join through a gate instead of as shadows."""
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


FIRST: Final = ("sep_conv_3x3", "skip_connect")
"""The operations on the edge that is kept, as far as the space offers them."""


def seed(description: Description) -> Description:
    """Return the smallest architecture of a space: one node in each cell, and one edge for each choice."""
    cells = {name: _least(graph) for name, graph in description.cells.items()}
    least = evolve(description, cells=cells, network=_least(description.network))
    return derive(least, _picks(least))


def _least(graph: Graph) -> Graph:
    """Return a graph with only its first open node, if the others only feed a concatenation."""
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
    """Return the last edge of each node with choices, with the initial operations of Petridish.

    A node that concatenates keeps every edge, because it would have fewer channels without one.
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
