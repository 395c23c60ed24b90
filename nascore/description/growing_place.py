"""Where growth happens: a sum of a graph, at every use of the graph."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from attrs import evolve, frozen

from nascore.description.invariants import graph_path
from nascore.description.names import CONCAT, NETWORK, SUM, is_grown
from nascore.description.problems import Found
from nascore.description.values import Edge
from nascore.errors import DescriptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.description.op import Op
    from nascore.description.operation import Catalogue
    from nascore.description.plan import Plan, State, Use
    from nascore.description.values import Description, Graph, Node


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

    def _state(self, use: Use, name: str) -> State:
        return self.plan.states[use.names[name]]


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
    found = Found()
    _check_target(target, graph, target_name, path, found)
    _refuse_logits(description, graph_name, target, path, found)
    if not uses:
        found.add(path, "no use in the network reaches this cell.")
    found.stop()
    assert target is not None  # a missing one was noted
    states = [plan.states[use.names[target_name]] for use in uses]
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


def _check_target(target: Node | None, graph: Graph, name: str, path: str, found: Found) -> None:
    if target is None:
        hint = did_you_mean(name, [node.name for node in graph.nodes])
        found.add(path, "there is no such node to grow.", hint=hint)
    elif target.join != SUM:
        found.add(path, "only a sum can grow.")
    elif target.repeat is not None:
        found.add(path, "a node that repeats cannot grow.")


def _refuse_logits(
    description: Description, graph: str, target: Node | None, path: str, found: Found
) -> None:
    """Refuse a target that gives logits: candidates give feature maps, which cannot be added to them."""
    heads = {description.network.output, description.auxiliary} if graph == NETWORK else set()
    if target is not None and (target.width == "classes" or target.name in heads):
        hint = "Grow a node before it."
        found.add(path, "it gives logits, and only a sum of feature maps can grow.", hint=hint)


def _width(target: Node, uses: Sequence[Use], states: Sequence[State]) -> int | Literal["classes"] | None:
    """Return the width that gives the target's channels at every use; None if no single one does."""
    if any(edge.ops for edge in target.edges):
        return target.width
    pairs = {divmod(state.channels, use.channels) for state, use in zip(states, uses, strict=True)}
    whole, rest = next(iter(pairs))
    return None if len(pairs) > 1 or rest else whole
