"""Geometric NAS (Li et al., ICLR 2021: arXiv 2004.07802) for nascore: its updater, for any space.

This module declares the part of the plugin and imports neither torch nor the code of the part.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Component, Need, Preset, hookimpl, setting

if TYPE_CHECKING:
    from collections.abc import Iterable


@frozen(kw_only=True)
class UpdaterSettings:
    """Exponentiated gradients; the defaults are those of the paper's searches."""

    lr: float = setting(0.1, "Step size of the exponentiated gradient.", gt=0)
    entropic: float = setting(
        0.0, "Weight of the divergence from uniform weights; it corresponds to weight decay in DARTS.", ge=0
    )


PAPER = "arXiv 2004.07802"


@hookimpl
def nascore_updaters() -> Iterable[Component]:
    """Yield the updater ``geonas``."""
    yield Component(
        name="geonas",
        slot="updater",
        summary="Exponentiated gradients on the simplex of each edge.",
        config=UpdaterSettings,
        build="nascore_geonas.updater:Updater",
        provides=("learns", "mixture-gradient"),
        needs=(
            Need(
                terms=("relaxation.normalized",),
                why="its steps stay on the simplex, the set of weights that sum to 1",
            ),
            Need(
                terms=("relaxation.unbiased",),
                why="its step moves the softmax of theta, which is not the mean of these draws",
                verdict="warned",
            ),
            Need(
                terms=("not relaxation.sparse",),
                ask="a relaxation that runs every candidate in an architecture pass",
                why="a candidate that is not run gets the slope 0, as if it had no influence on the loss",
                verdict="warned",
            ),
            Need(
                terms=("not trainer.unrolled",),
                ask="an estimate at the current weights (first, single-level)",
                why="its convergence proof assumes the gradient at the current weights",
                verdict="warned",
            ),
        ),
        wishes={"relaxation": "softmax"},
        paper=PAPER,
    )


@hookimpl
def nascore_presets() -> Iterable[Preset]:
    """Yield the recipes of the paper."""
    folder = Path(__file__).parent / "presets"
    yield Preset(
        name="geonas-cifar10",
        summary="The search of Geometric NAS in the space of DARTS on CIFAR-10.",
        path=folder / "geonas-cifar10.yaml",
    )
    yield Preset(
        name="geonas-nb201",
        summary="The search of Geometric NAS in NAS-Bench-201 on CIFAR-10.",
        path=folder / "geonas-nb201.yaml",
    )
