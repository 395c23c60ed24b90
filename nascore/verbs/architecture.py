"""Reads an architecture from a run, a YAML file, or a notation of a plugin."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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
    cause,
    did_you_mean,
)
from nascore.files import MOST_OF_A_DOCUMENT, given_path, read_text
from nascore.plugin.guard import attempt
from nascore.plugin.known import absence
from nascore.run import RECIPE, beside_of, environment_of, is_file, is_folder, is_there, read
from nascore.verbs.runs import Run, architecture_of, best_of

if TYPE_CHECKING:
    from nascore.description import Passage, Translator
    from nascore.errors import NascoreError
    from nascore.plugin import Registry


NO_PATH = frozenset("(){}[]='\"\n,;|")
"""Characters that occur in the text of a notation, but hardly in a mistyped path."""

BYTE_ORDER_MARK = "\ufeff"

LONGEST = 60
"""Number of typed characters that a message repeats."""

NOTATION = "notation"
"""The kind of the names that notations have."""

MOST_NAMED = 8
"""Number of architectures in a text that a message names."""


@frozen(kw_only=True)
class Text:
    """A text that describes an architecture.

    Attributes:
        text: The text.
        where: The file of the text; empty if the user typed it.
        chosen: Name or line number that selects one of several architectures in the text.
    """

    text: str
    where: str = ""
    chosen: str = ""


def text_of(target: object) -> Text:
    """Return the text of a target: the content of a file, the typed text, or the text of a value.

    Raises:
        RecipeError: The file cannot be read, or a value of this type cannot be an architecture.
    """
    if isinstance(target, Mapping):
        return Text(text=repr(dict(target)))
    if isinstance(target, Sequence) and not isinstance(target, str):
        return Text(text=repr(target))
    if not isinstance(target, (str, Path)):
        text = f"a {type(target).__name__} is not an architecture."
        hint = "Pass a run, a description, a path, a text in a notation, or to evaluate a torch module."
        raise RecipeError([Problem(path="", text=text, hint=hint)])
    path = given_path(target)
    if is_there(path):
        return Text(text=_content(path), where=str(target))
    file, colon, chosen = str(target).rpartition(":")
    if colon and not set(chosen) & NO_PATH and is_file(given_path(file)):
        return Text(text=_content(given_path(file)), where=file, chosen=chosen.strip())
    return Text(text=str(target))


def notation_of(text: Text, registry: Registry) -> Translator | None:
    """Return the notation of a text; None if no notation can read it.

    Raises:
        PluginError: Several notations can read the text.
    """
    matching = {name: one for name, one in registry.translators().items() if _recognises(one, text.text)}
    if len(matching) > 1:
        message = f"{len(matching)} notations read {text.where or 'this text'}: {' and '.join(matching)}."
        hint = "Disable one of the plugins that provide them with --without."
        raise PluginError([Problem(path="", text=message, hint=hint)])
    return next(iter(matching.values()), None)


def read_notation(text: Text, registry: Registry, **sizes: Any) -> Description | None:  # noqa: ANN401 - numbers and flags
    """Return the architecture of a text in a notation; None if no notation can read it.

    Args:
        text: The text.
        registry: The installed plugins, which provide the notations.
        sizes: Values that a notation leaves open, by the names of :class:`~nascore.description.FromText`.

    Raises:
        DescriptionError: The text has mistakes, or holds several architectures.
        PluginError: Several notations can read the text.
    """
    translator = notation_of(text, registry)
    if translator is not None:
        if translator.of_catalogue:
            sizes["operations"] = [name for name, one in registry.operations().items() if not one.structural]
        passage = _select_passage(translator, text)
        try:
            return translator.from_text(passage, **sizes)
        except DescriptionError as error:
            raise DescriptionError([_from(text.where, problem) for problem in error.problems]) from error
    if text.chosen:
        message = f"{text.where} holds no architecture in an installed notation."
        raise RecipeError([Problem(path="", text=message, hint=f"Leave out :{text.chosen}.")])
    return None


def _select_passage(translator: Translator, text: Text) -> str:
    """Return the text with everything blank but the selected architecture."""
    found = translator.find(text.text) if translator.find is not None else ()
    if not found:
        return text.text
    if text.chosen:
        selected = [one for one in found if text.chosen in {*one.names, str(one.line)}]
    else:
        selected = list(found)
    if len(selected) == 1:
        return selected[0].text
    matches = f", and {len(selected) or 'none'} of them {text.chosen}" if text.chosen else ""
    several = selected or found
    source = text.where or "this text"
    message = f"{source} holds {len(found)} of {translator.name}{matches}: {_named(several)}."
    unique = [name for name in several[0].names if sum(name in one.names for one in found) == 1]
    label = unique[0] if unique else several[0].line
    hint = f"Name one by its name or line: {text.where}:{label}" if text.where else "Pass one of them."
    raise DescriptionError([Problem(path="", text=message, hint=hint)])


def _named(found: Sequence[Passage]) -> str:
    named = [f"{' = '.join(one.names) or 'one'} (line {one.line})" for one in found[:MOST_NAMED]]
    more = len(found) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _from(where: str, problem: Problem) -> Problem:
    """Return a problem with the file of the text, if there is one, in its origin."""
    if not where:
        return problem
    origin = problem.origin or Origin(kind="recipe")
    return evolve(problem, origin=evolve(origin, file=where))


def _recognises(translator: Translator, text: str) -> bool:
    # An exception in one plugin must not prevent another notation from reading the text.
    return attempt(lambda: translator.recognises(text), lambda _error: False)


def _content(file: Path) -> str:
    try:
        return read_text(file, most=MOST_OF_A_DOCUMENT).removeprefix(BYTE_ORDER_MARK)
    except OSError as error:
        raise RecipeError(f"{file} cannot be read: {cause(error)}.") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{file} cannot be read: it is not UTF-8 text.") from error


def unknown_architecture(typed: str, registry: Registry) -> NascoreError:
    """Return the error for a text that is not a known name, a text in a notation, or an existing path.

    A suggested name differs only in capitals and separators: with another letter it is the network of
    another paper.
    """
    library, colon, _ = typed.partition(":")
    absent = absence(NOTATION, library, registry.plugins) if colon else None
    if absent is not None:
        text = f"no notation is called {library}; {absent}"
        return PluginError([Problem(path="", text=text, hint=absent.cure, missing=absent.missing)])
    libraries = [name for name, one in registry.translators().items() if _recognises(one, f"{name}:")]
    meant = did_you_mean(library, libraries) if colon else ""
    if meant:
        return RecipeError(f"no notation is called {library}. {meant}")
    names = sorted(name for notation in registry.translators().values() for name in notation.names)
    short = _plain(typed)
    near = [name for name in names if short and _plain(name).startswith(short)]
    shown = typed if len(typed) <= LONGEST else f"{typed[:LONGEST]}..."
    if near:
        return RecipeError(f"no notation has the name {shown}. Did you mean {' or '.join(near)}?")
    if set(typed) & NO_PATH:
        hint = f"Notations: {', '.join(sorted(registry.translators())) or 'none installed'}."
        return RecipeError(f"{shown} is neither a name nor a text in an installed notation. {hint}")
    neighbour = did_you_mean(typed, map(str, beside_of(given_path(typed))))
    known = neighbour or (f"Names: {', '.join(names)}." if names else "")
    text = f"{shown} is neither a run, nor a file, nor the name of an architecture. {known}"
    return RunFolderError(text.rstrip())


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


Target: TypeAlias = "Run | Description | str | Path | Mapping[str, Any] | Sequence[Any] | Callable[..., Any]"
"""A value that names an architecture."""

_UNREPEATED = Problem(
    path="cells",
    text="no node of this network repeats, so its depth cannot change.",
    hint="Add a repeat to the nodes of its stages, or leave out --cells.",
)
_UNREDUCED = Problem(
    path="auxiliary",
    text="an auxiliary head is placed at the last reduction, and this network has none.",
    hint="Write the head as a separate node, or leave out --auxiliary.",
)


@frozen(kw_only=True)
class Size:
    """The size to which an architecture is scaled; None keeps the value of the architecture or its notation.

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


def folder_of(target: object) -> Path | None:
    """Return the folder of a run; None if the target is not a run."""
    if isinstance(target, Run):
        return target.path
    is_run = isinstance(target, (str, Path)) and is_file(given_path(target) / RECIPE)
    return given_path(target) if is_run and isinstance(target, (str, Path)) else None


def image_of(target: object) -> tuple[int, int] | None:
    """Return height and width of a run's images; None if the target is not a run."""
    path = folder_of(target)
    if path is None:
        return None
    if not isinstance(target, Run):
        read(path)  # reports damage of any file of the run
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
        target: A run, or its folder; a description, or a file with one; a text in a plugin's notation, or a
            file with one, or `FILE:NAME` if the file holds several; a name that a notation knows, such as
            that of a published genotype; or a value with such a text, such as a namedtuple or a dictionary.
        registry: The installed plugins, which provide the notations.
        size: The size to scale it to.
        entry: Id of an architecture in the run's gallery. None: the best of a run.

    Raises:
        RecipeError: The target does not exist, or cannot be read.
        RunFolderError: The folder holds no architecture, or no entry with this id.
        PluginError: Several notations can read the text.
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
        raise unknown_architecture(text.text, registry)
    read = load(text.text, where=text.where, catalogue=registry.operations(), classifies=True)
    return scaled(read, size)


def sizes_of_notation(target: Target, registry: Registry) -> tuple[Mapping[str, Mapping[str, int]], str]:
    """Return the default sizes of a target's notation by scale, and its name.

    A run, a description, and a file with a description have their own size, so the result is empty for them.
    """
    read, _ = notation_of_target(target, registry)
    return ({}, "") if read is None else ({"mini": read.mini, "small": read.small}, f"notation {read.name}")


def notation_of_target(target: Target, registry: Registry) -> tuple[Translator | None, str]:
    """Return the notation of a target and its text; no notation for a run and a description."""
    folder = isinstance(target, (str, Path)) and is_folder(given_path(target))
    if folder or isinstance(target, (Run, Description)):
        return None, ""
    text = text_of(target)
    return notation_of(text, registry), text.text


def scaled(description: Description, size: Size) -> Description:
    """Return a description scaled to another size.

    Raises:
        RecipeError: The description has no repeated nodes, or no place for an auxiliary head.
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
