"""Finds, checks and calls the hooks of plugins.

pluggy provides the markers and the hooks that plugins add. Its calls are not used: their results do not name
the plugin, and one exception stops all.
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

from nascore.component import Command, Component, Contribution, Execution, ImageReader, Preset
from nascore.errors import did_you_mean
from nascore.plugin import hookspecs
from nascore.plugin.compatibility import faults, repeated_names, wrong_names
from nascore.plugin.known import switched_off
from nascore.plugin.loading import BrokenError, called
from nascore.plugin.plugin import same_distribution
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nascore.plugin.plugin import Plugin
    from nascore.slots import Slot


PREFIX: Final = "nascore_"
MARK: Final = "nascore_impl"
"""The attribute that @hookimpl sets on a function."""
_ROUTINES: Final = (FunctionType, BuiltinFunctionType, MethodType, type(cache(len)))
_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@frozen(kw_only=True)
class Owners:
    """The distributions of packages.

    Attributes:
        packages: The distribution of each top-level package of a plugin.
    """

    packages: Mapping[str, str]

    def other(self, plugin: Plugin, package: str) -> str:
        """Return the distribution that a package belongs to, or an empty string if it is the plugin's own."""
        found = [self.packages[package]] if package in self.packages else _installed(package)
        mine = any(same_distribution(one, plugin.distribution) for one in found)
        return "" if mine or not found else found[0]


def _installed(package: str) -> list[str]:
    # Slow, since it reads the file lists of all distributions: only for a function from another package.
    return list(packages_distributions().get(package, ()))


@frozen(kw_only=True, eq=False)
class Marked:
    """A function that is marked as an implementation of a hook, with its name in the module."""

    name: str
    hook: str
    function: Callable[[], Any]


def marked(module: object) -> Iterator[Marked]:
    """Yield the implementations of hooks in a module or any other object."""
    for name, value in _candidates(module):
        options = getattr(value, MARK, None)
        if isinstance(options, dict) and callable(value):
            yield Marked(name=name, hook=options.get("specname") or name, function=value)


def _unmarked(module: object) -> Iterator[str]:
    for name, value in _candidates(module):
        if name.startswith(PREFIX) and callable(value) and not isinstance(getattr(value, MARK, None), dict):
            yield name


def _candidates(module: object) -> Iterator[tuple[str, Any]]:
    """Yield names and values that may be hooks; others may be proxies, which load or raise when read."""
    known = vars(module) if isinstance(module, ModuleType) else None
    for name in dir(module):
        if name.startswith(PREFIX):
            yield name, getattr(module, name)
            continue
        value = getattr(module, name) if known is None else known.get(name)
        # Not isinstance: it reads `__class__` of the value.
        if issubclass(type(value), _ROUTINES):
            yield name, value


def hooks_of(
    plugin: Plugin, module: object, known: Collection[str], owners: Owners, off: str = ""
) -> dict[str, Callable[[], Any]]:
    """Return the hooks that a module implements.

    Args:
        plugin: The plugin of the module.
        module: The module, or any object with hooks.
        known: The names of all hooks.
        owners: The distributions of packages.
        off: A sentence on plugins that are switched off, which may add an unknown hook.

    Raises:
        BrokenError: Some hooks are wrong; names all faults.
    """
    found: dict[str, Marked] = {}
    faults: list[tuple[str, str]] = [
        (f"{name} is not marked with @hookimpl", "Put @hookimpl above it.") for name in _unmarked(module)
    ]
    for implementation in marked(module):
        first = found.setdefault(implementation.hook, implementation)
        if first.function != implementation.function:
            text = f"{implementation.hook} is implemented twice, by {first.name} and {implementation.name}"
            faults.append((text, "Make one function of both."))
        faults += _hook_faults(implementation.hook, implementation.function, known, off)
        faults += _import_faults(plugin, module, implementation, owners)
    if faults:
        raise BrokenError("; ".join(text for text, _ in faults), " ".join(cure for _, cure in faults))
    if not found:
        # Hooks of other plugins count too: a plugin may implement only those.
        raise BrokenError("it has no function marked with @hookimpl", "Its entry point may be wrong.")
    return {hook: implementation.function for hook, implementation in found.items()}


def _nearest_hint(hook: str, known: Collection[str]) -> str:
    # Without the prefix, which makes any two hooks of the core similar.
    bare = {name.removeprefix(PREFIX): name for name in known}
    near = did_you_mean(hook.removeprefix(PREFIX), bare)
    return next(
        (f"Did you mean {name}?" for word, name in bare.items() if near == f"Did you mean {word}?"), ""
    )


def _hook_faults(
    hook: str, function: Callable[..., Any], known: Collection[str], off: str
) -> Iterator[tuple[str, str]]:
    if hook not in known:
        near = _nearest_hint(hook, known)
        if off and not near:
            yield f"no hook is called {hook}", off
            return
        instead = near or "Known: " + ", ".join(sorted(known)) + "."
        yield f"no hook is called {hook}", f"{instead} If another plugin adds it, install that."
        return
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable without a signature: checked when it is called
        return
    required = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind not in _VARIADIC
    ]
    if required:
        text = f"{hook} has the argument{'s' if len(required) > 1 else ''} {', '.join(required)}"
        yield f"{text}, but hooks are called without arguments", f"Write def {hook}():"


def _import_faults(
    plugin: Plugin, module: object, implementation: Marked, owners: Owners
) -> Iterator[tuple[str, str]]:
    """Yield the fault of a hook that is imported from another plugin: its components would exist twice."""
    home = getattr(implementation.function, "__module__", None)
    if not isinstance(module, ModuleType) or not isinstance(home, str):
        return
    package = home.partition(".")[0]
    if package == module.__name__.partition(".")[0]:
        return
    other = owners.other(plugin, package)
    if other:
        text = f"{implementation.name} is imported from {home}, which belongs to {other}"
        yield text, f"Import the module {home}, not its hook."


_ADDHOOKS: Final = "nascore_addhooks"
_MAX_ITEMS: Final = 10_000
"""The largest number of items of a hook: an endless one would hang every command."""
_AUTHORS: Final = "Its authors have to correct it."


def collect(
    found: Mapping[Plugin, object], slots: Iterable[Slot] = SLOTS, *, others: Iterable[Plugin] = ()
) -> list[Plugin]:
    """Return plugins with the contents that their hooks declare; a plugin with a fault becomes broken.

    Args:
        found: Each plugin with its imported module (or any object with hooks).
        slots: The slot table.
        others: Further known plugins, which are not loaded.
    """
    manager = pluggy.PluginManager("nascore")
    manager.add_hookspecs(hookspecs)
    slots, others = tuple(slots), tuple(others)
    known = [plugin for plugin in (*found, *others) if plugin.distribution]
    off = switched_off(others)
    owners = Owners(packages={plugin.package: plugin.distribution for plugin in known})
    # The new hooks of plugins come first, so that a mismatch is a fault of the plugin that implements one.
    brought = [
        called(plugin, partial(_add_hooks, plugin, module, manager)) for plugin, module in found.items()
    ]
    names = {name for name, caller in vars(manager.hook).items() if isinstance(caller, pluggy.HookCaller)}
    filled = []
    for plugin, module in zip(brought, found.values(), strict=True):
        hooks = partial(hooks_of, plugin, module, names, owners, off)
        read = partial(_read_contents, plugin, hooks, slots, names, off)
        filled.append(called(plugin, read) if plugin.status == "ready" else plugin)
    return filled


def _add_hooks(plugin: Plugin, module: object, manager: pluggy.PluginManager) -> Plugin:
    for implementation in marked(module):
        if implementation.hook == _ADDHOOKS:
            for specifications in _items(_ADDHOOKS, implementation.function):
                manager.add_hookspecs(specifications)
    return plugin


def _read_contents(
    plugin: Plugin,
    hooks: Callable[[], dict[str, Any]],
    slots: tuple[Slot, ...],
    known: Collection[str],
    off: str,
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
        readers=tuple(_of(ImageReader, "nascore_image_readers", results)),
        executions=tuple(
            evolve(item, plugin=plugin.name) for item in _of(Execution, "nascore_executions", results)
        ),
        added={name: tuple(items) for name, items in results.items() if not hasattr(hookspecs, name)},
    )
    wrong = [fault for component in components for fault in faults(component, slots)]
    wrong += [*wrong_names(filled), *repeated_names(filled)]
    if wrong:
        raise BrokenError(" ".join(wrong), _AUTHORS)
    unread = [fault for component in components for fault in _missing_hooks(component, known, off)]
    if unread:
        raise BrokenError("; ".join(text for text, _ in unread), " ".join(cure for _, cure in unread))
    return filled


def _missing_hooks(component: Component, known: Collection[str], off: str) -> Iterator[tuple[str, str]]:
    """Yield a fault and its cure for each hook that a component reads and no plugin adds."""
    added = [hook for hook in known if not hasattr(hookspecs, hook)]
    for hook in component.asks:
        if hook in added:
            continue
        reads = f"{component.name} asks for {hook}"
        if hook in known:
            yield f"{reads}, a hook of nascore", "A component can read only hooks that plugins add."
            continue
        near = did_you_mean(hook, added) or (f"Known: {', '.join(sorted(added))}." if added else "")
        install = "If another plugin adds it, install that plugin, or do not exclude it."
        cure = f"{near} {off or install}".strip()
        yield f"{reads}, but no plugin adds a hook of this name", cure


def with_contributions(plugins: Iterable[Plugin]) -> tuple[Plugin, ...]:
    """Return plugins whose components have the contributions to the hooks that they read.

    Args:
        plugins: All found plugins; those that are not ready have no contributions.
    """
    plugins = tuple(plugins)

    def contributions(hook: str) -> tuple[Contribution, ...]:
        return tuple(
            Contribution(hook=hook, plugin=plugin.name, value=value, package=plugin.package)
            for plugin in plugins
            for value in plugin.added.get(hook, ())
        )

    def filled(component: Component) -> Component:
        if not component.asks:
            return component
        return evolve(component, contributions={hook: contributions(hook) for hook in component.asks})

    return tuple(
        evolve(plugin, components=tuple(map(filled, plugin.components)))
        if any(component.asks for component in plugin.components)
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
                    f"{slot.hook} yields {item.name}, a component of slot {item.slot}",
                    f"Yield it from nascore_{item.slot}s, or correct its slot.",
                )
            yield evolve(item, plugin=plugin.name, package=plugin.package)


def _operations(results: Mapping[str, list[Any]]) -> list[Any]:
    if not results.get("nascore_operations"):
        return []
    # Imported only if needed: a list of components needs no descriptions.
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
                f"{hook} yields {item!r}, which is not a {kind.__name__}",
                f"Yield objects of {kind.__name__}.",
            )
    return items


def _items(hook: str, function: Callable[[], object]) -> list[Any]:
    result = function()
    if not isinstance(result, Iterable) or isinstance(result, (str, Mapping)):
        text = f"{hook} must return an iterable, not {type(result).__name__}"
        raise BrokenError(text, "Use yield, or return a list.")
    items = list(islice(result, _MAX_ITEMS + 1))
    if len(items) > _MAX_ITEMS:
        raise BrokenError(f"{hook} yields more than {_MAX_ITEMS:,} items", "Make sure that it ends.")
    return items
