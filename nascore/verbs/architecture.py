"""An architecture, however it is named: a run, a file in YAML, or a notation that a plugin reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, frozen

from nascore.description import Description, load, reducing, resize, spread, with_auxiliary
from nascore.errors import Problem, RecipeError
from nascore.files import given_path
from nascore.run import RECIPE, environment_of, is_file, is_folder, read
from nascore.verbs.gallery import architecture_of
from nascore.verbs.notations import notation_of, nothing, read_notation, text_of
from nascore.verbs.runs import Run, best_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.plugin import Registry

Target: TypeAlias = "Run | Description | str | Path | Mapping[str, Any] | Sequence[Any]"
"""What names an architecture."""

_UNREPEATED = Problem(
    path="cells",
    text="no node of this network repeats, so it cannot be made deeper or shallower.",
    hint="Give the nodes of its stages a repeat, or leave --cells out.",
)
_UNREDUCED = Problem(
    path="auxiliary",
    text="an auxiliary head stands where the reduction last rises, and in this network it never does.",
    hint="Write the head as a node of its own, or leave --auxiliary out.",
)


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
    if isinstance(target, Run):
        path = target.path
    elif isinstance(target, (str, Path)) and is_file(given_path(target) / RECIPE):
        path = given_path(target)
        read(path)  # a damaged run is named, also where the damage is elsewhere
    else:
        return None
    match environment_of(path):
        case {"image": [int(), int(height), int(width)]}:
            return height, width
    return None


def read_architecture(
    target: Target,
    registry: Registry,
    size: Size | None = None,
    *,
    entry: int | None = None,
) -> Description:
    """Return the description of an architecture.

    Args:
        target: A run, or its folder; a description, or a file with one; a text in a notation that a plugin
            reads, or a file with one, or `FILE:NAME` where it holds several, or a name that it knows, such as
            that of a published genotype; or a value whose text is one, such as a namedtuple or a dictionary.
        registry: What is installed: brings the notations.
        size: What to scale it to.
        entry: Id of an architecture in the run's gallery. None: the best, where the target is a run.

    Raises:
        RecipeError: There is no such thing, or it cannot be read.
        RunFolderError: The folder holds no architecture, or not this one.
        PluginError: Several notations read it.
    """
    size = size or Size()
    if entry is not None:
        return scaled(architecture_of(target, entry), size)
    if isinstance(target, Run):
        return scaled(target.best, size)
    if isinstance(target, Description):
        return scaled(target, size)
    if isinstance(target, (str, Path)) and is_folder(given_path(target)):
        return scaled(best_of(given_path(target)), size)
    text = text_of(target)
    found = read_notation(text, registry, auxiliary=size.auxiliary, **_given(size))
    if found is not None:
        return found
    if not text.where:
        raise nothing(text.text, registry)
    read = load(text.text, where=text.where, catalogue=registry.operations(), classifies=True)
    return scaled(read, size)


def sizes_of_notation(target: Target, registry: Registry) -> tuple[Mapping[str, Mapping[str, int]], str]:
    """Return the sizes of the notation that a target is written in, by scale, and its name.

    None are said for a run, for a description, and for a file that holds one: those have a size of their own.
    """
    folder = isinstance(target, (str, Path)) and is_folder(given_path(target))
    if folder or isinstance(target, (Run, Description)):
        return {}, ""
    read = notation_of(text_of(target), registry)
    return ({}, "") if read is None else ({"mini": read.mini}, f"notation {read.name}")


def scaled(description: Description, size: Size) -> Description:
    """Return a description at another size.

    Raises:
        RecipeError: It has nothing to repeat, or no place for an auxiliary head.
    """
    if size.classes is not None:
        description = evolve(description, classes=size.classes)
    repeats = {} if size.cells is None else spread(description, size.cells)
    problems = [_UNREPEATED] if size.cells is not None and not repeats else []
    headless = size.auxiliary and description.auxiliary is None
    source = reducing(description) if headless else None
    problems += [_UNREDUCED] if headless and source is None else []
    if problems:
        raise RecipeError(problems)
    description = resize(description, channels=size.channels, repeats=repeats)
    return description if source is None else with_auxiliary(description, source)


def _given(size: Size) -> Mapping[str, int]:
    named = {"channels": size.channels, "cells": size.cells, "classes": size.classes}
    return {name: value for name, value in named.items() if value is not None}
