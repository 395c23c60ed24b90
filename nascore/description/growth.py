"""Grows a description: adds a shadow node with candidates, and keeps the selected ones behind a gate."""

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
        graph: The graph that contains it.
        target: The node that is the sum.
        width: The width with which its candidates have the channels of the sum at every use.
        relative: Its reduction relative to the graph's coarsest input, the same at every use.
        plan: The plan of the parent.
        uses: The uses of the graph.
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
        """Return the states that candidates may read; see :func:`candidate_sources`."""
        return candidate_sources(self.graph, self.target.name)

    def reads(self, name: str) -> bool:
        """Return whether this is the name of a node or of a stage before the target."""
        return self.graph.scope.names.get(name) in self.before

    def number(self, name: str) -> int:
        """Return the number of the growth of the target that added this node; 0 for other nodes."""
        found = re.fullmatch(rf"{re.escape(self.target.name)}\+(\d+)", name)
        return 0 if found is None else int(found[1])

    def fitting(self, source: str, ops: Sequence[Op], catalogue: Catalogue) -> tuple[Op, ...]:
        """Return the operations that fit between a source and the target at every use."""
        pairs = [(self._state(use, source), self._state(use, self.target.name)) for use in self.uses]
        if any(end.reduction % start.reduction for start, end in pairs):
            return ()
        shapes = {(start.channels, end.channels, end.reduction // start.reduction) for start, end in pairs}
        return tuple(op for op in ops if not any(any(catalogue[op.name].misfits(*each)) for each in shapes))

    def with_shadow(self, shadow: Node) -> Graph:
        """Return the graph with a shadow before the target, and a bare edge from it to the target."""
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

    The candidates that an earlier growth kept are read through their projection, which has the width of the
    node that grew, not as their concatenation. Shadows, whose value is zero, are left out.
    """
    placed = [each.name for each in graph.scope.placed]
    hidden = {
        node.name for node in graph.nodes if node.shadow or (is_grown(node.name) and node.join == CONCAT)
    }
    return [name for name in (*graph.inputs, *placed[: placed.index(target)]) if name not in hidden]


def find_place(description: Description, graph_name: str, target_name: str, plan: Plan) -> Place:
    """Return the growth site of a node.

    Raises:
        DescriptionError: The node does not exist, or cannot grow.
    """
    graphs = description.graphs()
    if graph_name not in graphs:
        hint = did_you_mean(graph_name, graphs)
        raise DescriptionError(f"the description has no cell {graph_name!r} to grow. {hint}".rstrip())
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
        found.add(path, "its channels are not the same multiple of its graph's channels at every use.")
    if len(relative) > 1 or None in relative:
        found.add(path, "its reduction differs from use to use.", hint="Set its `reduction` key.")
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
    """Refuse a target whose output is logits, to which candidates cannot add feature maps."""
    heads = {description.network.output, description.auxiliary} if graph == NETWORK else set()
    if target is not None and (target.width == "classes" or target.name in heads):
        hint = "Grow a node before it."
        found.add(path, "its output is logits, and only a sum of feature maps can grow.", hint=hint)


def _width(
    target: Node, uses: Sequence[Use], states: Sequence[FeatureMap]
) -> int | Literal["classes"] | None:
    """Return the width with which a node has the target's channels at every use; None if there is none."""
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
    """Return the description with a shadow node of candidates before a sum, and a bare edge between them.

    The function of the network does not change. The node ``TARGET+NUMBER`` offers for each source the
    operations that fit at every use of the graph. Its group is ``grow/GRAPH/TARGET/NUMBER``, in which all
    candidates of the node compete.

    Args:
        description: The parent, open or closed.
        graph: ``network`` or the name of a cell.
        target: A sum in it that does not repeat.
        ops: Candidates, in the order of the columns.
        catalogue: The operations.
        keep: Largest number of (edge, operation) pairs that :func:`settle` keeps.
        sources: States that candidates read; None: those of :func:`candidate_sources`.

    Raises:
        DescriptionError: The target cannot grow, a source is not before it, or no operation fits.
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
        found.add(place.path, "none of the operations fits between the sources and this node.")
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
    """Close growth's groups in ``strength``: selected candidates become a concat behind a gated projection.

    The selected candidates keep their paths, so that the child inherits their weights. Their projection is a
    separate node, ``TARGET+NUMBER+1``, which candidates of a later growth can read. If none is selected, the
    node and its edge are removed.

    Args:
        description: A description that :func:`grow` returned.
        strength: As for :func:`choose`; other groups than growth's stay open.
        project: The operation between the concat and the target.

    Raises:
        DescriptionError: See :func:`choose`.
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
    """Return the graph with a shadow turned into a concat of its selected candidates, or removed."""
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
    """Return the name of the projection of a growth, given the name of its shadow."""
    return f"{name}+1"
