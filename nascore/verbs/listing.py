"""Lists installed components, presets, notations, verbs, executions and operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.capability import BY_SLOT, CAPABILITIES, sentence
from nascore.component import Give
from nascore.config import write_scalar
from nascore.errors import Problem, RecipeError, did_you_mean, refusal
from nascore.plugin.known import absence
from nascore.recipe.sources.run_settings import SEARCH_RUN
from nascore.shell import command_line
from nascore.slots import RUN, SLOTS
from nascore.verbs.resolution import installed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.description import Operation
    from nascore.errors import NascoreError
    from nascore.plugin import Plugin, Registry
    from nascore.plugin.plugin import Wanted


PRESET = "preset"
OPERATION = "operation"
NOTATION = "notation"
VERB = "verb"
EXECUTION = "execution"
CAPABILITY = "capability"
KINDS = (*(slot.name for slot in SLOTS), PRESET, NOTATION, VERB, EXECUTION, OPERATION)
"""Kinds that can be listed: the slots, and the other parts of plugins."""


@frozen(kw_only=True)
class ListedCapability:
    """A capability of the parts of a slot.

    Attributes:
        slot: The slot.
        name: The capability, as `provides` and `needs` of a component name it.
        summary: The meaning of the capability, as a phrase after "a part that".
        provided: The components of the slot that have it, with their plugin where names are ambiguous.
        conditional: Those of them that have it with some settings only.
        needed: The components that need it.
        excluded: The components that need a part without it.
    """

    slot: str
    name: str
    summary: str
    provided: tuple[str, ...]
    conditional: tuple[str, ...]
    needed: tuple[str, ...]
    excluded: tuple[str, ...]


@frozen(kw_only=True)
class Listed:
    """A part in a list.

    Attributes:
        kind: Its slot, or `preset`, `notation`, `verb`, `execution`, `operation`.
        name: The name that users type.
        summary: One sentence.
        plugin: The plugin that provides it.
    """

    kind: str
    name: str
    summary: str
    plugin: str

    def answers(self, name: str) -> bool:
        """Return whether this is its name, with or without its plugin's."""
        return name in {self.name, f"{self.plugin}:{self.name}"}


def listing(kind: str | None = None, *, plugins: Wanted = (), own: Iterable[Listed] = ()) -> list[Listed]:
    """Return the installed parts.

    Args:
        kind: A slot, `preset`, `notation`, `verb`, `execution` or `operation`, or the plural of one. None:
            all but operations, which are many.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        own: The verbs of the core.

    Raises:
        RecipeError: The kind does not exist.
        PluginError: A file of `plugins` cannot be used.
    """
    if kind is not None and kind.removesuffix("s") in KINDS:
        kind = kind.removesuffix("s")
    if kind is not None and kind not in KINDS:
        known = (*KINDS, CAPABILITY)
        hint = did_you_mean(kind, known) or f"Known: {', '.join(known)}."
        raise RecipeError([Problem(path="", text=f"no slot is called {kind}.", hint=hint)])
    registry = installed(plugins)
    wanted = [kind] if kind else [name for name in KINDS if name != OPERATION]
    first = [one for one in own if one.kind in wanted]
    return [*(found for name in wanted for found in items(registry, name)), *first]


def capability_listing(*, plugins: Wanted = ()) -> list[ListedCapability]:
    """Return the capabilities of nascore, and those that installed components provide or need, by slot.

    Args:
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        PluginError: A file of `plugins` cannot be used.
    """
    registry = installed(plugins)
    components = [SEARCH_RUN, *(one for slot in SLOTS for one in registry.components(slot.name))]
    order = [*(slot.name for slot in SLOTS), RUN]
    given: dict[tuple[str, str], dict[str, bool]] = {
        (slot, name): {} for slot in order for name in BY_SLOT.get(slot, ())
    }
    requested: dict[tuple[str, str, bool], list[str]] = {}
    for one in components:
        label = f"{one.plugin}:{one.name}" if registry.ambiguous(one.slot, one.name) else one.name
        for item in one.provides:
            name, sometimes = (item.capability, True) if isinstance(item, Give) else (item, False)
            given.setdefault((one.slot, name), {})[label] = sometimes
        for term in dict.fromkeys(term for need in one.needs for term in need.terms):
            slot, _, name = term.removeprefix("not ").partition(".")
            given.setdefault((slot, name), {})
            requested.setdefault((slot, name, term.startswith("not ")), []).append(label)
    return [
        ListedCapability(
            slot=slot,
            name=name,
            summary=sentence(name),
            provided=tuple(labels),
            conditional=tuple(label for label, sometimes in labels.items() if sometimes),
            needed=tuple(dict.fromkeys(requested.get((slot, name, False), ()))),
            excluded=tuple(dict.fromkeys(requested.get((slot, name, True), ()))),
        )
        for (slot, name), labels in sorted(
            given.items(), key=lambda one: [*order, one[0][0]].index(one[0][0])
        )
    ]


def items(registry: Registry, kind: str) -> list[Listed]:
    """Return all parts of a kind, sorted by name.

    Args:
        registry: The installed plugins.
        kind: One of `KINDS`.
    """
    found = (one for plugin in registry.plugins for one in of_plugin(plugin, kind))
    return sorted(found, key=lambda one: (one.name, one.plugin))


def of_plugin(plugin: Plugin, kind: str) -> Iterable[Listed]:
    """Return all parts of a kind in one plugin, in the plugin's order."""

    def listed(name: str, summary: str) -> Listed:
        return Listed(kind=kind, name=name, summary=summary, plugin=plugin.name)

    if kind == PRESET:
        return [listed(one.name, one.summary) for one in plugin.presets]
    if kind == NOTATION:
        return [listed(one.name, one.summary) for one in plugin.translators]
    if kind == VERB:
        return [listed(one.name, one.summary) for one in plugin.commands]
    if kind == EXECUTION:
        return [listed(one.name, one.summary) for one in plugin.executions]
    if kind == OPERATION:
        return [listed(one.name, call(one)) for one in plugin.operations]
    return [listed(one.name, one.summary) for one in plugin.components if one.slot == kind]


def call(entry: Operation) -> str:
    """Return how a description writes an operation, with the defaults of its settings."""
    settings = ";".join(f"{key}={write_scalar(value)}" for key, value in entry.settings.items())
    return f"{entry.name}({settings})" if settings else entry.name


def unknown_name_error(name: str, registry: Registry, own: Iterable[Listed] = ()) -> NascoreError:
    """Return the error for a name that no installed part has.

    Args:
        name: The typed name.
        registry: The installed plugins.
        own: The verbs of the core.
    """
    if name in CAPABILITIES:
        return _error(f"{name} is a capability.", f"Write {command_line('nascore', 'list', CAPABILITY)}.")
    if name in {*KINDS, CAPABILITY}:
        return _error(
            f"{name} is a slot or a kind of parts.", f"Write {command_line('nascore', 'list', name)}."
        )
    if name in {one.name for one in registry.plugins}:
        return _error(f"{name} is a plugin.", f"Write {command_line('nascore', 'plugins', 'show', name)}.")
    why = next(filter(None, (absence(kind, name, registry.plugins) for kind in KINDS)), None)
    if why is not None:
        text = f"no installed part is called {name}; {why}"
        return refusal([Problem(path="", text=text, hint=why.cure, missing=why.missing, of_plugin=True)])
    known = [one for kind in KINDS for one in items(registry, kind)]
    names = {RUN, *(one.name for one in (*known, *own)), *(f"{one.plugin}:{one.name}" for one in known)}
    return _error(f"no installed part is called {name}.", did_you_mean(name, names) or "See nascore list.")


def _error(text: str, hint: str) -> NascoreError:
    return refusal([Problem(path="", text=text, hint=hint)])
