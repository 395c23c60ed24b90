"""Growing: a shadow node with candidates comes, and what is kept of it stays behind a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.description.expand import expand
from nascore.description.graphs import with_graph
from nascore.description.growing_place import find_place
from nascore.description.names import CONCAT, GROWN
from nascore.description.op import Op
from nascore.description.operation import unknown
from nascore.description.picks import choose
from nascore.description.problems import Found
from nascore.description.values import Edge, Group, Node
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.description.growing_place import Place
    from nascore.description.operation import Catalogue
    from nascore.description.picks import Matrix
    from nascore.description.values import Description, Graph

PROJECT = Op("project")


def grow(  # noqa: PLR0913 - what is grown where, and two options by name
    description: Description,
    graph: str,
    target: str,
    ops: Sequence[Op],
    catalogue: Catalogue,
    *,
    keep: int = 3,
    sources: Iterable[str] | None = None,
) -> Description:
    """Add a shadow node before a sum, and a bare edge from it: candidates to be tried without a trace.

    The node ``TARGET+NUMBER`` offers, source by source, the operations that can stand there at every use of
    the graph. Its group ``grow/GRAPH/TARGET/NUMBER`` competes over the whole node.

    Args:
        description: The parent, open or closed.
        graph: ``network`` or the name of a cell.
        target: A sum in it that does not repeat.
        ops: Candidates, in the order of the columns.
        catalogue: What each operation can do.
        keep: How many (edge, operation) pairs :func:`settle` keeps at most.
        sources: States that candidates read; None for those of :func:`candidate_sources`.

    Raises:
        DescriptionError: If the target cannot grow, a source does not lie before it, or nothing fits.
    """
    place = find_place(description, graph, target, expand(description))
    names = place.earlier() if sources is None else list(sources)
    found = _misfits(place, ops, names, catalogue)
    found.stop()
    offers = {name: place.fitting(name, ops, catalogue) for name in dict.fromkeys(names)}
    number = 1 + max((place.number(node.name) for node in place.graph.nodes), default=0)
    group = f"{GROWN}{graph}/{target}/{number}"
    edges = tuple(Edge(source=name, ops=fit, group=group) for name, fit in offers.items() if fit)
    if not edges:
        found.add(place.path, "none of the operations fits between its sources and it.")
        found.stop()
    shadow = Node(
        name=f"{target}+{number}", edges=edges, width=place.width, reduction=place.relative, shadow=True
    )
    columns = tuple(op for op in ops if any(op in fit for fit in offers.values()))
    grown = Group(ops=columns, segment="node", keep=keep)
    with_group = evolve(description, groups={**description.groups, group: grown})
    return with_graph(with_group, graph, place.with_shadow(shadow))


def _misfits(place: Place, ops: Sequence[Op], sources: Sequence[str], catalogue: Catalogue) -> Found:
    found = Found()
    for op in ops:
        for text, hint in unknown(op, catalogue):
            found.add(place.path, text, hint=hint)
    for name in sources:
        if not place.reads(name):
            text = f"there is no earlier state {name!r}."
            found.add(place.path, text, hint=did_you_mean(name, place.before))
    return found


def settle(description: Description, strength: Mapping[str, Matrix], project: Op = PROJECT) -> Description:
    """Close growth's groups in ``strength``: what is kept becomes a concat behind a gated projection.

    The candidates that stay keep their paths, so that the child inherits what they learned. Their projection
    is a node of its own, ``TARGET+NUMBER+1``, so that candidates of a later growth can read it. Where nothing
    is kept, the node and its edge go.

    Args:
        description: What :func:`grow` returned.
        strength: As for :func:`choose`; groups that are not growth's are left open.
        project: The operation between the concat and the target.

    Raises:
        DescriptionError: As :func:`choose`.
    """
    grown = {name: matrix for name, matrix in strength.items() if name.startswith(GROWN)}
    layouts = expand(description).layouts
    picks = choose(description, grown)
    for name, pairs in picks.items():
        layout = layouts[name]
        graph, node, _ = layout.rows[0]
        kept: dict[str, list[Op]] = {}
        for row, column in pairs:
            kept.setdefault(layout.rows[row][2], []).append(layout.ops[column])
        settled = _settled(description.graphs()[graph], node, kept, project)
        description = with_graph(description, graph, settled)
    groups = {name: group for name, group in description.groups.items() if name not in picks}
    return evolve(description, groups=groups)


def _settled(graph: Graph, name: str, kept: Mapping[str, Sequence[Op]], project: Op) -> Graph:
    """Return the graph with a shadow turned into a concat of what is kept, or gone."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name == name:
            edges = tuple(Edge(source=source, ops=tuple(ops)) for source, ops in kept.items())
            if edges:
                nodes.append(evolve(node, edges=edges, join=CONCAT, shadow=False))
                reads = Edge(source=name, ops=(project,))
                nodes.append(evolve(node, name=projected(name), edges=(reads,), shadow=False))
            continue
        gated = (_gated(edge, name, kept) for edge in node.edges)
        nodes.append(evolve(node, edges=tuple(edge for edge in gated if edge is not None)))
    return evolve(graph, nodes=tuple(nodes))


def _gated(edge: Edge, name: str, kept: Mapping[str, Sequence[Op]]) -> Edge | None:
    if edge.source != name or edge.ops:
        return edge
    return Edge(source=projected(name), gate=True) if kept else None


def projected(name: str) -> str:
    """Return the name of the node that projects what was kept of a growth, given that of its shadow."""
    return f"{name}+1"
