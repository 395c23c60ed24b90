"""An architecture, however it is named: a run, a file in YAML, or a notation that a plugin reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.description import load, reducing, resize, spread, with_auxiliary
from nascore.errors import RecipeError, RunFolderError
from nascore.run.reading import RECIPE
from nascore.verbs.runs import ARCHITECTURE, Run, load_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.description import Description
    from nascore.plugin import Registry


@frozen(kw_only=True)
class Size:
    """What an architecture is scaled to; None: as it is, or as its notation has it.

    Attributes:
        channels: Width of the first cell.
        cells: Number of cells, spread over the stages.
        classes: Number of classes.
        auxiliary: Whether to add the auxiliary head.
    """

    channels: int | None = None
    cells: int | None = None
    classes: int | None = None
    auxiliary: bool = False


def image_of(target: object) -> tuple[int, int] | None:
    """Return height and width of the images that a run was made for; None where the target is no run."""
    if isinstance(target, (str, Path)) and (Path(target) / RECIPE).is_file():
        target = load_run(target)
    return tuple(target.result["image"][1:]) if isinstance(target, Run) else None


def read_architecture(
    target: Run | Description | str | Path, registry: Registry, size: Size | None = None
) -> Description:
    """Return the description of an architecture.

    Args:
        target: A run, or its folder; a description, or a file with one; a file with a text in a notation that
            a plugin reads, or a name that it knows, such as that of a published genotype.
        registry: What is installed: brings the notations.
        size: What to scale it to.

    Raises:
        RecipeError: There is no such thing, or it cannot be read.
        RunFolderError: The folder holds no architecture.
    """
    size = size or Size()
    if isinstance(target, Run):
        return scaled(target.best, size)
    if not isinstance(target, (str, Path)):
        return scaled(target, size)
    text, where = _text(Path(target))
    for translator in registry.translators().values():
        if translator.recognises(text):
            return translator.from_text(text, auxiliary=size.auxiliary, **_given(size))
    if not where:
        raise RecipeError(f"{target} is neither a run, nor a file, nor the name of an architecture.")
    return scaled(load(text, where=where), size)


def scaled(description: Description, size: Size) -> Description:
    """Return a description at another size."""
    if size.classes is not None:
        description = evolve(description, classes=size.classes)
    repeats = None if size.cells is None else spread(description, size.cells)
    description = resize(description, channels=size.channels, repeats=repeats)
    source = reducing(description) if size.auxiliary and description.auxiliary is None else None
    return description if source is None else with_auxiliary(description, source)


def _text(target: Path) -> tuple[str, str]:
    """Return the text that a target stands for, and the file that it is in; none for a bare name."""
    if target.is_dir():
        file = target / ARCHITECTURE
        if not file.is_file():
            raise RunFolderError(
                f"{target} holds no architecture: there is no {ARCHITECTURE.as_posix()} in it."
            )
        target = file
    if not target.is_file():
        return str(target), ""
    try:
        return target.read_text(encoding="utf-8"), str(target)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{target} cannot be read: {error}") from error


def _given(size: Size) -> Mapping[str, int]:
    named = {"channels": size.channels, "cells": size.cells, "classes": size.classes}
    return {name: value for name, value in named.items() if value is not None}
