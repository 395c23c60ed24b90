"""More search spaces for nascore, each a description in YAML, and networks designed by hand.

This module declares the parts of the plugin and imports neither torch nor the code of the parts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from nascore.api import Component, Operation, hookimpl
from nascore_spaces.networks import NETWORK
from nascore_spaces.space import (
    Cells,
    CellSettings,
    Chain,
    Macro,
    MbconvSettings,
    Nb101Settings,
    ResnetSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Translator

AFFINE: Final = {"affine": True}
_MODULE = "nascore_spaces.operations"

RESTRICTED = {
    "darts-s1": "Cells of DARTS with two operations on each edge, which differ (RobustDARTS S1).",
    "darts-s2": "Cells of DARTS with skip_connect and sep_conv_3x3 (RobustDARTS S2).",
    "darts-s3": "Cells of DARTS with none, skip_connect and sep_conv_3x3 (RobustDARTS S3).",
    "darts-s4": "Cells of DARTS with noise and sep_conv_3x3 (RobustDARTS S4).",
}


@hookimpl
def nascore_spaces() -> Iterable[Component]:
    """Yield two chains, the restricted spaces of RobustDARTS, and two other spaces of cells."""
    yield from _chains()
    yield from _cells()


def _chains() -> Iterable[Component]:
    yield Component(
        name="mbconv",
        slot="space",
        summary="A chain of inverted residuals; each layer chooses its kernel and expansion.",
        config=MbconvSettings,
        build=partial(Chain, "mbconv"),
        mini={"channels": 1, "stages": 3, "layers": 2},
        small={"channels": 4, "stages": 4, "layers": 3},
        paper="arXiv 1812.00332",
    )
    yield Component(
        name="resnet",
        slot="space",
        summary="A residual chain: the search chooses each block and the depth.",
        config=ResnetSettings,
        build=partial(Chain, "resnet"),
        mini={"channels": 8, "layers": 2},
        small={"channels": 12, "layers": 3},
        paper="arXiv 1512.03385",
    )


def _cells() -> Iterable[Component]:
    for name, summary in RESTRICTED.items():
        yield Component(
            name=name,
            slot="space",
            summary=summary,
            config=CellSettings,
            build=partial(Cells, name),
            provides=("excludes",) if name == "darts-s3" else (),
            mini={"channels": 4, "cells": 3},
            small={"channels": 8, "cells": 5},
            sizes={
                "paper": {"channels": 36, "cells": 20},
                "small": {"channels": 16, "cells": 8},
                "mini": {"channels": 16, "cells": 4},
            },
            paper="arXiv 1909.09656",
        )
    yield Component(
        name="nb101",
        slot="space",
        summary="NAS-Bench-101: operations on the nodes of a cell, and optional edges.",
        config=Nb101Settings,
        build=partial(Cells, "nb101"),
        mini={"channels": 4, "cells": 3},
        small={"channels": 8, "cells": 3},
        sizes={
            "paper": {"channels": 26, "cells": 9},
            "small": {"channels": 16, "cells": 6},
            "mini": {"channels": 16, "cells": 4},
        },
        paper="arXiv 1902.09635",
    )
    yield Component(
        name="macro",
        slot="space",
        summary="The cells of DARTS, where every cell of the network chooses separately.",
        config=CellSettings,
        build=partial(Macro, "macro"),
        provides=("excludes",),
        mini={"channels": 4, "cells": 3},
        small={"channels": 8, "cells": 5},
        sizes={"paper": {"channels": 36}, "small": {"channels": 16}, "mini": {"channels": 16}},
        paper="arXiv 1806.09055",
    )


@hookimpl
def nascore_operations() -> Iterable[Operation]:
    """Yield the operations of the descriptions that the core lacks: first for edges, then for fixed parts."""
    yield Operation(
        name="conv_norm_relu", build=f"{_MODULE}:conv_norm_relu", settings={"kernel": 3, **AFFINE}
    )
    yield Operation(name="two_conv_3x3", build=f"{_MODULE}:two_conv_3x3", settings=AFFINE)
    yield Operation(name="bottleneck", build=f"{_MODULE}:bottleneck", settings={"narrow": 4, **AFFINE})
    yield Operation(name="dense_layer", build=f"{_MODULE}:dense_layer", strides=(1,))
    yield Operation(
        name="frame_conv",
        build=f"{_MODULE}:frame_conv",
        structural=True,
        settings={"kernel": 3, "activation": "relu", "norm": True},
    )
    yield Operation(
        name="frame_pool", build=f"{_MODULE}:frame_pool", strides=(2,), same_channels=True, structural=True
    )
    yield Operation(
        name="wide_classifier",
        build=f"{_MODULE}:wide_classifier",
        strides=(1,),
        structural=True,
        settings={"times": 4},
    )
    yield Operation(
        name="dense_transition", build=f"{_MODULE}:dense_transition", strides=(1, 2), structural=True
    )


@hookimpl
def nascore_translators() -> Iterable[Translator]:
    """Yield the notation of network names."""
    yield NETWORK
