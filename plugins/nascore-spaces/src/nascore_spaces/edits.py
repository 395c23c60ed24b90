"""What the facts of the data, and the settings, make of a description that was read from a file."""

from __future__ import annotations

import re
from string import ascii_lowercase
from typing import TYPE_CHECKING

from attrs import evolve

if TYPE_CHECKING:
    from nascore.api import DataFacts, Description, Graph

FEWEST_PIXELS = 4
"""Height and width that the coarsest state keeps, where halving less often gives them."""

_LAYER = re.compile(r"([a-z])(\d+)f?")
"""Nodes of a stage: its letter, the number of the layer, and `f` for what a residual block adds."""


def shallower(description: Description, stages: int, layers: int) -> Description:
    """Return a chain that keeps its first stages, and each of them its first layers."""
    kept = ascii_lowercase[:stages]
    named = ((node, _LAYER.fullmatch(node.name)) for node in description.network.nodes)
    nodes = (node for node, found in named if found is None or (found[1] in kept and int(found[2]) <= layers))
    return evolve(description, network=evolve(description.network, nodes=tuple(nodes)))


def fitted(description: Description, facts: DataFacts) -> Description:
    """Return a chain with its reductions divided by a power of two, so that small images keep pixels."""
    nodes = description.network.nodes
    coarsest = max(node.reduction or 1 for node in nodes)
    by = 1
    while by < coarsest and min(facts.height, facts.width) * by < FEWEST_PIXELS * coarsest:
        by *= 2
    finer = (
        node if node.reduction is None else evolve(node, reduction=max(node.reduction // by, 1))
        for node in nodes
    )
    return evolve(description, network=evolve(description.network, nodes=tuple(finer)))


def spelled_out(description: Description) -> Description:
    """Return the description with every repetition as a node of its own, so that its depth is fixed.

    Its nodes have to read each other by relative sources. Paths and fingerprint stay.
    """
    nodes = [
        evolve(node, name=name, repeat=None)
        for node in description.network.nodes
        for name in ([node.name] if node.repeat is None else [f"{node.name}-{k}" for k in range(node.repeat)])
    ]
    return evolve(description, network=evolve(description.network, nodes=tuple(nodes)))


def untied(description: Description) -> Description:
    """Return an open description in which each use of a cell is a cell with choices of its own."""
    description = spelled_out(description)
    cells, groups, nodes = {}, {}, []
    for node in description.network.nodes:
        if node.cell is None:
            nodes.append(node)
            continue
        cells[node.name] = _of_group(description.cells[node.cell], node.name)
        groups[node.name] = description.groups[node.cell]
        nodes.append(evolve(node, join=node.name))
    return evolve(
        description, network=evolve(description.network, nodes=tuple(nodes)), cells=cells, groups=groups
    )


def _of_group(cell: Graph, group: str) -> Graph:
    """Return a cell whose open edges are those of a group."""
    nodes = (
        evolve(
            node,
            edges=tuple(edge if edge.group is None else evolve(edge, group=group) for edge in node.edges),
        )
        for node in cell.nodes
    )
    return evolve(cell, nodes=tuple(nodes))
