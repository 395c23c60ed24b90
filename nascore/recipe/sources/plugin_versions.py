"""The key `plugins` of a recipe: the plugins with which it was written.

They are a record, not an order: reading a recipe never runs code that it names. They say what to install or
to add when a part is missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from nascore.config.document import show, word
from nascore.errors import Problem
from nascore.plugin.compatibility import is_name
from nascore.plugin.known import distributions, state_of
from nascore.plugin.plugin import Plugin
from nascore.shell import command_line
from nascore.slots import BUILTIN, RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.config import Node
    from nascore.plugin import Registry
    from nascore.recipe.settling.recipe import Recipe
    from nascore.recipe.sources.layers import Layer


PLUGINS_KEY: Final = "plugins"
_BETTER: Final = ("Did you mean ", "Write ")
"""How hints begin that say what was meant."""

_DISTRIBUTION: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9.!+_-]*")
"""``DISTRIBUTION==VERSION``, as packages are named (PEP 508) and versions written (PEP 440)."""

_MODULE: Final = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
"""A plugin that is neither installed nor a file, but handed over by a program, is known by its module."""

_FILE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\.py")
"""No character that moves a terminal's cursor or turns the direction of writing."""

SOURCE: Final = "|".join(one.pattern for one in (_DISTRIBUTION, _MODULE, _FILE))
"""Whence a plugin can have come."""


@frozen(kw_only=True)
class Lost:
    """A plugin that a recipe was written down with, and that is not loaded now.

    Attributes:
        node: Where it came from: ``DISTRIBUTION==VERSION``, or its file.
        plugin: It, where it is there and not ready.
    """

    node: Node
    plugin: Plugin | None = None

    @property
    def source(self) -> str:
        """Where it came from."""
        return str(self.node.value)

    @property
    def is_file(self) -> bool:
        """Whether it is a single file."""
        return Plugin(name="", value=self.source).is_file

    @property
    def distribution(self) -> str:
        """The distribution that would have to be installed; empty where that is no cure."""
        name, version, _ = self.source.partition("==")
        return name if version and self.plugin is None and not self.is_file else ""


def plugins_of(recipe: Recipe, registry: Registry) -> list[Plugin]:
    """Return the plugins that a recipe needs to be repeated.

    They are those that brought a part, those that contributed to a hook that a part asks for, and all single
    files. A single file is always needed: it may bring an operation that the space's description names.

    Args:
        recipe: A settled recipe.
        registry: What it was settled with.
    """
    components = [part.component for slot, parts in recipe.parts.items() if slot != RUN for part in parts]
    used = {name for one in components for name in (one.plugin, *one.contributors())}
    return [
        plugin
        for plugin in registry.plugins
        if plugin.status == "ready" and plugin.name != BUILTIN and (plugin.name in used or plugin.is_file)
    ]


def read_made_with(node: Node | None) -> tuple[Mapping[str, Node], list[Problem]]:
    """Read the key ``plugins``: from a plugin's name to its ``DISTRIBUTION==VERSION``, file or module."""
    if node is None:
        return {}, []
    if not isinstance(node.value, dict):
        return {}, [
            Problem(path=PLUGINS_KEY, text=f"{show(node)} is not a map of plugins.", origin=node.origin)
        ]
    wrong = [
        Problem(path=f"{PLUGINS_KEY}.{word(name)}", text=text, origin=item.origin)
        for name, item in node.value.items()
        for text in _faults(name, item)
    ]
    return {name: item for name, item in node.value.items() if not any(_faults(name, item))}, wrong


def _faults(name: str, item: Node) -> Iterator[str]:
    """Yield what is wrong with one entry: a stranger's recipe must not write a command into a message."""
    if not is_name(name):
        yield f"{name!r} is no name of a plugin: letters, digits, -, _ and . are."
    if not isinstance(item.value, str) or not _is_source(item.value):
        yield f"{show(item)} is neither DISTRIBUTION==VERSION, nor a module, nor a .py file."


def _is_source(text: str) -> bool:
    return re.fullmatch(SOURCE, text) is not None


def lost_plugins(layers: Iterable[Layer], registry: Registry) -> dict[str, Lost]:
    """Return the plugins that recipes were written down with and that are not loaded now."""
    ready = {plugin.name for plugin in registry.plugins if plugin.status == "ready"}
    idle = {plugin.name: plugin for plugin in registry.plugins if plugin.name not in ready}
    made_with = {name: node for layer in layers for name, node in layer.made_with.items()}
    return {
        name: Lost(node=node, plugin=idle.get(name)) for name, node in made_with.items() if name not in ready
    }


def explained(problem: Problem, lost: Mapping[str, Lost]) -> Problem:
    """Add to the problem of a missing component which lost plugins may have brought it.

    Nothing is added where it is known already who brings it or what was meant, nor to what was typed now:
    the recipe does not say that.
    """
    typed = problem.origin is not None and problem.origin.kind in ("flag", "python")
    if not lost or typed or problem.of_plugin or problem.hint.startswith(_BETTER):
        return problem
    return evolve(
        problem,
        text=f"{problem.text.rstrip('.')}; {_said(lost)}",
        hint=f"{problem.hint} {_cure(lost)}".strip(),
        missing=", ".join(one.distribution for one in lost.values() if one.distribution),
        of_plugin=True,
    )


def lost_plugin_warnings(lost: Mapping[str, Lost]) -> list[Problem]:
    """Warn of a recipe that was written down with plugins that are not loaded, though no part is missing."""
    if not lost:
        return []
    first = next(iter(lost.values())).node
    return [
        Problem(path=PLUGINS_KEY, text=_said(lost), origin=first.origin, hint=_cure(lost), verdict="warned")
    ]


def contributor_warnings(layers: Iterable[Layer], recipe: Recipe) -> Iterator[Problem]:
    """Warn of each plugin that contributes to a part of a recipe that was written down without the plugin.

    Args:
        layers: The layers of the recipe.
        recipe: What they were settled to.
    """
    made_with = {name for layer in layers for name in layer.made_with}
    parts = [part for parts in recipe.parts.values() for part in parts if part.brought.in_file]
    for part in parts if made_with else ():
        hooks = {one.plugin: one for each in part.component.contributions.values() for one in each}
        for name, one in hooks.items():
            if name in {*made_with, part.component.plugin, BUILTIN}:
                continue
            file = Plugin(name=name, value=one.package).is_file
            yield Problem(
                path=part.slot,
                text=f"{part.name} reads {one.hook} of the plugin {name}, without which the recipe was made.",
                origin=part.brought,
                hint=f"To repeat the recipe, {'leave out' if file else 'add'} "
                f"{command_line('--with', one.package) if file else command_line('--without', name)}.",
                verdict="warned",
            )


def _said(lost: Mapping[str, Lost]) -> str:
    many = len(lost) > 1
    return (
        f"the recipe was made with the plugin{'s' if many else ''} {' and '.join(lost)}, "
        f"which {'are' if many else 'is'} not loaded."
    )


def _cure(lost: Mapping[str, Lost]) -> str:
    ours = [one.distribution for one in lost.values() if one.distribution in distributions()]
    others = [one.source for one in lost.values() if one.distribution and one.distribution not in ours]
    files = [one for one in lost.values() if one.is_file and one.plugin is None]
    idle = [one.plugin for one in lost.values() if one.plugin is not None]
    ways = [command_line("pip", "install", *ours)] if ours else []
    if others:
        # No command: a recipe may come from anyone, and the index gives the name to whoever takes it first.
        ways.append(f"The recipe names {' and '.join(others)}: install it if you know its authors.")
    if files:
        paths = [(one.node.folder or Path()) / one.source for one in files]
        ways.append(f"Add {command_line(*(part for path in paths for part in ('--with', path)))}.")
    ways += [f"{plugin.name} {state_of(plugin)}. {plugin.cure}".rstrip() for plugin in idle]
    return "; ".join(ways)
