"""The plugin `builtin`: the parts that come with nascore.

This module declares the parts and imports neither torch nor scikit-learn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import fields_dict

from nascore.api import Component, Execution, Give, Need, hookimpl
from nascore.builtin.components import (
    ALTERNATING,
    PENALTIES,
    AlternatingSettings,
    FileSettings,
    LinearSettings,
    OneHotSettings,
    PlantedDataSettings,
    PlantedSpaceSettings,
    ProcessesSettings,
    RandomSettings,
    SgdSettings,
    SoftmaxSettings,
    SyntheticSettings,
    TerminalSettings,
    TinySettings,
    digits_package,
)
from nascore.builtin.operations import OPERATIONS
from nascore.builtin.spaces import check_file, excludes
from nascore.builtin.sweep import SweepSettings, check_grid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Operation


_OF_A_SUPERNET: Final = (
    "updater",
    "relaxation",
    "regularizer",
    # Not the estimate: needs of other parts depend on it.
    *(f"trainer.{name}" for name in fields_dict(AlternatingSettings) if name != "estimate"),
)
"""Settings that have no effect without a search in a supernet."""


@hookimpl
def nascore_spaces() -> Iterable[Component]:
    """Yield the spaces that belong to no algorithm."""
    yield Component(
        name="file",
        slot="space",
        summary="A description in YAML, written by hand or exported.",
        config=FileSettings,
        build="nascore.builtin.spaces:File",
        provides=(Give(capability="excludes", when=excludes),),
        argument="path",
        check=check_file,
        example={"path": Path(__file__).with_name("example.yaml")},
    )
    yield Component(
        name="tiny",
        slot="space",
        summary="A cell of two nodes with four operations, for tests.",
        config=TinySettings,
        build="nascore.builtin.spaces:Tiny",
        sizes={"mini": {"channels": 16, "cells": 4}, "small": {"channels": 16, "cells": 8}},
        provides=("excludes",),
    )
    yield Component(
        name="planted",
        slot="space",
        summary="One useful candidate among noise, to test whether a search finds it.",
        config=PlantedSpaceSettings,
        build="nascore.builtin.spaces:Planted",
    )


@hookimpl
def nascore_growths() -> Iterable[Component]:
    """Yield the search in one supernet, random search as a baseline, and the sweep over sizes."""
    yield Component(
        name="none",
        slot="growth",
        summary="A single search in a supernet, without growth.",
        build="nascore.builtin.growth:NoGrowth",
        provides=("supernet",),
    )
    yield Component(
        name="random",
        slot="growth",
        summary="Trains randomly drawn architectures, as a baseline.",
        config=RandomSettings,
        build="nascore.builtin.growth:Random",
        provides=("remarks",),
        needs=(
            Need(
                terms=("not updater.learns",),
                ask="an updater that learns nothing (uniform)",
                why="architectures are drawn at random, and the updater is never called",
                verdict="warned",
            ),
        ),
        wishes={"updater": "uniform"},
        mini={"count": 5},
        small={"count": 12},
        unread=dict.fromkeys(_OF_A_SUPERNET, "drawn architectures are trained by the settings ranking.*"),
        paper="arXiv 1902.07638",
    )
    yield Component(
        name="sweep",
        slot="growth",
        summary="Trains or searches the space at every point of a grid of its settings.",
        config=SweepSettings,
        build="nascore.builtin.sweep:Sweep",
        provides=("searches", "remarks"),
        check=check_grid,
    )


@hookimpl
def nascore_updaters() -> Iterable[Component]:
    """Yield the control, and plain gradient descent."""
    yield Component(
        name="uniform",
        slot="updater",
        summary="Learns nothing and chooses at random, as a baseline.",
        build="nascore.builtin.updaters:Uniform",
    )
    yield Component(
        name="sgd",
        slot="updater",
        summary="SGD on the architecture parameters.",
        config=SgdSettings,
        build="nascore.builtin.updaters:Sgd",
        provides=("learns",),
        needs=(
            Need(
                terms=("trainer.two-halves", "growth.shadows"),
                ask="an estimate on images that the weights do not see (first, unrolled), or shadow growth",
                why="trained on the same images, the architecture overfits (DARTS: 3.56 % error, not 3.00 %)",
                verdict="warned",
            ),
        ),
    )


@hookimpl
def nascore_relaxations() -> Iterable[Component]:
    """Yield softmax weights, draws from them, and unconstrained weights."""
    yield Component(
        name="softmax",
        slot="relaxation",
        summary="Weights all candidates by the softmax of theta (alpha in DARTS).",
        config=SoftmaxSettings,
        build="nascore.builtin.relaxations:Softmax",
        provides=("normalized", "deterministic", "unbiased"),
    )
    yield Component(
        name="one-hot",
        slot="relaxation",
        summary="Runs one candidate, drawn from the softmax of theta, with a gradient for all.",
        config=OneHotSettings,
        build="nascore.builtin.relaxations:OneHot",
        provides=("normalized", "unbiased"),
    )
    yield Component(
        name="linear",
        slot="relaxation",
        summary="Weights candidates by theta itself, without constraints.",
        config=LinearSettings,
        build="nascore.builtin.relaxations:Linear",
        provides=("deterministic",),
    )


@hookimpl
def nascore_regularizers() -> Iterable[Component]:
    """Yield the penalties."""
    yield from PENALTIES


@hookimpl
def nascore_tasks() -> Iterable[Component]:
    """Yield the classification, which is the default."""
    yield Component(
        name="classification",
        slot="task",
        summary="One class for each image: cross entropy, accuracy.",
        build="nascore.nn:Classification",
        provides=("one-class", "smooths", "mixes"),
        needs=(
            Need(
                terms=("not dataset.vectors", "dataset.classes"),
                ask="a data set with one class for each image",
                why="a classification learns one class for each image",
            ),
        ),
    )


@hookimpl
def nascore_datasets() -> Iterable[Component]:
    """Yield the data sets that need no download."""
    yield Component(
        name="digits",
        slot="dataset",
        summary="1,797 handwritten digits of 8x8 pixels from scikit-learn.",
        build="nascore.builtin.datasets:Digits",
        provides=("halves",),
        check=digits_package,
    )
    yield Component(
        name="synthetic",
        slot="dataset",
        summary="Synthetic images of any size: class means plus noise.",
        config=SyntheticSettings,
        build="nascore.builtin.datasets:Synthetic",
        provides=("halves",),
    )
    yield Component(
        name="planted",
        slot="dataset",
        summary="Synthetic images whose class is a 3x3 pattern at a random place.",
        config=PlantedDataSettings,
        build="nascore.builtin.datasets:PlantedPatterns",
        provides=("halves",),
    )


@hookimpl
def nascore_trainers() -> Iterable[Component]:
    """Yield the bilevel trainer."""
    yield ALTERNATING


@hookimpl
def nascore_executors() -> Iterable[Component]:
    """Yield the executors of this machine."""
    yield Component(
        name="serial",
        slot="executor",
        summary="Runs one job after the other in this process.",
        build="nascore.builtin.executors:Serial",
    )
    yield Component(
        name="processes",
        slot="executor",
        summary="Runs several jobs at once, each in a process of its own on this machine.",
        config=ProcessesSettings,
        build="nascore.builtin.executors:Processes",
    )


@hookimpl
def nascore_observers() -> Iterable[Component]:
    """Yield the terminal view of a run."""
    yield Component(
        name="terminal",
        slot="observer",
        summary="Shows the run on stderr: live in a terminal, otherwise one line for each epoch.",
        config=TerminalSettings,
        build="nascore.builtin.terminal:terminal",
    )


@hookimpl
def nascore_executions() -> Iterable[Execution]:
    """Yield the ways in which networks compute; all of them give the same results up to rounding."""
    yield Execution(
        name="plain",
        summary="Calls each operation separately; the reference for the others.",
        build="nascore.nn.execution:Plain",
    )
    yield Execution(
        name="fused",
        summary="Computes the operations that read one state together; for CPUs.",
        build="nascore.nn.fused:Fused",
    )
    yield Execution(
        name="batched",
        summary="The fused execution with as few calls of operations as possible, for GPUs.",
        build="nascore.nn.fused:Batched",
    )


@hookimpl
def nascore_operations() -> Iterable[Operation]:
    """Yield the operations of the core."""
    yield from OPERATIONS
