"""Grows a description: adds a shadow node with candidates, and keeps some of them behind a gate."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from attrs import evolve, frozen

from nascore.description.derive import choose
from nascore.description.edits import with_graph
from nascore.description.expand import expand
from nascore.description.names import CONCAT, GROWN, NETWORK, SUM, graph_path, is_grown
from nascore.description.operation import unknown
from nascore.description.problems import ProblemCollector
from nascore.description.values import Edge, Group, Node, Op
from nascore.errors import DescriptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.description.derive import Matrix
    from nascore.description.graph import Description, Graph
    from nascore.description.operation import Catalogue
    from nascore.description.plan import FeatureMap, Plan, Use


@frozen(kw_only=True, slots=False, hash=False)
class Place:
    """A sum that can grow.

    Attributes:
        path: Its path in the text.
        graph: The graph that it stands in.
        target: The sum itself.
        width: The width of its candidates, such that each has the sum's channels at every use.
        relative: Its reduction relative to the graph's coarsest input, the same at every use.
        plan: The plan of the parent.
        uses: Each use of the graph.
    """

    path: str
    graph: Graph
    target: Node
    width: int | Literal["classes"]
    relative: int
    plan: Plan
    uses: tuple[Use, ...]

    @cached_property
    def before(self) -> tuple[str, ...]:
        """The states before the target, in order: inputs, then nodes."""
        placed = [each.name for each in self.graph.scope.placed]
        return (*self.graph.inputs, *placed[: placed.index(self.target.name)])

    def earlier(self) -> list[str]:
        """Return the states before the target that candidates may read, as :func:`candidate_sources`."""
        return candidate_sources(self.graph, self.target.name)

    def reads(self, name: str) -> bool:
        """Return whether a node before the target has this name, or it is that of a stage before it."""
        return self.graph.scope.names.get(name) in self.before

    def number(self, name: str) -> int:
        """Return which growth of the target the node of this name is; 0 for other nodes."""
        found = re.fullmatch(rf"{re.escape(self.target.name)}\+(\d+)", name)
        return 0 if found is None else int(found[1])

    def fitting(self, source: str, ops: Sequence[Op], catalogue: Catalogue) -> tuple[Op, ...]:
        """Return the operations that can stand between a source and the target at every use."""
        pairs = [(self._state(use, source), self._state(use, self.target.name)) for use in self.uses]
        if any(end.reduction % start.reduction for start, end in pairs):
            return ()
        asked = {(start.channels, end.channels, end.reduction // start.reduction) for start, end in pairs}
        return tuple(op for op in ops if not any(any(catalogue[op.name].misfits(*each)) for each in asked))

    def with_shadow(self, shadow: Node) -> Graph:
        """Return the graph with a shadow before the target, which reads it bare."""
        edges = (*self.target.edges, Edge(source=shadow.name))
        grown = evolve(self.target, edges=edges, width=self.width)
        index = self.graph.nodes.index(self.target)
        return evolve(
            self.graph, nodes=(*self.graph.nodes[:index], shadow, grown, *self.graph.nodes[index + 1 :])
        )

    def _state(self, use: Use, name: str) -> FeatureMap:
        return self.plan.feature_maps[use.names[name]]


def candidate_sources(graph: Graph, target: str) -> list[str]:
    """Return the names of the states before a node of a graph that candidates may read: inputs, then nodes.

    The parts that an earlier growth kept are read through their projection, which has the width of the node
    that grew, not as the concatenation of them. Shadows, which are read as zero, are left out.
    """
    placed = [each.name for each in graph.scope.placed]
    hidden = {
        node.name for node in graph.nodes if node.shadow or (is_grown(node.name) and node.join == CONCAT)
    }
    return [name for name in (*graph.inputs, *placed[: placed.index(target)]) if name not in hidden]


def find_place(description: Description, graph_name: str, target_name: str, plan: Plan) -> Place:
    """Return where a target stands.

    Raises:
        DescriptionError: If there is no such node, or it cannot grow.
    """
    graphs = description.graphs()
    if graph_name not in graphs:
        hint = did_you_mean(graph_name, graphs)
        raise DescriptionError(f"there is no cell {graph_name!r} to grow. {hint}".rstrip())
    graph = graphs[graph_name]
    path = f"{graph_path(graph_name)}.nodes.{target_name}"
    target = graph.node(target_name)
    uses = tuple(use for use in plan.uses if use.graph == graph_name)
    found = ProblemCollector()
    _check_target(target, graph, target_name, path, found)
    _refuse_logits(description, graph_name, target, path, found)
    if not uses:
        found.add(path, "no use in the network reaches this cell.")
    found.stop()
    assert target is not None  # a missing one was noted
    states = [plan.feature_maps[use.names[target_name]] for use in uses]
    width = _width(target, uses, states)
    relative = {state.relative for state in states}
    if width is None:
        found.add(path, "its channels are not the same multiple of its graph's at every use.")
    if len(relative) > 1 or None in relative:
        found.add(path, "its reduction differs from use to use.", hint="Write it out.")
    found.stop()
    return Place(
        path=path,
        graph=graph,
        target=target,
        width=width or 1,
        relative=states[0].relative or 1,
        plan=plan,
        uses=uses,
    )


def _check_target(target: Node | None, graph: Graph, name: str, path: str, found: ProblemCollector) -> None:
    if target is None:
        hint = did_you_mean(name, [node.name for node in graph.nodes])
        found.add(path, "there is no such node to grow.", hint=hint)
    elif target.join != SUM:
        found.add(path, "only a sum can grow.")
    elif target.repeat is not None:
        found.add(path, "a node that repeats cannot grow.")


def _refuse_logits(
    description: Description, graph: str, target: Node | None, path: str, found: ProblemCollector
) -> None:
    """Refuse a target that gives logits: candidates give feature maps, which cannot be added to them."""
    heads = {description.network.output, description.auxiliary} if graph == NETWORK else set()
    if target is not None and (target.width == "classes" or target.name in heads):
        hint = "Grow a node before it."
        found.add(path, "it gives logits, and only a sum of feature maps can grow.", hint=hint)


def _width(
    target: Node, uses: Sequence[Use], states: Sequence[FeatureMap]
) -> int | Literal["classes"] | None:
    """Return the width that gives the target's channels at every use; None if no single one does."""
    if any(edge.ops for edge in target.edges):
        return target.width
    pairs = {divmod(state.channels, use.channels) for state, use in zip(states, uses, strict=True)}
    whole, rest = next(iter(pairs))
    return None if len(pairs) > 1 or rest else whole


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


def _misfits(
    place: Place, ops: Sequence[Op], sources: Sequence[str], catalogue: Catalogue
) -> ProblemCollector:
    found = ProblemCollector()
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
