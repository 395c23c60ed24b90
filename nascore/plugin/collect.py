"""Calling the hooks of one plugin, guarded: one broken plugin harms only itself.

pluggy keeps the markers, checks the arguments of implementations and takes hooks that plugins add. Its own
calls are not used: their results come without provenance, and one exception stops all.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import pluggy
from attrs import evolve

from nascore.component import SLOTS, Command, Component, Preset
from nascore.plugin import hookspecs
from nascore.plugin.declarations import faults

if TYPE_CHECKING:
    from nascore.component import Slot
    from nascore.plugin.plugin import Plugin

PREFIX: Final = "nascore_"
_ADDHOOKS: Final = "nascore_addhooks"


class BrokenError(Exception):
    """A plugin breaks a rule of loading; the text says which."""


def collect(found: Mapping[Plugin, object], slots: Iterable[Slot] = SLOTS) -> list[Plugin]:
    """Fill plugins with what their modules bring; those that cannot be read become broken.

    Args:
        found: Each plugin with its imported module (or any object that holds its hooks).
        slots: The slot table.
    """
    manager = pluggy.PluginManager("nascore")
    manager.add_hookspecs(hookspecs)
    slots = tuple(slots)
    # First the hooks that plugins bring, so that a mismatch is charged to who implements one of them.
    brought = [
        _guarded(plugin, lambda p, m=module: _add_hooks(p, m, manager)) for plugin, module in found.items()
    ]
    return [
        plugin
        if plugin.status == "broken"
        else _guarded(plugin, lambda p, m=module: _read(p, m, manager, slots))
        for plugin, module in zip(brought, found.values(), strict=True)
    ]


def _guarded(plugin: Plugin, work: Any) -> Plugin:  # noqa: ANN401 - a step from plugin to plugin
    try:
        filled: Plugin = work(plugin)
    except (BrokenError, pluggy.PluginValidationError) as error:
        return evolve(plugin, status="broken", reason=str(error).strip())
    except Exception as error:  # noqa: BLE001 - foreign code: whatever it raises must not stop the others
        reason = f"{type(error).__name__}: {error}"
        return evolve(plugin, status="broken", reason=reason, trace=traceback.format_exc())
    return filled


def _add_hooks(plugin: Plugin, module: object, manager: pluggy.PluginManager) -> Plugin:
    bringer = getattr(module, _ADDHOOKS, None)
    if bringer is not None:
        for specifications in _items(_ADDHOOKS, bringer()):
            manager.add_hookspecs(specifications)
    return plugin


def _read(plugin: Plugin, module: object, manager: pluggy.PluginManager, slots: tuple[Slot, ...]) -> Plugin:
    _unmarked(module)
    try:
        manager.register(module, plugin.name)
    except ValueError as error:
        raise BrokenError(f"another plugin is called {plugin.name} too") from error
    callers = manager.get_hookcallers(module) or []
    if not callers:
        raise BrokenError("it has no function marked with @hookimpl: it brings nothing")
    results: dict[str, list[Any]] = {}
    for caller in callers:
        if not caller.has_spec():
            raise BrokenError(f"no hook is called {caller.name}")
        if caller.name != _ADDHOOKS:
            mine = next(item for item in caller.get_hookimpls() if item.plugin is module)
            results[caller.name] = _items(caller.name, mine.function())
    return _filled(plugin, results, slots)


def _filled(plugin: Plugin, results: Mapping[str, list[Any]], slots: tuple[Slot, ...]) -> Plugin:
    components: list[Component] = []
    for slot in slots:
        for item in _of(Component, slot.hook, results):
            if item.slot != slot.name:
                raise BrokenError(f"{slot.hook} brings {item.name}, a component of slot {item.slot}")
            components.append(evolve(item, plugin=plugin.name))
    wrong = [fault for component in components for fault in faults(component, slots)]
    if wrong:
        raise BrokenError("\n".join(wrong))
    return evolve(
        plugin,
        components=tuple(components),
        operations=tuple(_operations(results)),
        presets=tuple(evolve(item, plugin=plugin.name) for item in _of(Preset, "nascore_presets", results)),
        translators=tuple(_translators(results)),
        commands=tuple(
            evolve(item, plugin=plugin.name) for item in _of(Command, "nascore_commands", results)
        ),
        added={name: tuple(items) for name, items in results.items() if not hasattr(hookspecs, name)},
    )


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
            raise BrokenError(f"{hook} brings {item!r}, which is no {kind.__name__}")
    return items


def _items(hook: str, result: object) -> list[Any]:
    if not isinstance(result, Iterable) or isinstance(result, (str, Mapping)):
        raise BrokenError(f"{hook} must give an iterable, not {type(result).__name__}")
    return list(result)


def _unmarked(module: object) -> None:
    """Refuse a hook without its mark: pluggy would ignore it silently."""
    for name in dir(module):
        if name.startswith(PREFIX):
            value = getattr(module, name)
            if callable(value) and not hasattr(value, "nascore_impl"):
                raise BrokenError(f"{name} is not marked with @hookimpl")
