"""Writes an architecture in a different notation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nascore.errors import PluginError, Problem, RecipeError, did_you_mean
from nascore.files import given_path
from nascore.run import ARCHITECTURE, is_folder, read
from nascore.verbs.architecture import read_architecture
from nascore.verbs.resolution import installed

if TYPE_CHECKING:
    from nascore.plugin.plugin import Wanted
    from nascore.verbs.architecture import Target


def export(target: Target, to: str, *, entry: int | None = None, plugins: Wanted = ()) -> str:
    """Return an architecture as text in a notation.

    Args:
        target: A run, or its folder; a description, or a file with one; a text in a notation of a plugin, a
            file with one (`FILE:NAME` where it has several), or a value that is printed so.
        to: Name of the notation, such as `genotype`.
        entry: Id of an architecture in the run's gallery. None: the run's best.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        PluginError: No plugin provides the notation.
        RecipeError: There is no such architecture, or the notation cannot express it.
    """
    registry = installed(plugins)
    notations = registry.translators()
    full = notations.ambiguous(to)
    if full:
        hint = f"Write {' or '.join(full)}."
        text = f"{len(full)} plugins provide a notation {to}."
        raise PluginError([Problem(path="", text=text, hint=hint)])
    if to not in notations:
        hint = did_you_mean(to, notations) or f"Installed: {', '.join(sorted(notations)) or 'none'}."
        raise PluginError([Problem(path="", text=f"no notation is called {to}.", hint=hint)])
    description = read_architecture(target, registry, entry=entry)
    try:
        return notations[to].to_text(description)
    except RecipeError as error:
        raise type(error)([*error.problems, _inexpressible(target, to, entry)]) from error


def _inexpressible(target: Target, to: str, entry: int | None) -> Problem:
    """Return the problem of an architecture that a notation cannot express, with the file that holds it."""
    text = f"{to} cannot express this architecture."
    if not isinstance(target, (str, Path)) or not is_folder(given_path(target)):
        return Problem(path="", text=text, hint="A description in YAML can express every architecture.")
    if entry is None:
        hint = f"Its description is in {given_path(target) / ARCHITECTURE}."
        return Problem(path="", text=text, hint=hint)
    folder = given_path(target)
    file = folder / next(one.description for one in read(folder).gallery if one.id == entry)
    return Problem(path="", text=text, hint=f"Its description is in {file}.")
