"""Files that are no recipes, and what was probably meant."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.config import write_scalar
from nascore.config.node import show
from nascore.errors import Problem, did_you_mean
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nascore.component import Slot
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


def flat_key(path: str, keys: Mapping[str, Node], slot: Slot) -> Problem:
    """Return the problem of a key such as ``updater.lr``, which ``--set`` takes and a recipe does not.

    Args:
        path: The key.
        keys: All keys of the recipe.
        slot: The slot that it begins with.
    """
    node, words = keys[path], path.split(".")[1:]
    value = "VALUE" if isinstance(node.value, (dict, list)) else write_scalar(node.value)
    chosen = keys.get(slot.name)
    name = chosen.value if chosen is not None and isinstance(chosen.value, str) else "NAME"
    inner = f"name: {name}, {words[0]}: {value}" if not slot.many else f"{words[0]}: {{{words[-1]}: {value}}}"
    hint = f"Write {slot.name}: {{{inner}}}."
    return Problem(
        path=path, text="a setting stands in the map of its slot.", origin=node.key or node.origin, hint=hint
    )


def not_yaml(where: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems of a file that is no recipe; of a file in TOML with how the same is written."""
    if not where.lower().endswith(".toml"):
        return tuple(problems)
    hint = "A recipe is YAML, not TOML: KEY: VALUE, as nascore show NAME --yaml prints it."
    return tuple(evolve(problem, hint=hint) for problem in problems)


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
    if path.exists():  # the right name of something that is damaged, or no file
        return ""
    beside = [one.name for one in path.parent.iterdir() if one.suffix == ".yaml"]
    return did_you_mean(path.name, beside)
