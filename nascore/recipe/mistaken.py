"""Files that are no recipes, and what was probably meant."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from nascore.config.node import show
from nascore.errors import Problem, did_you_mean
from nascore.shell import command_line

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.config import Node
    from nascore.errors import Origin
    from nascore.plugin import Registry

_OF_DESCRIPTIONS: Final = {"network", "cells", "channels", "in_channels", "classes"}
"""Keys that every description has, and that no recipe has."""

_OF_A_RUN: Final = "recipe.yaml"


def mistaken(root: Node, where: str) -> Problem | None:
    """Return the problem of a document that is no recipe at all; None for one that may be.

    Args:
        root: The root of the document.
        where: The file.
    """
    if not isinstance(root.value, dict):
        text = f"a recipe is a map of keys, not {show(root)}."
        return Problem(path="", text=text, origin=root.origin, hint="Begin it with nascore: 1.")
    if len(_OF_DESCRIPTIONS & root.value.keys()) > 1:
        text = f"{where} is the description of an architecture, not a recipe."
        return Problem(
            path="", text=text, origin=root.origin, hint=f"Write {command_line('--space', f'file:{where}')}."
        )
    return None


def not_read(path: Path, error: Exception, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a recipe file that cannot be read.

    Args:
        path: The file.
        error: Why.
        origin: Where it was named.
        registry: What is installed: it may be a preset that was meant.
    """
    at = "recipe" if origin.layer == "flag" else "include"
    if isinstance(error, UnicodeDecodeError):
        return Problem(path=at, text=f"{path} is not UTF-8 text.", origin=origin)
    if not isinstance(error, OSError):
        # A character that no path has, or links in a circle.
        return Problem(path=at, text=f"{str(path)!r} cannot be read: {error}.", origin=origin)
    hint = ""
    with suppress(OSError):  # it may be the folder that cannot be read, or a name too long for any
        hint = _meant(path, registry)
    text = f"{path} cannot be read: {error.strerror or error}."
    return Problem(path=at, text=text, origin=origin, hint=hint)


def _meant(path: Path, registry: Registry) -> str:
    if str(path) in registry.presets():
        return f"A preset is called so: write {command_line('--preset', path)}."
    if (path / _OF_A_RUN).is_file():
        return f"Did you mean {path / _OF_A_RUN}?"
    beside = [one.name for one in path.parent.iterdir() if one.suffix == ".yaml"]
    return did_you_mean(path.name, beside)
