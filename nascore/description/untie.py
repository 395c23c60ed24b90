"""Giving each use of a cell a cell of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from nascore.description.names import RESERVED_CELLS
from nascore.description.scope import instances
from nascore.errors import DescriptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.description.values import Description, Graph, Node


def untie(description: Description) -> Description:
    """Return the same network in which each use has a cell of its own, as macro search needs it.

    Repeated uses are spelled out (``a-0``, ``a-1``). No path and no hash changes.

    Raises:
        DescriptionError: If the description is open: the uses of a cell share its choices.
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
        for name in instances(node):
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
