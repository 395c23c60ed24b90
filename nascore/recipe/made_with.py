"""The plugins with which a recipe was written down: its key ``plugins``.

They are a record, not an order: reading a recipe never runs code that it names. They say what to install or
to add when a part is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.component import RUN
from nascore.config.node import show
from nascore.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.config import Node
    from nascore.plugin import Plugin, Registry
    from nascore.recipe.layer import Layer
    from nascore.recipe.recipe import Recipe

KEY: Final = "plugins"
_CORE: Final = "builtin"
_FILE: Final = ".py"


def plugins_of(recipe: Recipe, registry: Registry) -> list[Plugin]:
    """Return the plugins that a recipe needs to be repeated: those that brought a part, and all single files.

    A single file is always needed: it may bring an operation that the space's description names.

    Args:
        recipe: A settled recipe.
        registry: What it was settled with.
    """
    used = {part.component.plugin for slot, parts in recipe.parts.items() if slot != RUN for part in parts}
    return [
        plugin
        for plugin in registry.plugins
        if plugin.status == "ready" and plugin.name != _CORE and (plugin.name in used or plugin.is_file)
    ]


def read_made_with(node: Node | None) -> tuple[Mapping[str, Node], list[Problem]]:
    """Read the key ``plugins``: a map from a plugin's name to ``DISTRIBUTION==VERSION``, or to its file."""
    if node is None:
        return {}, []
    if not isinstance(node.value, dict):
        return {}, [Problem(path=KEY, text=f"{show(node)} is not a map of plugins.", origin=node.origin)]
    wrong = [
        Problem(
            path=f"{KEY}.{name}",
            text=f"{show(item)} is neither a distribution with its version nor a file.",
            origin=item.origin,
        )
        for name, item in node.value.items()
        if not isinstance(item.value, str)
    ]
    return {name: item for name, item in node.value.items() if isinstance(item.value, str)}, wrong


def lost_plugins(layers: Iterable[Layer], registry: Registry) -> dict[str, Node]:
    """Return the plugins that recipes were written down with and that are not loaded now."""
    ready = {plugin.name for plugin in registry.plugins if plugin.status == "ready"}
    return {name: node for layer in layers for name, node in layer.made_with.items() if name not in ready}


def explained(problem: Problem, lost: Mapping[str, Node]) -> Problem:
    """Add to the problem of a missing component which lost plugins may have brought it."""
    if problem.missing or not lost:
        return problem
    text = f"{problem.text.rstrip('.')}; {_said(lost)}"
    return evolve(problem, text=text, hint=_cure(lost), missing=", ".join(lost))


def doubts(lost: Mapping[str, Node]) -> list[Problem]:
    """Warn of a recipe that was written down with plugins that are not loaded, though no part is missing."""
    if not lost:
        return []
    first = next(iter(lost.values()))
    return [Problem(path=KEY, text=_said(lost), origin=first.origin, hint=_cure(lost), verdict="warned")]


def _said(lost: Mapping[str, Node]) -> str:
    many = len(lost) > 1
    return (
        f"the recipe was made with the plugin{'s' if many else ''} {' and '.join(lost)}, "
        f"which {'are' if many else 'is'} not loaded."
    )


def _cure(lost: Mapping[str, Node]) -> str:
    files = [node for node in lost.values() if str(node.value).endswith(_FILE)]
    distributions = [str(node.value).partition("==")[0] for node in lost.values() if node not in files]
    ways = [f"pip install {' '.join(distributions)}"] if distributions else []
    if files:
        ways.append(
            "Add " + " ".join(f"--with {(node.folder or Path()) / str(node.value)}" for node in files) + "."
        )
    return "; ".join(ways)
