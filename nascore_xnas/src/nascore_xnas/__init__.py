"""XNAS (Nayman et al., NeurIPS 2019: arXiv 1906.08031) for nascore: its updater, for any space.

This module declares the parts of the plugin and imports neither torch nor the code of the parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from nascore.api import Component, Give, Need, Preset, hookimpl, setting

if TYPE_CHECKING:
    from collections.abc import Iterable


@frozen(kw_only=True)
class UpdaterSettings:
    """Exponentiated gradients with wipe-out; the defaults are those of the paper and its theorem."""

    eta: float | None = setting(
        None, "Step size; null: the theorem's, sqrt(2 ln N / T) / clip, for each choice group.", gt=0
    )
    clip: float = setting(1.0, "Bound L on a reward; larger ones are clipped to it.", gt=0)
    wipe_out: bool = setting(
        default=True, help="Whether to remove operations that can no longer win; they are not run any more."
    )
    exclude_none: bool = setting(
        default=True,
        help="Whether to exclude `none`; its reward is always 0, so it could survive on an edge.",
    )
    granularity: Literal["sample", "batch"] = setting(
        "sample", "A reward for each use and image, as in the paper, or the mean of a batch for all of them."
    )


PAPER = "arXiv 1906.08031"


def _by_sample(settings: UpdaterSettings) -> bool:
    return settings.granularity == "sample"


def _counts(settings: UpdaterSettings) -> bool:
    return settings.wipe_out or settings.eta is None


def _may_end_with_none(settings: UpdaterSettings) -> bool:
    return settings.wipe_out and not settings.exclude_none


XNAS: Final = Component(
    name="xnas",
    slot="updater",
    summary="Exponentiated gradients on clipped rewards; hopeless operations are wiped out.",
    config=UpdaterSettings,
    build="nascore_xnas.updater:Updater",
    provides=("learns", "mixture-gradient", Give(capability="sparse", when=lambda s: s.wipe_out)),
    needs=(
        Need(
            terms=("relaxation.normalized",),
            why="its rewards are defined for the weighted mean of all forecasts",
        ),
        Need(
            terms=("relaxation.deterministic",),
            why="its bound holds for the mean forecast, not for a drawn one",
        ),
        Need(
            terms=("trainer.sample-gradients",),
            why="its theorem counts one reward for each image and each use of a cell",
            when=_by_sample,
        ),
        Need(
            terms=("not trainer.unrolled",),
            ask="an estimate at the current weights (first)",
            why="its rewards are measured for each sample at the current weights",
        ),
        Need(
            terms=("trainer.two-halves", "growth.shadows"),
            ask="an estimate on images that the weights do not see (first), or shadow growth",
            why="its theorem assumes losses on images that the weights are not trained on",
            verdict="warned",
        ),
        Need(
            terms=("run.horizon",),
            why="step size and wipe-out follow from the number of rewards",
            when=_counts,
        ),
        Need(
            terms=("not space.excludes",),
            ask="a space that may keep every operation, or exclude_none",
            why="wipe-out may leave only `none`, which this space never keeps",
            when=_may_end_with_none,
        ),
    ),
    wishes={
        "relaxation": "softmax",
        "trainer": ("alternating", {"estimate": "first", "sequence": "weights-first"}),
    },
    paper=PAPER,
)


@hookimpl
def nascore_updaters() -> Iterable[Component]:
    """Yield the updater ``xnas``."""
    yield XNAS


@hookimpl
def nascore_presets() -> Iterable[Preset]:
    """Yield the recipes of the paper."""
    folder = Path(__file__).parent / "presets"
    yield Preset(
        name="xnas-cifar10",
        summary="The search of the XNAS paper on CIFAR-10.",
        path=folder / "xnas-cifar10.yaml",
    )
    yield Preset(
        name="xnas-plain",
        summary="XNAS-Plain: the paper's network, trained with DARTS's recipe.",
        path=folder / "xnas-plain.yaml",
    )
    yield Preset(
        name="xnas-1500",
        summary="The paper's training of 1500 epochs with AutoAugment on CIFAR-10.",
        path=folder / "xnas-1500.yaml",
    )
