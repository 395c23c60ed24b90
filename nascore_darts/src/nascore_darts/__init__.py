"""DARTS (Liu, Simonyan, Yang: arXiv 1806.09055) for nascore: space, updater, genotypes and preset.

This module declares the parts of the plugin and imports neither torch nor the code of the parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Component, Need, Preset, hookimpl, setting
from nascore_darts.genotype import GENOTYPE
from nascore_darts.space import SpaceSettings, check_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Translator


@frozen(kw_only=True)
class UpdaterSettings:
    """Adam on the architecture parameters; the defaults are those of the paper."""

    lr: float = setting(3e-4, "Learning rate of Adam on the architecture parameters.", gt=0)
    beta1: float = setting(0.5, "Decay of Adam's mean of the gradient.", ge=0, lt=1)
    beta2: float = setting(0.999, "Decay of Adam's mean of the squared gradient.", ge=0, lt=1)
    weight_decay: float = setting(1e-3, "Weight decay, added to the gradient (coupled).", ge=0)


PAPER = "arXiv 1806.09055"


@hookimpl
def nascore_spaces() -> Iterable[Component]:
    """Yield the space ``darts``."""
    yield Component(
        name="darts",
        slot="space",
        summary="Two cells of four nodes with eight operations; two edges are kept for each node.",
        config=SpaceSettings,
        build="nascore_darts.space:Space",
        check=check_size,
        provides=("excludes",),
        mini={"channels": 4, "cells": 3},
        small={"channels": 8, "cells": 5},
        sizes={
            "paper": {"channels": 36, "cells": 20},
            "small": {"channels": 16, "cells": 8},
            "mini": {"channels": 16, "cells": 4},
        },
        paper=PAPER,
    )


@hookimpl
def nascore_updaters() -> Iterable[Component]:
    """Yield the updater ``darts``."""
    yield Component(
        name="darts",
        slot="updater",
        summary="Adam on the architecture parameters.",
        config=UpdaterSettings,
        build="nascore_darts.updater:Updater",
        provides=("learns",),
        needs=(
            Need(
                terms=("trainer.two-halves", "growth.shadows"),
                ask="an estimate on images that the weights do not see (first, unrolled), or shadow growth",
                why="trained on the same images, the architecture overfits (DARTS: 3.56 % error, not 3.00 %)",
                verdict="warned",
            ),
        ),
        mini={"lr": 0.1},
        small={"lr": 3e-3},
        paper=PAPER,
    )


@hookimpl
def nascore_presets() -> Iterable[Preset]:
    """Yield the recipe of the paper's search on CIFAR-10."""
    yield Preset(
        name="darts-cifar10",
        summary="The search and evaluation of the DARTS paper on CIFAR-10.",
        path=Path(__file__).parent / "presets" / "darts-cifar10.yaml",
    )


@hookimpl
def nascore_translators() -> Iterable[Translator]:
    """Yield the notation of genotypes."""
    yield GENOTYPE
