"""Wider, deeper, and with an auxiliary head: editing integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.description.expand import expand
from nascore.description.names import NETWORK
from nascore.description.op import Op
from nascore.description.problems import Found
from nascore.description.values import Edge, Node
from nascore.errors import DescriptionError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.description.values import Description

AUXILIARY = "aux"

CELLS = "cells"
"""What a mistake in the number of cells is told of; a caller knows it by a longer path."""

IMAGENET_STEMS = frozenset({"imagenet_stem0", "imagenet_stem1"})
"""The operations by which a network for ImageNet is known: its auxiliary head is another one."""


def resize(
    description: Description, *, channels: int | None = None, repeats: Mapping[str, int] | None = None
) -> Description:
    """Return the description with other channels, or other numbers of repetitions of the network's nodes.

    Args:
        description: Any description.
        channels: Channels of a node of width 1.
        repeats: New numbers of repetitions, by the names of nodes that repeat.

    Raises:
        DescriptionError: If the network has no such node, or it does not repeat.
    """
    repeats = {} if repeats is None else repeats
    found = Found()
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
    """Return the repetitions with which a network is ``cells`` cells deep, evenly over its stages.

    A stage is a node of the network that repeats. Of S stages, stage k covers the places from ``k*cells//S``
    up to ``(k+1)*cells//S``; cells that stand alone before it take its first places. For three stages parted
    by reduction cells, those come to stand at ``cells//3`` and ``2*cells//3``, as in DARTS.

    Returns:
        Repetitions by stage, as :func:`resize` takes them; empty if nothing repeats.

    Raises:
        DescriptionError: If there are more cells that stand alone than places.
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
        # Of more cells than a stage must hold alone, times the stages, each stage has enough.
        most = (max(stages.values()) + 1) * len(stages)
        least = next(count for count in range(cells, most + 1) if min(_shared(stages, count).values()) >= 0)
        number = "1 cell is" if cells == 1 else f"{cells} cells are"
        text = f"{number} too few: this network needs at least {least}, some of its cells stand alone."
        raise DescriptionError([Problem(path=CELLS, text=text, hint=f"Set {least} or more.")])
    return repeats


def _shared(stages: Mapping[str, int], cells: int) -> dict[str, int]:
    """Return the repetitions of each stage, of which so many places are taken by cells that stand alone."""
    count = len(stages)
    return {
        name: (k + 1) * cells // count - k * cells // count - taken
        for k, (name, taken) in enumerate(stages.items())
    }


def reducing(description: Description) -> str | None:
    """Return the last state of the network at which the reduction rises; None if it never does.

    That is where DARTS puts its auxiliary head.
    """
    plan = expand(description)
    names = plan.uses[0].names
    last = None
    for placed in description.network.scope.placed:
        before = max(plan.states[names[source]].reduction for source in placed.sources)
        if plan.states[names[placed.name]].reduction > before:
            last = placed.name
    return last


def with_auxiliary(description: Description, source: str) -> Description:
    """Return the description with an auxiliary head that reads a state of the network.

    Of a network with the stems for ImageNet it is DARTS's head for ImageNet, else that for CIFAR-10.

    Raises:
        DescriptionError: If there is no such state, or there is an auxiliary head already.
    """
    if description.auxiliary is not None:
        raise DescriptionError(f"{NETWORK}: there is an auxiliary head already: {description.auxiliary}.")
    head = Node(name=AUXILIARY, edges=(Edge(source=source, ops=(_head(description),)),), width="classes")
    found = Found()
    with found.at(NETWORK):
        network = evolve(description.network, nodes=(*description.network.nodes, head))
        return evolve(description, network=network, auxiliary=AUXILIARY)
    raise DescriptionError(found.problems)


def _head(description: Description) -> Op:
    ops = {op.name for node in description.network.nodes for edge in node.edges for op in edge.ops}
    return Op("auxiliary", (("imagenet", True),)) if IMAGENET_STEMS & ops else Op("auxiliary")


def without_auxiliary(description: Description) -> Description:
    """Return the description without its auxiliary head, which is there for training only."""
    if description.auxiliary is None:
        return description
    nodes = tuple(node for node in description.network.nodes if node.name != description.auxiliary)
    return evolve(description, network=evolve(description.network, nodes=nodes), auxiliary=None)
