"""The key `plugins` of a recipe: the plugins that were loaded when it was written.

It is a record: reading a recipe never loads code that it names. If a part is missing, hints name the plugins
to install or to add.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from nascore.config.document import parse_document, show, word
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
EXECUTION_NAME: Final = "execution.name"
"""The setting that names the execution, which a plugin may bring."""

_BETTER: Final = ("Did you mean ", "Write ")
"""The beginnings of hints at the intended name."""

_DISTRIBUTION: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9.!+_-]*")
"""``DISTRIBUTION==VERSION``, by the rules of PEP 508 and PEP 440."""

_MODULE: Final = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
"""A plugin that is neither installed nor a file, but passed by a program, is identified by its module."""

_FILE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\.py(?::[A-Za-z_][A-Za-z0-9_]*)?")
"""A file name without characters that move a terminal's cursor or change the direction of text."""

SOURCE: Final = "|".join(one.pattern for one in (_DISTRIBUTION, _MODULE, _FILE))
"""A source of a plugin."""


@frozen(kw_only=True)
class Lost:
    """A plugin in the record of a recipe that is not loaded now.

    Attributes:
        node: Its source: ``DISTRIBUTION==VERSION``, or its file.
        plugin: The plugin, if it is found but not ready.
    """

    node: Node
    plugin: Plugin | None = None

    @property
    def source(self) -> str:
        """Its source."""
        return str(self.node.value)

    @property
    def is_file(self) -> bool:
        """Whether it is a single file."""
        return Plugin(name="", value=self.source).is_file

    @property
    def distribution(self) -> str:
        """The distribution to install; empty where an installation does not help."""
        name, version, _ = self.source.partition("==")
        return name if version and self.plugin is None and not self.is_file else ""


def plugins_of(recipe: Recipe, registry: Registry) -> list[Plugin]:
    """Return the plugins that are needed to repeat a recipe.

    They are the plugins of its parts and of its execution, those that contribute to a hook that a part reads,
    all single files and all networks from Python. A single file is always included: the description of the
    space may use an operation of it.

    Args:
        recipe: A settled recipe.
        registry: The registry that it was settled with.
    """
    components = [part.component for slot, parts in recipe.parts.items() if slot != RUN for part in parts]
    used = {name for one in components for name in (one.plugin, *one.contributors())}
    execution = registry.executions().get(recipe.setting(EXECUTION_NAME))
    used |= set() if execution is None else {execution.plugin}
    return [
        plugin
        for plugin in registry.plugins
        if plugin.status == "ready"
        and plugin.name != BUILTIN
        and (plugin.name in used or plugin.is_file or plugin.is_network)
    ]


def read_made_with(node: Node | None) -> tuple[Mapping[str, Node], list[Problem]]:
    """Read the key ``plugins``: a map from plugin names to ``DISTRIBUTION==VERSION``, file or module."""
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


def plugin_files(text: str, folder: Path) -> list[Path]:
    """Return the files of the single-file plugins that a recipe was made with; none where it cannot be read.

    Args:
        text: The recipe.
        folder: The folder of the recipe.
    """
    found = (Plugin(name="", value=source) for source in _sources(text, folder))
    return [folder / one.value for one in found if one.is_file]


def network_of_python(text: str, folder: Path) -> str:
    """Return the name of the network from Python that a recipe was made with; empty: it was made without one.

    Args:
        text: The recipe.
        folder: The folder of the recipe.
    """
    found = (Plugin(name="", value=source) for source in _sources(text, folder))
    return next((one.value.partition(".")[2] for one in found if one.is_network), "")


def _sources(text: str, folder: Path) -> list[str]:
    document = parse_document(text, where=str(folder))
    keys = {} if document.root is None else document.root.value
    made_with, _ = read_made_with(keys.get(PLUGINS_KEY) if isinstance(keys, dict) else None)
    return [str(node.value) for node in made_with.values()]


def _faults(name: str, item: Node) -> Iterator[str]:
    """Yield the faults of one entry: a stranger's recipe must not be able to put a command into a message."""
    if not is_name(name):
        yield f"{name!r} is not a plugin name, which consists of letters, digits, -, _ and dots."
    if not isinstance(item.value, str) or not _is_source(item.value):
        yield f"{show(item)} is neither DISTRIBUTION==VERSION, nor a module, nor a .py file."


def _is_source(text: str) -> bool:
    return re.fullmatch(SOURCE, text) is not None


def lost_plugins(layers: Iterable[Layer], registry: Registry) -> dict[str, Lost]:
    """Return the plugins in the records of recipes that are not loaded now, by name."""
    ready = {plugin.name for plugin in registry.plugins if plugin.status == "ready"}
    idle = {plugin.name: plugin for plugin in registry.plugins if plugin.name not in ready}
    made_with = {name: node for layer in layers for name, node in layer.made_with.items()}
    return {
        name: Lost(node=node, plugin=idle.get(name)) for name, node in made_with.items() if name not in ready
    }


def explained(problem: Problem, lost: Mapping[str, Lost]) -> Problem:
    """Return the problem of a missing component, with the lost plugins that may provide it.

    The problem is unchanged where the plugin or the intended name is known already, and where the name is
    from the command line instead of the recipe.
    """
    typed = problem.origin is not None and problem.origin.kind in ("flag", "python")
    if not lost or typed or problem.of_plugin or problem.hint.startswith(_BETTER):
        return problem
    return evolve(
        problem,
        text=f"{problem.text.rstrip('.')}; {_lost_text(lost)}",
        hint=f"{problem.hint} {_lost_hint(lost)}".strip(),
        missing=", ".join(one.distribution for one in lost.values() if one.distribution),
        of_plugin=True,
    )


def lost_plugin_warnings(lost: Mapping[str, Lost]) -> list[Problem]:
    """Return a warning for a recipe whose recorded plugins are not loaded, though no part is missing."""
    if not lost:
        return []
    first = next(iter(lost.values())).node
    return [
        Problem(
            path=PLUGINS_KEY,
            text=_lost_text(lost),
            origin=first.origin,
            hint=_lost_hint(lost),
            verdict="warned",
        )
    ]


def contributor_warnings(layers: Iterable[Layer], recipe: Recipe) -> Iterator[Problem]:
    """Yield a warning for each plugin that contributes to a part although the recipe was written without it.

    Args:
        layers: The layers of the recipe.
        recipe: The settled recipe.
    """
    made_with = {name for layer in layers for name in layer.made_with}
    parts = [part for parts in recipe.parts.values() for part in parts if part.chosen_by.in_file]
    for part in parts if made_with else ():
        contributions = {
            item.plugin: item for items in part.component.contributions.values() for item in items
        }
        for name, contribution in contributions.items():
            if name in {*made_with, part.component.plugin, BUILTIN}:
                continue
            package = contribution.package
            is_file = Plugin(name=name, value=package).is_file
            option = command_line("--with", package) if is_file else command_line("--without", name)
            yield Problem(
                path=part.slot,
                text=f"{part.name} reads {contribution.hook} of the plugin {name}, "
                "which was not loaded when the recipe was made.",
                origin=part.chosen_by,
                hint=f"To repeat the recipe, {'remove' if is_file else 'add'} {option}.",
                verdict="warned",
            )


def _lost_text(lost: Mapping[str, Lost]) -> str:
    many = len(lost) > 1
    return (
        f"the recipe was made with the plugin{'s' if many else ''} {' and '.join(lost)}, "
        f"which {'are' if many else 'is'} not loaded."
    )


def _lost_hint(lost: Mapping[str, Lost]) -> str:
    ours = [one.distribution for one in lost.values() if one.distribution in distributions()]
    others = [one.source for one in lost.values() if one.distribution and one.distribution not in ours]
    files = [one for one in lost.values() if one.is_file and one.plugin is None]
    idle = [one.plugin for one in lost.values() if one.plugin is not None]
    remedies = [command_line("pip", "install", *ours)] if ours else []
    if others:
        # No command: a recipe may come from anyone, and anyone can register a free name at the package index.
        remedies.append(f"The recipe names {' and '.join(others)}: install it if you know its authors.")
    if files:
        paths = [(one.node.folder or Path()) / one.source for one in files]
        remedies.append(f"Add {command_line(*(part for path in paths for part in ('--with', path)))}.")
    remedies += [f"{plugin.name} {state_of(plugin)}. {plugin.cure}".rstrip() for plugin in idle]
    return "; ".join(remedies)
