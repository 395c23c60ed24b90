"""The search space of NAS-Bench-201 (arXiv 2001.00326, section 2.1): one cell, six edges, five operations.

The network begins with a 3x3 convolution. Three stages of equal cells follow. A residual block before the
second and the third stage halves the size and doubles the channels. Batch norm, ReLU, global average pooling
and a linear classifier come last.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Description, Edge, Graph, Group, Node, Op, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.api import DataFacts


OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
"""The candidates of every edge in the order of the authors' code: the columns of the group."""

STATES = ("n0", "n1", "n2", "n3")
"""The states of a cell: its input and three nodes, each of which sums over all earlier states."""

EDGES = tuple((node, source) for node in range(1, len(STATES)) for source in range(node))
"""The edges as (node, source), in the order of architecture strings: 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2."""

CELL = "cell"
"""Name of the cell, and of the group that its edges share."""

STAGES, WIDTHS = ("a", "b", "c"), (1, 2, 4)
"""The stages, and their widths, which are also their reductions."""

BLOCKS = ("r1", "r2")
"""The residual blocks, each before a stage."""

Repeats = tuple[int, int, int]
"""Number of cells of each stage."""


def cell(ops: Sequence[Sequence[Op]], group: str | None = None) -> Graph:
    """Return the cell.

    Args:
        ops: The operations of each edge, in the order of :data:`EDGES`.
        group: The group that chooses among them; None: all are used.
    """
    by_edge = dict(zip(EDGES, ops, strict=True))
    nodes = tuple(
        Node(
            name=name,
            edges=tuple(
                Edge(source=STATES[source], ops=tuple(by_edge[node, source]), group=group)
                for source in range(node)
            ),
        )
        for node, name in enumerate(STATES)
        if node
    )
    return Graph(inputs=STATES[:1], nodes=nodes, output=STATES[-1])


@cache
def network(cells: Repeats) -> Graph:
    """Return the network around the cell.

    Args:
        cells: Number of cells of each stage.
    """
    nodes = [Node(name="stem", edges=(Edge(source="images", ops=(Op("stem"),)),))]
    for number, (stage, width, repeat) in enumerate(zip(STAGES, WIDTHS, cells, strict=True)):
        if number:
            edges = (Edge(source=-1, ops=(Op("residual_block"),)),)
            nodes.append(Node(name=BLOCKS[number - 1], edges=edges, width=width, reduction=width))
        nodes.append(Node(name=stage, edges=(Edge(source=-1),), join=CELL, width=width, repeat=repeat))
    nodes.append(Node(name="head", edges=(Edge(source=-1, ops=(Op("norm_classifier"),)),), width="classes"))
    return Graph(inputs=("images",), nodes=tuple(nodes), output="head")


def count_cells(network: Graph) -> Repeats:
    """Return the number of cells of each stage, recognised by their widths."""
    uses = [node for node in network.nodes if node.cell is not None]
    first, second, third = (
        sum(1 if node.repeat is None else node.repeat for node in uses if node.width == width)
        for width in WIDTHS
    )
    return first, second, third


@frozen
class Space:
    """One cell of four states, each of which reads all earlier ones through one of five operations."""

    settings: SpaceSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description: each edge keeps its best operation, which may be `none`."""
        ops = tuple(map(Op, OPERATIONS))
        return Description(
            network=network((self.settings.cells,) * 3),
            cells={CELL: cell([ops] * len(EDGES), group=CELL)},
            groups={CELL: Group(ops=ops)},
            channels=self.settings.channels,
            in_channels=facts.channels,
            classes=facts.classes,
            affine=False,
            pool_norm=False,
        )


@frozen(kw_only=True)
class SpaceSettings:
    """Size of the network; the defaults are those of the benchmark."""

    channels: int = setting(16, "Width of the first stage; doubled by each of the two residual blocks.", ge=1)
    cells: int = setting(5, "Cells in each of the three stages.", ge=1)
