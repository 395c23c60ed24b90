"""The search space of DARTS (arXiv 1806.09055, section 3.1.1): two cells, 14 edges each, 8 operations.

The network begins with a stem of three times the channels, or for ImageNet with two stems that make an image
eight times coarser. Cells follow, each of which reads the two before it; the cells at a third and at two
thirds of the depth halve the size and double the channels. Pooling and a linear classifier come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import frozen

from nascore.api import Description, Edge, Graph, Group, Node, Op, Problem, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nascore.api import Choice, DataFacts


NORMAL, REDUCE = "normal", "reduce"
INPUTS = ("in0", "in1")
PREPROCESSED = ("pre0", "pre1")
FIT = "fit"
REDUCTION = {NORMAL: None, REDUCE: 2}
"""Reduction of a cell's nodes relative to its inputs; None: not written, see :func:`cell`."""

FEWEST_CELLS = 2

Stem = Literal["cifar", "imagenet"]

IMAGENET_STEM = "imagenet_stem0"
"""The operation that identifies the stems for ImageNet."""


def cell(nodes: Iterable[Node], concat: Sequence[str]) -> Graph:
    """Return a cell: projections of both inputs to the cell's channels, the nodes, and the concatenation.

    Args:
        nodes: The intermediate nodes, each after those that it reads. In a reduction cell each has
            ``reduction=2``, because a derived node may read only sources that are not reduced.
        concat: Names of the nodes whose concatenation is the output.
    """
    fitted = (
        Node(name=name, edges=(Edge(source=source, ops=(Op(FIT),)),), reduction=1)
        for name, source in zip(PREPROCESSED, INPUTS, strict=True)
    )
    out = Node(name="out", edges=tuple(Edge(source=name) for name in concat), join="concat")
    return Graph(inputs=INPUTS, nodes=(*fitted, *nodes, out), output="out")


def network(cells: int, stem: Stem = "cifar", *, reduces: bool = True) -> Graph:
    """Return the network of ``cells`` cells, at least two; ``cells//3`` and ``2*cells//3`` reduce.

    Args:
        cells: Number of cells.
        stem: The stems before the cells.
        reduces: Whether there is a reduction cell; otherwise all are normal cells of one width and size.
    """
    head = Node(name="head", edges=(Edge(source=-1, ops=(Op("classifier"),)),), width="classes")
    if not reduces:
        nodes = (*_stems(stem), _stage("a", NORMAL, 1, cells), head)
        return Graph(inputs=("images",), nodes=nodes, output="head")
    first, second = cells // 3, 2 * cells // 3
    stages = (
        _stage("a", NORMAL, 1, first),
        _stage("r1", REDUCE, 2),
        _stage("b", NORMAL, 2, second - first - 1),
        _stage("r2", REDUCE, 4),
        _stage("c", NORMAL, 4, cells - second - 1),
    )
    return Graph(inputs=("images",), nodes=(*_stems(stem), *stages, head), output="head")


def stem_of(network: Graph) -> Stem:
    """Return the kind of stems of a network."""
    ops = (op.name for node in network.nodes for edge in node.edges for op in edge.ops)
    return "imagenet" if IMAGENET_STEM in ops else "cifar"


def reduces(network: Graph) -> bool:
    """Return whether a network has more than one stage of normal cells."""
    return [node.join for node in network.nodes if node.cell is not None] != [NORMAL]


def count_cells(network: Graph) -> int:
    """Return the number of cells of a network."""
    return sum(1 if node.repeat is None else node.repeat for node in network.nodes if node.join in REDUCTION)


def _stems(stem: Stem) -> tuple[Node, ...]:
    if stem == "cifar":
        return (Node(name="stem", edges=(Edge(source="images", ops=(Op("stem"),)),), width=3),)
    return (
        Node(name="stem0", edges=(Edge(source="images", ops=(Op(IMAGENET_STEM),)),), reduction=4),
        Node(name="stem1", edges=(Edge(source="stem0", ops=(Op("imagenet_stem1"),)),), reduction=8),
    )


def _stage(name: str, template: str, width: int, repeat: int | None = None) -> Node:
    return Node(
        name=name, edges=(Edge(source=-2), Edge(source=-1)), join=template, width=width, repeat=repeat
    )


OPERATIONS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The candidates in the order of the authors' code: the columns of both groups."""


MOST_OPERATIONS = 50_000
"""Maximum number of operations in a network, the same as in the description language."""

LARGE = 128
"""Image size in pixels from which `auto` means the stems for ImageNet: the last cells get 4x4 or more."""


@frozen(kw_only=True)
class SpaceSettings:
    """Size of the supernet."""

    channels: int = setting(16, "Width of the first cell's operations in the search.", ge=1)
    cells: int = setting(8, "Number of cells in the search; those at 1/3 and 2/3 reduce.", ge=3)
    nodes: int = setting(4, "Intermediate nodes per cell; each reads all states before it.", ge=1)
    stem: Literal["auto", "cifar", "imagenet"] = setting(
        "auto",
        f"cifar: a convolution; imagenet: two stems of reduction 8; auto: imagenet from {LARGE} pixels on.",
    )


def check_size(settings: SpaceSettings, recipe: Choice) -> Iterable[Problem]:
    """Yield a problem if the network would have more operations than can be built."""
    del recipe
    edges = settings.nodes * (settings.nodes + 3) // 2
    count = settings.cells * edges * len(OPERATIONS)
    if count > MOST_OPERATIONS:
        text = f"{settings.nodes:,} nodes in {settings.cells:,} cells make {count:,} operations."
        hint = f"At most {MOST_OPERATIONS:,} can be built: set fewer nodes, or fewer space.cells."
        yield Problem(path="space.nodes", text=text, hint=hint, slots=("space",))


@frozen
class Space:
    """Two cells whose nodes may read every earlier state through any of eight operations."""

    settings: SpaceSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description: each node keeps its best two edges, and never `none`."""
        ops = tuple(Op(name) for name in OPERATIONS)
        group = Group(ops=ops, edges=2, never=(Op("none"),))
        return Description(
            network=network(self.settings.cells, self._stem(facts)),
            cells={name: self._cell(name, ops) for name in (NORMAL, REDUCE)},
            groups={NORMAL: group, REDUCE: group},
            channels=self.settings.channels,
            in_channels=facts.channels,
            classes=facts.classes,
            affine=False,
            pool_norm=True,
        )

    def _stem(self, facts: DataFacts) -> Stem:
        if self.settings.stem != "auto":
            return self.settings.stem
        return "imagenet" if min(facts.height, facts.width) >= LARGE else "cifar"

    def _cell(self, name: str, ops: tuple[Op, ...]) -> Graph:
        names = [f"n{index}" for index in range(self.settings.nodes)]
        states = (*PREPROCESSED, *names)
        nodes = (
            Node(
                name=node,
                edges=tuple(Edge(source=source, ops=ops, group=name) for source in states[: 2 + index]),
                reduction=REDUCTION[name],
            )
            for index, node in enumerate(names)
        )
        return cell(nodes, names)
