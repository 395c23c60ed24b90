"""Edits of a description: width, depth and auxiliary head."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from nascore.description.expand import expand
from nascore.description.names import NETWORK, RESERVED_CELLS
from nascore.description.problems import ProblemCollector
from nascore.description.values import Edge, Node, Op
from nascore.errors import DescriptionError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nascore.description.graph import Description, Graph


AUXILIARY = "aux"

CELLS = "cells"
"""Path of problems with the number of cells; callers replace it by the path of their setting."""

IMAGENET_STEMS = frozenset({"imagenet_stem0", "imagenet_stem1"})
"""Operations that mark a network for ImageNet, which has its own auxiliary head."""


def resize(
    description: Description, *, channels: int | None = None, repeats: Mapping[str, int] | None = None
) -> Description:
    """Return the description with new channels, or new numbers of repetitions of the network's nodes.

    Args:
        description: Any description.
        channels: Channels of a node of width 1.
        repeats: New numbers of repetitions, by the names of nodes that repeat.

    Raises:
        DescriptionError: The network has no such node, or the node does not repeat.
    """
    repeats = {} if repeats is None else repeats
    found = ProblemCollector()
    stages = {node.name for node in description.network.nodes if node.repeat is not None}
    for name in repeats:
        if name not in stages:
            known = description.network.node(name) is not None
            text = "this node has no repeat." if known else f"the network has no node {name!r}."
            found.add(f"network.nodes.{name}", text, hint=did_you_mean(name, stages))
    found.stop()
    nodes = tuple(
        evolve(node, repeat=repeats[node.name]) if node.name in repeats else node
        for node in description.network.nodes
    )
    network = evolve(description.network, nodes=nodes)
    return evolve(
        description, network=network, channels=description.channels if channels is None else channels
    )


def spread(description: Description, cells: int) -> dict[str, int]:
    """Return the repetitions that make a network ``cells`` cells deep, evenly over its stages.

    A stage is a node of the network that repeats. Of S stages, stage k covers the positions ``k*cells//S`` to
    ``(k+1)*cells//S - 1``; single cells before it take its first positions. Two reduction cells between three
    stages are then at ``cells//3`` and ``2*cells//3``, as in DARTS.

    Returns:
        Repetitions by stage, as :func:`resize` takes them; empty if no node repeats.

    Raises:
        DescriptionError: The network has more single cells than a stage has positions.
    """
    stages: dict[str, int] = {}
    alone = 0
    for node in description.network.nodes:
        if node.repeat is not None:
            stages[node.name] = alone
            alone = 0
        elif node.cell is not None:
            alone += 1
    if not stages:
        return {}
    stages[next(reversed(stages))] += alone
    repeats = _shared(stages, cells)
    if min(repeats.values()) < 0:
        # With this many cells each stage has enough positions for the single cells before it.
        most = (max(stages.values()) + 1) * len(stages)
        least = next(count for count in range(cells, most + 1) if min(_shared(stages, count).values()) >= 0)
        number = "1 cell is" if cells == 1 else f"{cells} cells are"
        text = f"{number} too few: this network needs at least {least}, since some cells do not repeat."
        raise DescriptionError([Problem(path=CELLS, text=text, hint=f"Set {least} or more.")])
    return repeats


def _shared(stages: Mapping[str, int], cells: int) -> dict[str, int]:
    """Return the repetitions of each stage, given the number of single cells in its positions."""
    count = len(stages)
    return {
        name: (k + 1) * cells // count - k * cells // count - taken
        for k, (name, taken) in enumerate(stages.items())
    }


def reducing(description: Description) -> str | None:
    """Return the last state of the network at which the reduction rises; None if it never does.

    DARTS attaches its auxiliary head there.
    """
    plan = expand(description)
    names = plan.uses[0].names
    last = None
    for placed in description.network.scope.placed:
        before = max(plan.feature_maps[names[source]].reduction for source in placed.sources)
        if plan.feature_maps[names[placed.name]].reduction > before:
            last = placed.name
    return last


def with_auxiliary(description: Description, source: str) -> Description:
    """Return the description with an auxiliary head that reads a state of the network.

    A network with the stems for ImageNet gets DARTS's head for ImageNet, others the head for CIFAR-10.

    Raises:
        DescriptionError: The network has no such state, or already has an auxiliary head.
    """
    if description.auxiliary is not None:
        raise DescriptionError(f"{NETWORK}: it already has the auxiliary head {description.auxiliary}.")
    head = Node(name=AUXILIARY, edges=(Edge(source=source, ops=(_head(description),)),), width="classes")
    found = ProblemCollector()
    with found.at(NETWORK):
        network = evolve(description.network, nodes=(*description.network.nodes, head))
        return evolve(description, network=network, auxiliary=AUXILIARY)
    raise DescriptionError(found.problems)


def _head(description: Description) -> Op:
    ops = {op.name for node in description.network.nodes for edge in node.edges for op in edge.ops}
    return Op("auxiliary", (("imagenet", True),)) if IMAGENET_STEMS & ops else Op("auxiliary")


def without_auxiliary(description: Description) -> Description:
    """Return the description without its auxiliary head, which only training uses."""
    if description.auxiliary is None:
        return description
    nodes = tuple(node for node in description.network.nodes if node.name != description.auxiliary)
    return evolve(description, network=evolve(description.network, nodes=nodes), auxiliary=None)


def untie(description: Description) -> Description:
    """Return the same network with a separate cell for each use, as macro search needs it.

    Repeated uses are written out (``a-0``, ``a-1``). Paths and fingerprint do not change.

    Raises:
        DescriptionError: The description is open: the uses of a cell share its choices.
    """
    if description.is_open:
        raise DescriptionError("an open description cannot be untied: the uses of a cell share its choices.")
    untying = _Untying(tied=description.cells)
    network = untying.graph(description.network, "")
    return evolve(description, network=network, cells=untying.cells)


@define(kw_only=True)
class _Untying:
    tied: dict[str, Graph]
    cells: dict[str, Graph] = field(factory=dict)

    def graph(self, graph: Graph, prefix: str) -> Graph:
        nodes = (each for node in graph.nodes for each in self._node(node, prefix))
        return evolve(graph, nodes=tuple(nodes))

    def _node(self, node: Node, prefix: str) -> Iterator[Node]:
        if node.cell is None:
            yield node
            return
        for name in node.states:
            path = f"{prefix}{name}"
            own = self._name(path)
            self.cells[own] = self.tied[
                node.cell
            ]  # holds the name, and its place, while what is inside is untied
            self.cells[own] = self.graph(self.tied[node.cell], f"{path}/")
            yield evolve(node, name=name, join=own, repeat=None)

    def _name(self, path: str) -> str:
        """Return a name for the cell at a path that no other cell has."""
        base = path if "/" not in path else re.sub(r"\W", "_", path)
        name, count = base, 1
        while name in self.cells or name in RESERVED_CELLS:
            count += 1
            name = f"{re.sub(r'[^A-Za-z0-9_]', '_', base)}_{count}"
        return name


def with_graph(description: Description, name: str, graph: Graph) -> Description:
    """Return the description with a new graph for the network or for a cell."""
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
