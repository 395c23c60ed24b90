"""Calling the hooks of one plugin, guarded: one broken plugin harms only itself.

pluggy keeps the markers and takes hooks that plugins add. Its own calls are not used: their results come
without provenance, and one exception stops all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pluggy
from attrs import evolve

from nascore.component import SLOTS, Command, Component, Preset
from nascore.plugin import hookspecs
from nascore.plugin.declarations import faults, misnamed, repeated
from nascore.plugin.hooks import Owners, hooks_of, marked
from nascore.plugin.loading import BrokenError, called

if TYPE_CHECKING:
    from collections.abc import Callable

    from nascore.component import Slot
    from nascore.plugin.plugin import Plugin

_ADDHOOKS: Final = "nascore_addhooks"
_MOST: Final = 10_000
"""Items that a hook may bring: one that never ends would hang every command."""
_AUTHORS: Final = "Its authors have to correct it."


def collect(
    found: Mapping[Plugin, object], slots: Iterable[Slot] = SLOTS, *, others: Iterable[Plugin] = ()
) -> list[Plugin]:
    """Fill plugins with what their modules bring; those that cannot be read become broken.

    Args:
        found: Each plugin with its imported module (or any object that holds its hooks).
        slots: The slot table.
        others: Further plugins that are known, though they are not loaded.
    """
    manager = pluggy.PluginManager("nascore")
    manager.add_hookspecs(hookspecs)
    slots = tuple(slots)
    known = [plugin for plugin in (*found, *others) if plugin.distribution]
    owners = Owners(packages={plugin.package: plugin.distribution for plugin in known})
    # First the hooks that plugins bring, so that a mismatch is charged to who implements one of them.
    brought = [
        called(plugin, partial(_add_hooks, plugin, module, manager)) for plugin, module in found.items()
    ]
    names = {name for name, caller in vars(manager.hook).items() if isinstance(caller, pluggy.HookCaller)}
    filled = []
    for plugin, module in zip(brought, found.values(), strict=True):
        hooks = partial(hooks_of, plugin, module, names, owners)
        filled.append(
            called(plugin, partial(_read, plugin, hooks, slots)) if plugin.status == "ready" else plugin
        )
    return filled


def _add_hooks(plugin: Plugin, module: object, manager: pluggy.PluginManager) -> Plugin:
    for one in marked(module):
        if one.hook == _ADDHOOKS:
            for specifications in _items(_ADDHOOKS, one.function):
                manager.add_hookspecs(specifications)
    return plugin


def _read(plugin: Plugin, hooks: Callable[[], dict[str, Any]], slots: tuple[Slot, ...]) -> Plugin:
    results = {name: _items(name, function) for name, function in hooks().items() if name != _ADDHOOKS}
    components = tuple(_components(plugin, results, slots))
    filled = evolve(
        plugin,
        components=components,
        operations=tuple(_operations(results)),
        presets=tuple(evolve(item, plugin=plugin.name) for item in _of(Preset, "nascore_presets", results)),
        translators=tuple(_translators(results)),
        commands=tuple(
            evolve(item, plugin=plugin.name) for item in _of(Command, "nascore_commands", results)
        ),
        added={name: tuple(items) for name, items in results.items() if not hasattr(hookspecs, name)},
    )
    wrong = [fault for component in components for fault in faults(component, slots)]
    wrong += [*misnamed(filled), *repeated(filled)]
    if wrong:
        raise BrokenError(" ".join(wrong), _AUTHORS)
    return filled


def _components(
    plugin: Plugin, results: Mapping[str, list[Any]], slots: tuple[Slot, ...]
) -> Iterable[Component]:
    for slot in slots:
        for item in _of(Component, slot.hook, results):
            if item.slot != slot.name:
                raise BrokenError(
                    f"{slot.hook} brings {item.name}, a component of slot {item.slot}",
                    f"Bring it by nascore_{item.slot}s, or correct its slot.",
                )
            yield evolve(item, plugin=plugin.name)


def _operations(results: Mapping[str, list[Any]]) -> list[Any]:
    if not results.get("nascore_operations"):
        return []
    # Only now: listing components need not import descriptions.
    from nascore.description import Operation  # noqa: PLC0415

    return _of(Operation, "nascore_operations", results)


def _translators(results: Mapping[str, list[Any]]) -> list[Any]:
    if not results.get("nascore_translators"):
        return []
    from nascore.description.translate import Translator  # noqa: PLC0415 - as above

    return _of(Translator, "nascore_translators", results)


def _of(kind: type, hook: str, results: Mapping[str, list[Any]]) -> list[Any]:
    items = results.get(hook, [])
    for item in items:
        if not isinstance(item, kind):
            raise BrokenError(
                f"{hook} brings {item!r}, which is no {kind.__name__}", f"Yield objects of {kind.__name__}."
            )
    return items


def _items(hook: str, function: Callable[[], object]) -> list[Any]:
    result = function()
    if not isinstance(result, Iterable) or isinstance(result, (str, Mapping)):
        text = f"{hook} must give an iterable, not {type(result).__name__}"
        raise BrokenError(text, "Use yield, or return a list.")
    items = list(islice(result, _MOST + 1))
    if len(items) > _MOST:
        raise BrokenError(f"{hook} brings more than {_MOST:,} things", "See to it that it ends.")
    return items
