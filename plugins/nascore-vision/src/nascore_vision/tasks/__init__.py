"""The tasks: several labels for each image, or numbers. This module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.api import Component, Need, hookimpl
from nascore_vision.tasks.settings import MultilabelSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS: Final = "a data set with numbers for each image: csv or npz, with dataset.target or label_separator"


@hookimpl
def nascore_tasks() -> Iterable[Component]:
    """Yield the tasks."""
    yield Component(
        name="multilabel",
        slot="task",
        summary="Several labels for each image: binary cross entropy, mean average precision.",
        config=MultilabelSettings,
        build="nascore_vision.tasks.multilabel:Multilabel",
        provides=("smooths", "mixes"),
        needs=(
            Need(terms=("dataset.vectors",), ask=NUMBERS, why="an image with one class has no other labels"),
        ),
    )
    yield Component(
        name="regression",
        slot="task",
        summary="One or several numbers for each image: squared error, mean absolute error.",
        build="nascore_vision.tasks.regression:Regression",
        provides=("mixes",),
        needs=(Need(terms=("dataset.vectors",), ask=NUMBERS, why="a class is a name and not an amount"),),
    )
