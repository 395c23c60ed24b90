"""The default plugin: what nascore brings itself, through the same door as every other plugin.

This module says what there is and imports neither torch nor scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.api import Component, Problem, hookimpl
from nascore.builtin.operations import OPERATIONS
from nascore.builtin.settings import (
    FileSettings,
    PlantedDataSettings,
    PlantedSpaceSettings,
    SoftmaxSettings,
    SyntheticSettings,
    TinySettings,
)
from nascore.builtin.training import ALTERNATING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Choice, Operation


def _file_exists(settings: FileSettings, recipe: Choice) -> Iterable[Problem]:
    del recipe
    if settings.path is None:
        text = "no file is named."
    elif not settings.path.is_file():
        text = f"there is no file {settings.path}."
    else:
        return
    yield Problem(path="space.path", text=text, hint="Write --space file:PATH.", slots=("space",))


@hookimpl
def nascore_spaces() -> Iterable[Component]:
    """Yield the spaces that need no algorithm's plugin."""
    yield Component(
        name="file",
        slot="space",
        summary="A description in YAML, written by hand or exported.",
        config=FileSettings,
        build="nascore.builtin.spaces:File",
        argument="path",
        check=_file_exists,
    )
    yield Component(
        name="tiny",
        slot="space",
        summary="A cell of two nodes with four operations, for tests.",
        config=TinySettings,
        build="nascore.builtin.spaces:Tiny",
        provides=("excludes",),
    )
    yield Component(
        name="planted",
        slot="space",
        summary="One useful candidate among noise: shows whether a search chooses.",
        config=PlantedSpaceSettings,
        build="nascore.builtin.spaces:Planted",
    )


@hookimpl
def nascore_updaters() -> Iterable[Component]:
    """Yield the control."""
    yield Component(
        name="uniform",
        slot="updater",
        summary="Learns nothing and chooses at random: the control.",
        build="nascore.builtin.updater:Uniform",
    )


@hookimpl
def nascore_relaxations() -> Iterable[Component]:
    """Yield the softmax."""
    yield Component(
        name="softmax",
        slot="relaxation",
        summary="Mixes all candidates by the softmax of theta.",
        config=SoftmaxSettings,
        build="nascore.builtin.relaxation:Softmax",
        provides=("normalized", "deterministic", "unbiased"),
    )


@hookimpl
def nascore_datasets() -> Iterable[Component]:
    """Yield data that needs no download."""
    yield Component(
        name="digits",
        slot="dataset",
        summary="1,797 handwritten digits of 8x8 pixels from scikit-learn.",
        build="nascore.builtin.digits:Digits",
        provides=("halves",),
    )
    yield Component(
        name="synthetic",
        slot="dataset",
        summary="Class means plus noise, of any size.",
        config=SyntheticSettings,
        build="nascore.builtin.artificial:Synthetic",
        provides=("halves",),
    )
    yield Component(
        name="planted",
        slot="dataset",
        summary="The class is a 3x3 pattern at a random place: needs a convolution.",
        config=PlantedDataSettings,
        build="nascore.builtin.artificial:PlantedPatterns",
        provides=("halves",),
    )


@hookimpl
def nascore_trainers() -> Iterable[Component]:
    """Yield the trainer of two levels."""
    yield ALTERNATING


@hookimpl
def nascore_operations() -> Iterable[Operation]:
    """Yield the catalogue."""
    yield from OPERATIONS
