"""NAS-Bench-201 (Dong and Yang, ICLR 2020: arXiv 2001.00326) for nascore: its space and its strings.

This module declares the parts of the plugin and imports neither torch nor the code of the parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nascore.api import Component, Preset, hookimpl
from nascore_nasbench.space import SpaceSettings
from nascore_nasbench.strings import STRINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Translator

PAPER = "arXiv 2001.00326"


@hookimpl
def nascore_spaces() -> Iterable[Component]:
    """Yield the space ``nb201``."""
    yield Component(
        name="nb201",
        slot="space",
        summary="NAS-Bench-201: a cell of four nodes, six edges and five operations.",
        config=SpaceSettings,
        build="nascore_nasbench.space:Space",
        provides=("fixed",),
        mini={"channels": 4, "cells": 1},
        small={"channels": 8, "cells": 2},
        sizes={
            "paper": {"channels": 16, "cells": 15},
            "small": {"channels": 16, "cells": 6},
            "mini": {"channels": 16, "cells": 4},
        },
        paper=PAPER,
    )


@hookimpl
def nascore_presets() -> Iterable[Preset]:
    """Yield the training of the benchmark."""
    yield Preset(
        name="nb201-cifar10",
        summary="The training of NAS-Bench-201 on CIFAR-10.",
        path=Path(__file__).parent / "presets" / "nb201-cifar10.yaml",
    )


@hookimpl
def nascore_translators() -> Iterable[Translator]:
    """Yield the notation of architecture strings."""
    yield STRINGS
