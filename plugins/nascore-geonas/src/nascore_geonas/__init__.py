"""Geometric NAS (Li et al., ICLR 2021: arXiv 2004.07802) for nascore: its updater, for any space.

This module is the plugin: it says what there is and imports neither torch nor the part itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Component, Need, hookimpl, setting

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
                why="it steps on the simplex, and weights that do not sum to 1 are no point of it",
            ),
            Need(
                terms=("relaxation.unbiased",),
                why="the mean of the draws is not the point that is stepped",
                verdict="warned",
            ),
            Need(
                terms=("not relaxation.sparse",),
                ask="a relaxation that runs every candidate in an architecture pass",
                why="a candidate that is not run has the slope 0, which the step takes for its loss",
                verdict="warned",
            ),
            Need(
                terms=("not trainer.unrolled",),
                ask="an estimate at the weights as they are (first, single-level)",
                why="its convergence is shown for the gradient at the weights as they are",
                verdict="warned",
            ),
        ),
        wishes={"relaxation": "softmax"},
        paper=PAPER,
    )
