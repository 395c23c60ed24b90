"""Petridish (Hu et al., NeurIPS 2019: arXiv 1905.13360) for nascore: a growth policy for any space.

This module declares the parts of the plugin and imports neither torch nor the code of the policy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from nascore.api import Component, Need, Preset, hookimpl
from nascore_petridish.settings import GrowthSettings, misfits

if TYPE_CHECKING:
    from collections.abc import Iterable

PAPER: Final = "arXiv 1905.13360"


PETRIDISH: Final = Component(
    name="petridish",
    slot="growth",
    summary="Grows trained parents by the candidate operations that help most.",
    config=GrowthSettings,
    build="nascore_petridish.policy:Petridish",
    provides=("grows", "shadows"),
    needs=(
        Need(
            terms=("not space.fixed",),
            ask="a space whose architectures may grow",
            why="a grown architecture has no code in a fixed encoding",
        ),
        Need(
            terms=("not trainer.two-halves",),
            ask="candidates that learn from the images that the weights see (estimate single-level)",
            why="a parent fits its images too well for candidates to look useful on others",
            verdict="warned",
        ),
    ),
    wishes={
        "updater": "sgd",
        "trainer": ("alternating", {"estimate": "single-level"}),
        "relaxation": "linear",
        "regularizer": ("l1", {"weight": 1e-3}),
    },
    mini={"count": 5, "seed_epochs": 5, "child_epochs": 3},
    small={"count": 12, "seed_epochs": 20, "child_epochs": 10},
    check=misfits,
    bounds={"limit": lambda _: "macs"},
    unread={
        "ranking.epochs": "growth.seed_epochs and growth.child_epochs decide",
        "ranking.channels": "architectures are trained at the size of the space",
        "ranking.cells": "architectures are trained at the size of the space",
    },
    paper=PAPER,
)


@hookimpl
def nascore_growths() -> Iterable[Component]:
    """Yield the growth ``petridish``."""
    yield PETRIDISH


@hookimpl
def nascore_presets() -> Iterable[Preset]:
    """Yield the recipe of the authors' code."""
    yield Preset(
        name="petridish-cifar10",
        summary="The search and evaluation of Petridish on CIFAR-10, in cells.",
        path=Path(__file__).parent / "presets" / "petridish-cifar10.yaml",
    )
