"""Settings of the spaces; they load without torch."""

from __future__ import annotations

from attrs import frozen

from nascore.api import setting


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
