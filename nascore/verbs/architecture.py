"""Reads an architecture from a run, a YAML file, or a notation of a plugin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, frozen

from nascore.description import Description, load, reducing, resize, spread, with_auxiliary
from nascore.errors import (
    DescriptionError,
    Origin,
    PluginError,
    Problem,
    RecipeError,
    RunFolderError,
    did_you_mean,
)
from nascore.files import MOST_OF_A_DOCUMENT, given_path, read_text
from nascore.plugin.guard import attempt
from nascore.run import RECIPE, beside_of, cause, environment_of, is_file, is_folder, is_there, read
from nascore.verbs.runs import Run, architecture_of, best_of

if TYPE_CHECKING:
    from nascore.description import Passage, Translator
    from nascore.errors import NascoreError
    from nascore.plugin import Registry


NO_PATH = frozenset("(){}[]='\"\n,;|")
"""Letters of a text rather than of a path that somebody mistyped."""

BYTE_ORDER_MARK = "\ufeff"

LONGEST = 60
"""Letters of what was typed that a message repeats."""

MOST_NAMED = 8
"""How many of several architectures in a text a message names."""


@frozen(kw_only=True)
class Text:
    """What is read.

    Attributes:
        text: The text.
        where: The file that it is from; empty where it was typed.
        chosen: Which of several architectures in it is meant: a name, or the number of its line.
    """

    text: str
    where: str = ""
    chosen: str = ""


def text_of(target: object) -> Text:
    """Return the text that a target stands for: that of a file, what was typed, or the text of a value.

    Raises:
        RecipeError: The file cannot be read, or the value is nothing that could be an architecture.
    """
    if isinstance(target, Mapping):
        return Text(text=repr(dict(target)))
    if isinstance(target, Sequence) and not isinstance(target, str):
        return Text(text=repr(target))
    if not isinstance(target, (str, Path)):
        said = f"a {type(target).__name__} is no architecture."
        hint = "Give a run, a description, a path, or a text in a notation."
        raise RecipeError([Problem(path="", text=said, hint=hint)])
    path = given_path(target)
    if is_there(path):
        return Text(text=_content(path), where=str(target))
    file, colon, chosen = str(target).rpartition(":")
    if colon and not set(chosen) & NO_PATH and is_file(given_path(file)):
        return Text(text=_content(given_path(file)), where=file, chosen=chosen.strip())
    return Text(text=str(target))


def notation_of(text: Text, registry: Registry) -> Translator | None:
    """Return the notation that a text is in; None where no notation reads it.

    Raises:
        PluginError: Several do.
    """
    reading = {name: one for name, one in registry.translators().items() if _recognises(one, text.text)}
    if len(reading) > 1:
        said = f"{len(reading)} notations read {text.where or 'this text'}: {' and '.join(reading)}."
        raise PluginError(
            [Problem(path="", text=said, hint="Leave out a plugin that brings one: --without.")]
        )
    return next(iter(reading.values()), None)


def read_notation(text: Text, registry: Registry, **given: Any) -> Description | None:  # noqa: ANN401 - sizes
    """Return the architecture that a text says in a notation; None where no notation reads it.

    Args:
        text: The text.
        registry: What is installed: brings the notations.
        given: What a notation leaves open, by the names of :class:`~nascore.description.FromText`.

    Raises:
        DescriptionError: There are mistakes in it, or it holds several architectures.
        PluginError: Several notations read it.
    """
    translator = notation_of(text, registry)
    if translator is not None:
        if translator.of_catalogue:
            given["operations"] = [name for name, one in registry.operations().items() if not one.structural]
        one = _one_of(translator, text)
        try:
            return translator.from_text(one, **given)
        except DescriptionError as error:
            raise DescriptionError([_from(text.where, problem) for problem in error.problems]) from error
    if text.chosen:
        said = f"{text.where} holds no architecture in a notation that is installed."
        raise RecipeError([Problem(path="", text=said, hint=f"Leave out :{text.chosen}.")])
    return None


def _one_of(translator: Translator, text: Text) -> str:
    """Return the one architecture that is meant in a text, with all else blank."""
    found = translator.find(text.text) if translator.find is not None else ()
    if not found:
        return text.text
    if text.chosen:
        meant = [one for one in found if text.chosen in {*one.names, str(one.line)}]
    else:
        meant = list(found)
    if len(meant) == 1:
        return meant[0].text
    which = f", and {len(meant) or 'none'} of them {text.chosen}" if text.chosen else ""
    several = meant or found
    said = f"{text.where or 'this text'} holds {len(found)} of {translator.name}{which}: {_named(several)}."
    alone = [name for name in several[0].names if sum(name in one.names for one in found) == 1]
    label = alone[0] if alone else several[0].line
    hint = f"Name one by its name or line: {text.where}:{label}" if text.where else "Give one of them."
    raise DescriptionError([Problem(path="", text=said, hint=hint)])


def _named(found: Sequence[Passage]) -> str:
    named = [f"{' = '.join(one.names) or 'one'} (line {one.line})" for one in found[:MOST_NAMED]]
    more = len(found) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _from(where: str, problem: Problem) -> Problem:
    """Return a problem of a text with the file that it is from, if it is from one, in its origin."""
    if not where:
        return problem
    origin = problem.origin or Origin(kind="recipe")
    return evolve(problem, origin=evolve(origin, file=where))


def _recognises(translator: Translator, text: str) -> bool:
    # What a plugin's raises must not hinder the notation that the text is in.
    return attempt(lambda: translator.recognises(text), lambda _error: False)


def _content(file: Path) -> str:
    try:
        return read_text(file, most=MOST_OF_A_DOCUMENT).removeprefix(BYTE_ORDER_MARK)
    except OSError as error:
        raise RecipeError(f"{file} cannot be read: {cause(error)}.") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{file} cannot be read: it is no text in UTF-8.") from error


def nothing(typed: str, registry: Registry) -> NascoreError:
    """Return the error of what is nothing: a mistyped name, a text in no notation, or a path to nowhere.

    A name is never corrected to one that differs in more than capitals and what parts its words: one letter
    apart is the network of another paper.
    """
    names = sorted(name for notation in registry.translators().values() for name in notation.names)
    short = _plain(typed)
    near = [name for name in names if short and _plain(name).startswith(short)]
    said = typed if len(typed) <= LONGEST else f"{typed[:LONGEST]}..."
    if near:
        return RecipeError(f"{said} is no name that a notation knows. Did you mean {' or '.join(near)}?")
    if set(typed) & NO_PATH:
        hint = f"Notations: {', '.join(sorted(registry.translators())) or 'none installed'}."
        return RecipeError(f"{said} is neither a name nor a text in a notation that is installed. {hint}")
    beside = did_you_mean(typed, map(str, beside_of(given_path(typed))))
    known = beside or (f"Names: {', '.join(names)}." if names else "")
    text = f"{said} is neither a run, nor a file, nor the name of an architecture. {known}"
    return RunFolderError(text.rstrip())


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


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
