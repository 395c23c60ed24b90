"""The search space of DARTS (arXiv 1806.09055, section 3.1.1): two cells, 14 edges each, 8 operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import frozen

from nascore.api import Description, Edge, Graph, Group, Node, Op, Problem, setting
from nascore_darts import frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Choice, DataFacts

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
"""What one network can hold, as the description language has it too."""

LARGE = 128
"""Pixels of a side from which `auto` means the stems for ImageNet: the last cells then see 4x4 or more."""


@frozen(kw_only=True)
class SpaceSettings:
    """Size of the network that is searched in."""

    channels: int = setting(16, "Width of the first cell's operations in the search.", ge=1)
    cells: int = setting(8, "Number of cells in the search; those at 1/3 and 2/3 reduce.", ge=3)
    nodes: int = setting(4, "Intermediate nodes per cell; each reads all states before it.", ge=1)
    stem: Literal["auto", "cifar", "imagenet"] = setting(
        "auto", f"One convolution, or two stems of reduction 8; auto: those from {LARGE} pixels a side on."
    )


def check_size(settings: SpaceSettings, recipe: Choice) -> Iterable[Problem]:
    """Yield it if a network would have more operations than can be built, before each is placed."""
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
        """Return the open description: per node the best two edges are kept, and never `none`."""
        ops = tuple(Op(name) for name in OPERATIONS)
        group = Group(ops=ops, edges=2, never=(Op("none"),))
        return Description(
            network=frame.network(self.settings.cells, self._stem(facts)),
            cells={name: self._cell(name, ops) for name in (frame.NORMAL, frame.REDUCE)},
            groups={frame.NORMAL: group, frame.REDUCE: group},
            channels=self.settings.channels,
            in_channels=facts.channels,
            classes=facts.classes,
            affine=False,
            pool_norm=True,
        )

    def _stem(self, facts: DataFacts) -> frame.Stem:
        if self.settings.stem != "auto":
            return self.settings.stem
        return "imagenet" if min(facts.height, facts.width) >= LARGE else "cifar"

    def _cell(self, name: str, ops: tuple[Op, ...]) -> Graph:
        names = [f"n{index}" for index in range(self.settings.nodes)]
        states = (*frame.PREPROCESSED, *names)
        nodes = (
            Node(
                name=node,
                edges=tuple(Edge(source=source, ops=ops, group=name) for source in states[: 2 + index]),
                reduction=frame.REDUCTION[name],
            )
            for index, node in enumerate(names)
        )
        return frame.cell(nodes, names)
