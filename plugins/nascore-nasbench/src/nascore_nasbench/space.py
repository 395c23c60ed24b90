"""The search space of NAS-Bench-201 (arXiv 2001.00326, section 2.1): one cell, six edges, five operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Description, Group, Op
from nascore_nasbench import frame

if TYPE_CHECKING:
    from nascore.api import DataFacts
    from nascore_nasbench.settings import SpaceSettings


@frozen
class Space:
    """One cell of four states, each of which reads all before it through one of five operations."""

    settings: SpaceSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description: per edge the best operation is kept, which may be `none`."""
        ops = tuple(map(Op, frame.OPERATIONS))
        return Description(
            network=frame.network((self.settings.cells,) * 3),
            cells={frame.CELL: frame.cell([ops] * len(frame.EDGES), group=frame.CELL)},
            groups={frame.CELL: Group(ops=ops)},
            channels=self.settings.channels,
            in_channels=facts.channels,
            classes=facts.classes,
            affine=False,
            pool_norm=False,
        )
