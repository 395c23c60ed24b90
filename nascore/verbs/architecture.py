"""An architecture, however it is named: a run, a file in YAML, or a notation that a plugin reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.description import load, reducing, resize, spread, with_auxiliary
from nascore.errors import (
    DescriptionError,
    Origin,
    PluginError,
    Problem,
    RecipeError,
    RunFolderError,
    did_you_mean,
)
from nascore.files import MOST_OF_A_DOCUMENT, read_text
from nascore.run import RECIPE, beside_of, cause, environment_of, is_file, is_folder, is_there, read
from nascore.verbs.gallery import architecture_of
from nascore.verbs.runs import Run, best_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.description import Description, Translator
    from nascore.errors import NascoreError
    from nascore.plugin import Registry

NO_PATH = frozenset("(){}[]='\"\n,;|")
"""Letters of a text rather than of a path that somebody mistyped."""

LONGEST = 60
"""Letters of what was typed that a message repeats."""

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
    elif isinstance(target, (str, Path)) and is_file(Path(target) / RECIPE):
        path = Path(target)
        read(path)  # a damaged run is named, also where the damage is elsewhere
    else:
        return None
    match environment_of(path):
        case {"image": [int(), int(height), int(width)]}:
            return height, width
    return None


def read_architecture(
    target: Run | Description | str | Path,
    registry: Registry,
    size: Size | None = None,
    *,
    entry: int | None = None,
) -> Description:
    """Return the description of an architecture.

    Args:
        target: A run, or its folder; a description, or a file with one; a file with a text in a notation that
            a plugin reads, or a name that it knows, such as that of a published genotype.
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
    if not isinstance(target, (str, Path)):
        return scaled(target, size)
    path = Path(target)
    if is_folder(path):
        return scaled(best_of(path), size)
    text = _text(path)
    where = str(target) if is_there(path) else ""
    reading = {name: one for name, one in registry.translators().items() if _recognises(one, text)}
    if len(reading) > 1:
        said = f"{len(reading)} notations read {where or 'this text'}: {' and '.join(reading)}."
        raise PluginError(
            [Problem(path="", text=said, hint="Leave out a plugin that brings one: --without.")]
        )
    for translator in reading.values():
        return _translated(translator, text, where, size)
    if not where:
        raise _nothing(str(target), registry)
    return scaled(load(text, where=where, catalogue=registry.operations(), classifies=True), size)


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


def _translated(translator: Translator, text: str, where: str, size: Size) -> Description:
    """Return the description of a text, or raise its problems with the file that it is from."""
    try:
        return translator.from_text(text, auxiliary=size.auxiliary, **_given(size))
    except DescriptionError as error:
        raise DescriptionError([_from(where, problem) for problem in error.problems]) from error


def _from(where: str, problem: Problem) -> Problem:
    """Return a problem of a text with the file that it is from, if it is from one, in its origin."""
    if not where:
        return problem
    numbers = [] if problem.origin is None else problem.origin.where.split(":")[1:][-2:]
    return evolve(problem, origin=Origin(layer="recipe", where=":".join([where, *numbers])))


def _recognises(translator: Translator, text: str) -> bool:
    try:
        return translator.recognises(text)
    except Exception:  # noqa: BLE001 - a plugin's: it must not hinder the notation that the text is in
        return False


def _text(target: Path) -> str:
    """Return the text that a target stands for: that of a file, or what was typed."""
    if not is_there(target):
        return str(target)
    try:
        return read_text(target, most=MOST_OF_A_DOCUMENT)
    except OSError as error:
        raise RecipeError(f"{target} cannot be read: {cause(error)}.") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{target} cannot be read: it is no text in UTF-8.") from error


def _nothing(typed: str, registry: Registry) -> NascoreError:
    """Return the error of what is nothing: a mistyped name, a text in no notation, or a path to nowhere."""
    names = sorted(name for notation in registry.translators().values() for name in notation.names)
    near = did_you_mean(typed, names)
    said = typed if len(typed) <= LONGEST else f"{typed[:LONGEST]}..."
    if near or set(typed) & NO_PATH:
        hint = near or f"Notations: {', '.join(sorted(registry.translators())) or 'none installed'}."
        return RecipeError(f"{said} is neither a name nor a text in a notation that is installed. {hint}")
    beside = did_you_mean(typed, map(str, beside_of(Path(typed))))
    known = beside or (f"Names: {', '.join(names)}." if names else "")
    text = f"{said} is neither a run, nor a file, nor the name of an architecture. {known}"
    return RunFolderError(text.rstrip())


def _given(size: Size) -> Mapping[str, int]:
    named = {"channels": size.channels, "cells": size.cells, "classes": size.classes}
    return {name: value for name, value in named.items() if value is not None}
