"""The spaces of this plugin: descriptions from files, resized and fitted to the data."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.api import load, resize, setting, spread

if TYPE_CHECKING:
    from nascore.api import DataFacts, Description, Graph


FEWEST_PIXELS = 4
"""Smallest height and width of the coarsest state, as far as smaller reductions can reach it."""

_LAYER = re.compile(r"([a-z])(\d+)f?")
"""Nodes of a stage: its letter, the number of the layer, and `f` for the branch of a residual block."""


def shallower(description: Description, stages: int, layers: int) -> Description:
    """Return a chain with only its first stages, and only the first layers of each."""
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
    """Return the description with a separate node for every repetition, so that its depth is fixed.

    Its nodes have to read each other by relative sources. Paths and fingerprint do not change.
    """
    nodes = [
        evolve(node, name=name, repeat=None)
        for node in description.network.nodes
        for name in ([node.name] if node.repeat is None else [f"{node.name}-{k}" for k in range(node.repeat)])
    ]
    return evolve(description, network=evolve(description.network, nodes=tuple(nodes)))


def untied(description: Description) -> Description:
    """Return an open description in which each use of a cell is a separate cell with its own choices."""
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
    """Return a cell whose open edges belong to a group."""
    nodes = (
        evolve(
            node,
            edges=tuple(edge if edge.group is None else evolve(edge, group=group) for edge in node.edges),
        )
        for node in cell.nodes
    )
    return evolve(cell, nodes=tuple(nodes))


FOLDER = Path(__file__).parent
NETWORKS = tuple(sorted(path.stem for path in (FOLDER / "networks").glob("*.yaml")))
"""Names of the networks that were designed by hand."""


@cache
def read(folder: str, name: str) -> Description:
    """Return the description of a file: ``read("spaces", "mbconv")``."""
    path = FOLDER / folder / f"{name}.yaml"
    return load(path.read_text(encoding="utf-8"), where=str(path))


@frozen
class Chain:
    """A chain of layers, each with its own choice.

    Attributes:
        file: Name of the file.
        settings: Size of the network.
    """

    file: str
    settings: MbconvSettings | ResnetSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description, with smaller reductions for small images."""
        found = resize(_for(read("spaces", self.file), facts), channels=self.settings.channels)
        return fitted(shallower(found, self.settings.stages, self.settings.layers), facts)


@frozen
class Cells:
    """A network of repeated cells.

    Attributes:
        file: Name of the file.
        settings: Size of the network.
    """

    file: str
    settings: CellSettings | Nb101Settings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description."""
        found = _for(read("spaces", self.file), facts)
        repeats = spread(found, self.settings.cells)
        return resize(found, channels=self.settings.channels, repeats=repeats)


@frozen
class Macro(Cells):
    """A network in which every cell chooses separately."""

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description."""
        return untied(super().describe(facts))


def _for(description: Description, facts: DataFacts) -> Description:
    return evolve(description, in_channels=facts.channels, classes=facts.classes)


@frozen(kw_only=True)
class MbconvSettings:
    """Size of the chain `mbconv`; the defaults are those of ProxylessNAS."""

    channels: int = setting(8, "Unit of width: a quarter of the stem's channels.", ge=1)
    stages: int = setting(6, "Stages; the later ones are wider and coarser.", ge=1, le=6)
    layers: int = setting(
        4, "Layers of a stage (the sixth has one); those that keep their shape may be skipped.", ge=1, le=4
    )


@frozen(kw_only=True)
class ResnetSettings:
    """Size of the chain `resnet`; the width is that of the paper."""

    channels: int = setting(16, "Width of the first stage; doubled by each of the two others.", ge=1)
    stages: int = setting(3, "Stages; the later ones are wider and coarser.", ge=1, le=3)
    layers: int = setting(6, "Blocks of each stage; those that keep their shape may add nothing.", ge=1, le=6)


@frozen(kw_only=True)
class CellSettings:
    """Size of a network of DARTS's cells."""

    channels: int = setting(16, "Width of the first cell's operations.", ge=1)
    cells: int = setting(8, "Number of cells; those at 1/3 and 2/3 reduce.", ge=3)


@frozen(kw_only=True)
class Nb101Settings:
    """Size of the network of NAS-Bench-101's cells."""

    channels: int = setting(26, "Width of a node in the first stage: a fifth of the cell's.", ge=1)
    cells: int = setting(9, "Number of cells, spread over three stages.", ge=3)
