"""Finds and checks the hooks of a module, without calling them.

pluggy keeps the markers and takes hooks that plugins add. Its own calls are not used: their results come
without provenance, and one exception stops all.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cache, partial
from importlib.metadata import packages_distributions
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Final

import pluggy
from attrs import evolve, frozen

from nascore.component import Command, Component, Contribution, Preset
from nascore.errors import did_you_mean
from nascore.plugin import hookspecs
from nascore.plugin.compatibility import faults, misnamed_parts, repeated
from nascore.plugin.loading import BrokenError, called
from nascore.plugin.plugin import same_distribution
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nascore.plugin.plugin import Plugin
    from nascore.slots import Slot


PREFIX: Final = "nascore_"
MARK: Final = "nascore_impl"
"""The attribute that @hookimpl leaves on a function."""
_ROUTINES: Final = (FunctionType, BuiltinFunctionType, MethodType, type(cache(len)))
_MORE: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@frozen(kw_only=True)
class Owners:
    """Who brings which package, as far as plugins do.

    Attributes:
        packages: Distribution of each top-level package.
    """

    packages: Mapping[str, str]

    def other(self, plugin: Plugin, package: str) -> str:
        """Return the distribution that a package is of, if it is another than a plugin's own."""
        found = [self.packages[package]] if package in self.packages else _installed(package)
        mine = any(same_distribution(one, plugin.distribution) for one in found)
        return "" if mine or not found else found[0]


def _installed(package: str) -> list[str]:
    # Reads the file lists of all that is installed: only for a function that seems to be of elsewhere.
    return list(packages_distributions().get(package, ()))


@frozen(kw_only=True, eq=False)
class Marked:
    """A function that is marked as an implementation of a hook, and the name that it has in its module."""

    name: str
    hook: str
    function: Callable[[], Any]


def marked(module: object) -> Iterator[Marked]:
    """Yield the implementations of hooks in a module, or in any object that holds some."""
    for name, value in _looked_at(module):
        options = getattr(value, MARK, None)
        if isinstance(options, dict) and callable(value):
            yield Marked(name=name, hook=options.get("specname") or name, function=value)


def _unmarked(module: object) -> Iterator[str]:
    for name, value in _looked_at(module):
        if name.startswith(PREFIX) and callable(value) and not isinstance(getattr(value, MARK, None), dict):
            yield name


def _looked_at(module: object) -> Iterator[tuple[str, Any]]:
    """Yield what may be a hook, by name: other things may be proxies, which load or raise when touched."""
    known = vars(module) if isinstance(module, ModuleType) else None
    for name in dir(module):
        if name.startswith(PREFIX):
            yield name, getattr(module, name)
            continue
        value = getattr(module, name) if known is None else known.get(name)
        # Not isinstance: it asks the value for its class.
        if issubclass(type(value), _ROUTINES):
            yield name, value


def hooks_of(
    plugin: Plugin, module: object, known: Collection[str], owners: Owners
) -> dict[str, Callable[[], Any]]:
    """Return the hooks that a module implements.

    Args:
        plugin: Whose module it is.
        module: The module, or any object that holds hooks.
        known: Names of all hooks that there are.
        owners: Who brings which package.

    Raises:
        BrokenError: With everything that is wrong with them.
    """
    found: dict[str, Marked] = {}
    faults: list[tuple[str, str]] = [
        (f"{name} is not marked with @hookimpl", "Put @hookimpl above it.") for name in _unmarked(module)
    ]
    for one in marked(module):
        first = found.setdefault(one.hook, one)
        if first.function != one.function:
            text = f"{one.hook} is implemented twice, by {first.name} and {one.name}"
            faults.append((text, "Make one function of both."))
        faults += _faults(one.hook, one.function, known)
        faults += _borrowed(plugin, module, one, owners)
    if faults:
        raise BrokenError("; ".join(text for text, _ in faults), " ".join(cure for _, cure in faults))
    if not found:
        # Hooks that other plugins added count as well: whoever only implements those brings something.
        raise BrokenError(
            "it has no function marked with @hookimpl: it brings nothing", "Its entry point may be wrong."
        )
    return {hook: one.function for hook, one in found.items()}


def _near(hook: str, known: Collection[str]) -> str:
    # Without what those of the core begin with, by which any two look alike.
    bare = {name.removeprefix(PREFIX): name for name in known}
    near = did_you_mean(hook.removeprefix(PREFIX), bare)
    return next(
        (f"Did you mean {name}?" for word, name in bare.items() if near == f"Did you mean {word}?"), ""
    )


def _faults(hook: str, function: Callable[..., Any], known: Collection[str]) -> Iterator[tuple[str, str]]:
    if hook not in known:
        near = _near(hook, known)
        instead = near or "Known: " + ", ".join(sorted(known)) + "."
        yield f"no hook is called {hook}", f"{instead} If another plugin adds it, install that."
        return
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable without a signature: calling it will tell
        return
    asked = [one.name for one in parameters if one.default is one.empty and one.kind not in _MORE]
    if asked:
        text = f"{hook} asks for the argument{'s' if len(asked) > 1 else ''} {', '.join(asked)}"
        yield f"{text}, and hooks are called without any", f"Write def {hook}():"


def _borrowed(plugin: Plugin, module: object, one: Marked, owners: Owners) -> Iterator[tuple[str, str]]:
    """A hook that was imported from another plugin would bring that one's components twice."""
    home = getattr(one.function, "__module__", None)
    if not isinstance(module, ModuleType) or not isinstance(home, str):
        return
    package = home.partition(".")[0]
    if package == module.__name__.partition(".")[0]:
        return
    other = owners.other(plugin, package)
    if other:
        text = f"{one.name} is imported from {home}, which is of {other}"
        yield text, f"Import the module {home}, not its hook."


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
        read = partial(_read, plugin, hooks, slots, names)
        filled.append(called(plugin, read) if plugin.status == "ready" else plugin)
    return filled


def _add_hooks(plugin: Plugin, module: object, manager: pluggy.PluginManager) -> Plugin:
    for one in marked(module):
        if one.hook == _ADDHOOKS:
            for specifications in _items(_ADDHOOKS, one.function):
                manager.add_hookspecs(specifications)
    return plugin


def _read(
    plugin: Plugin, hooks: Callable[[], dict[str, Any]], slots: tuple[Slot, ...], known: Collection[str]
) -> Plugin:
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
    wrong += [*misnamed_parts(filled), *repeated(filled)]
    if wrong:
        raise BrokenError(" ".join(wrong), _AUTHORS)
    unread = [fault for component in components for fault in _unreadable(component, known)]
    if unread:
        raise BrokenError("; ".join(text for text, _ in unread), " ".join(cure for _, cure in unread))
    return filled


def _unreadable(component: Component, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each hook that a component asks for and that no plugin added, and what to do about it."""
    own = [hook for hook in known if not hasattr(hookspecs, hook)]
    for hook in component.asks:
        if hook in own:
            continue
        asked = f"{component.name} asks for {hook}"
        if hook in known:
            yield f"{asked}, a hook of nascore", "A component can read only hooks that plugins add."
            continue
        near = did_you_mean(hook, own) or (f"Known: {', '.join(sorted(own))}." if own else "")
        cure = f"{near} If another plugin adds it, install that, or do not leave it out.".strip()
        yield f"{asked}, and no plugin adds a hook of this name", cure


def answered(plugins: Iterable[Plugin]) -> tuple[Plugin, ...]:
    """Return plugins whose components have what all of them yielded for the hooks that those ask for.

    Args:
        plugins: All that were found; those that are not ready yielded nothing.
    """
    plugins = tuple(plugins)

    def contributions(hook: str) -> tuple[Contribution, ...]:
        return tuple(
            Contribution(hook=hook, plugin=plugin.name, value=value, package=plugin.package)
            for plugin in plugins
            for value in plugin.added.get(hook, ())
        )

    def filled(one: Component) -> Component:
        if not one.asks:
            return one
        return evolve(one, contributions={hook: contributions(hook) for hook in one.asks})

    return tuple(
        evolve(plugin, components=tuple(map(filled, plugin.components)))
        if any(one.asks for one in plugin.components)
        else plugin
        for plugin in plugins
    )


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
