"""The default plugin: what nascore brings itself, through the same door as every other plugin.

This module says what there is and imports neither torch nor scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.api import Component, hookimpl
from nascore.builtin.file_space import check_file
from nascore.builtin.operations import OPERATIONS
from nascore.builtin.packages import digits_package
from nascore.builtin.settings import (
    FileSettings,
    PlantedDataSettings,
    PlantedSpaceSettings,
    SoftmaxSettings,
    SyntheticSettings,
    TerminalSettings,
    TinySettings,
)
from nascore.builtin.training import ALTERNATING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Operation


@hookimpl
def nascore_spaces() -> Iterable[Component]:
    """Yield the spaces that need no algorithm's plugin."""
    yield Component(
        name="file",
        slot="space",
        summary="A description in YAML, written by hand or exported.",
        config=FileSettings,
        build="nascore.builtin.file_space:File",
        argument="path",
        check=check_file,
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
        check=digits_package,
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
def nascore_observers() -> Iterable[Component]:
    """Yield the view of a run."""
    yield Component(
        name="terminal",
        slot="observer",
        summary="Shows the run on stderr: live in a terminal, a line an epoch elsewhere.",
        config=TerminalSettings,
        build="nascore.builtin.terminal:terminal",
    )


@hookimpl
def nascore_operations() -> Iterable[Operation]:
    """Yield the catalogue."""
    yield from OPERATIONS
