"""Settings of the space; they load without torch."""

from __future__ import annotations

from attrs import frozen

from nascore.api import setting


@frozen(kw_only=True)
class SpaceSettings:
    """Size of the network; the defaults are those of the benchmark."""

    channels: int = setting(16, "Width of the first stage; doubled by each of the two residual blocks.", ge=1)
    cells: int = setting(5, "Cells in each of the three stages.", ge=1)
