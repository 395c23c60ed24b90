"""Checks of a plugin that need no import: its name, and the version of nascore that it requires.

A declaration that cannot be right (a misspelt capability, a shrunken setting that does not exist) must not
wait for the recipe that happens to meet it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from nascore.capability import CAPABILITIES
from nascore.component import MEASURES, SIZED, Component, Give
from nascore.config import SettingsOwner, settings_of, structure, wrap
from nascore.config.kinds import supported
from nascore.errors import Origin, did_you_mean, error_line
from nascore.plugin.guard import attempt
from nascore.plugin.plugin import CORE, same_distribution
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nascore.plugin.plugin import Plugin
    from nascore.slots import Slot


PLUGIN_NAME: Final = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
"""A plugin's name, as a regular expression."""
_OF_CORE: Final = re.compile(r"\s*nascore(?![\w.-])", re.IGNORECASE)


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a plugin, which is typed as ``PLUGIN:NAME``."""
    return re.fullmatch(PLUGIN_NAME, text) is not None


def misnamed(plugin: Plugin) -> Plugin:
    """Return a plugin, broken where its name cannot be typed as ``PLUGIN:NAME``."""
    if is_name(plugin.name):
        return plugin
    reason = f"{plugin.name!r} is no name of a plugin: letters, digits, -, _ and . are"
    whose = "Rename the file." if plugin.is_file else "Its authors have to rename its entry point."
    return evolve(plugin, status="broken", reason=reason, cure=whose)


def foreign(plugin: Plugin, requires: Iterable[str]) -> Plugin:
    """Return a plugin, foreign where its distribution asks for another version of the core.

    Args:
        plugin: The plugin.
        requires: The lines ``Requires-Dist`` of its distribution.
    """
    lines = [line for line in requires if _OF_CORE.match(line)]
    if not lines:
        return plugin
    try:
        core = version(CORE)
    except PackageNotFoundError:  # started from a source tree: nothing says which version it is
        return plugin
    # Takes as long to import as all plugins together: only where one says what it asks for.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    for line in lines:
        try:
            asked = Requirement(line)
        except InvalidRequirement:
            reason = f"its distribution's line 'Requires-Dist: {line}' cannot be read"
            return evolve(plugin, status="broken", reason=reason, cure="Its authors have to correct it.")
        applies = asked.marker is None or asked.marker.evaluate({"extra": ""})
        if applies and not asked.specifier.contains(core, prereleases=True):
            reason = (
                f"{plugin.distribution} {plugin.version} is for {CORE}{asked.specifier}, and this is {core}"
            )
            newer = command_line("pip", "install", "--upgrade", plugin.distribution)
            cure = f"{newer}, or {command_line('pip', 'install', f'{CORE}{asked.specifier}')}"
            return evolve(plugin, status="foreign", reason=reason, cure=cure)
    return plugin


def apart(plugins: Sequence[Plugin]) -> list[Plugin]:
    """Return plugins, with those of one name marked as clashing; only the core's own keeps its name.

    Args:
        plugins: Those that would be loaded; others count for nothing.
    """
    by_name: dict[str, list[Plugin]] = defaultdict(list)
    for plugin in plugins:
        if plugin.status == "ready":
            by_name[plugin.name].append(plugin)
    return [
        _clash(plugin, by_name[plugin.name])
        if len(by_name.get(plugin.name, ())) > 1 and plugin.status == "ready" and not _of_core(plugin)
        else plugin
        for plugin in plugins
    ]


def _clash(plugin: Plugin, same: Sequence[Plugin]) -> Plugin:
    whose = [_whose(one) for one in same]
    reason = f"{len(same)} plugins are called {plugin.name}: {' and '.join(whose)}"
    distributions = sorted({one.distribution for one in same if one.distribution and not _of_core(one)})
    ways = [command_line("--without", name) for name in distributions]
    if any(one.is_file for one in same):
        ways.append("another name for the file")
    if len(distributions) == 1 and len(same) > 1 and not any(one.is_file or _of_core(one) for one in same):
        ways = [f"tell the authors of {distributions[0]}"]
    text = " or ".join(ways) or "uninstall one of them"
    return evolve(plugin, status="clash", reason=reason, cure=f"{text[0].upper()}{text[1:]}.")


def _whose(plugin: Plugin) -> str:
    if plugin.distribution:
        return f"{plugin.distribution} {plugin.version}".rstrip()
    return plugin.value


def _of_core(plugin: Plugin) -> bool:
    return same_distribution(plugin.distribution, CORE)


NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_RULE: Final = "a name is lower-case letters, digits, - and _."


def faults(component: Component, slots: Iterable[Slot]) -> Iterator[str]:
    """Yield every fault of a declared component as a sentence.

    Args:
        component: As the plugin declared it.
        slots: The slot table.
    """
    by_name = {slot.name: slot for slot in slots}
    if NAME.fullmatch(component.name) is None:
        yield f"component {component.name!r}: {_RULE}"
    slot = by_name.get(component.slot)
    if slot is None:
        yield f"{component.name}: no slot is called {component.slot}. {did_you_mean(component.slot, by_name)}"
    elif slot.many and component.name == "none":
        yield f"{component.name}: in slot {slot.name} this word means that the list is empty."
    if slot is not None:
        yield from (f"{component.name}: {fault}" for fault in wish_faults(component, by_name.values()))
    if isinstance(component.build, str) and not re.fullmatch(r"[\w.]+:\w+", component.build):
        yield f"{component.name}: build {component.build!r} is not of the form 'module:attribute'."
    if isinstance(component.asks, str) or not all(isinstance(hook, str) for hook in component.asks):
        yield f"{component.name}: asks {component.asks!r} is no tuple of names of hooks."
    yield from (f"{component.name}: {fault}" for fault in _sizes(component))
    yield from _capabilities(component)
    yield from _settings(component)
    yield from _bounds(component)


def misnamed_parts(plugin: Plugin) -> Iterator[str]:
    """Yield every name of a preset, notation or verb that cannot be one; operations check their own."""
    named = [
        *(("preset", item.name) for item in plugin.presets),
        *(("notation", item.name) for item in plugin.translators),
        *(("verb", item.name) for item in plugin.commands),
    ]
    yield from (f"{kind} {name!r}: {_RULE}" for kind, name in named if NAME.fullmatch(name) is None)


def repeated(plugin: Plugin) -> Iterator[str]:
    """Yield every name that a plugin gives to two things of one kind: no full name could tell them apart."""
    count = Counter(
        [
            *(f"{item.slot} {item.name}" for item in plugin.components),
            *(f"operation {item.name}" for item in plugin.operations),
            *(f"preset {item.name}" for item in plugin.presets),
            *(f"notation {item.name}" for item in plugin.translators),
            *(f"verb {item.name}" for item in plugin.commands),
        ]
    )
    yield from (f"it brings {times} times {what}." for what, times in count.items() if times > 1)


def _sizes(component: Component) -> Iterator[str]:
    if component.sizes and component.slot != "space":
        yield "only a space declares sizes."
    for scale, size in component.sizes.items():
        if scale not in SIZED:
            yield f"it declares a size for {scale!r}, which is no scale: {' or '.join(SIZED)}."
        for name, value in size.items():
            if name not in MEASURES or type(value) is not int or value < 1:
                yield f"its size {name}={value!r} is none: {' or '.join(MEASURES)}, a whole number from 1 on."


def wish_faults(component: Component, slots: Iterable[Slot]) -> Iterator[str]:
    """Yield each of a component's wishes that could never be taken, as a sentence that follows its name.

    Slots are filled in order, and none is filled again: a part wishes for slots after its own.

    Args:
        component: As the plugin declared it.
        slots: The slot table.
    """
    table = {slot.name: slot for slot in slots}
    wishes = (*component.wishes.items(), *component.mini_wishes.items())
    for name in dict.fromkeys(name for name, _ in wishes):
        fault = _misplaced(name, component.slot, table)
        if fault:
            yield f"it wishes for {fault}"
    for name, wish in wishes:
        for one in wish if isinstance(wish, list) else [wish]:
            if not _is_wish(one):
                yield f"its wish {one!r} for {name} is neither a name nor (name, settings)."


def _misplaced(name: str, own: str, slots: Mapping[str, Slot]) -> str:
    """Why no wish of one slot for another is taken; empty if they are."""
    if name not in slots:
        near = did_you_mean(name, slots)
        return f"{name}, and no slot is called that. {near}".rstrip()
    if name == own:
        return f"its own slot {name}."
    if slots[own].aside:
        return f"{name}, and no wish of {own} is taken, since it has no say in the result."
    order = list(slots)
    before = [one for one in order[: order.index(name)] if not slots[one].aside]
    if own in before:
        return ""
    who = f"those of {', '.join(before)} are taken" if before else "no part's wish for it is taken"
    cure = "Declare a need instead, or bring a preset that names both."
    return f"{name}, which is filled before {own}: {who}. {cure}"


def _is_wish(one: object) -> bool:
    if isinstance(one, tuple) and len(one) == 2:  # noqa: PLR2004 - a name and settings
        return isinstance(one[0], str) and isinstance(one[1], Mapping)
    return isinstance(one, str)


def _capabilities(component: Component) -> Iterator[str]:
    given = {item.capability if isinstance(item, Give) else item for item in component.provides}
    asked = {term.removeprefix("not ") for need in component.needs for term in need.terms}
    for term in sorted(asked):
        if "." not in term:
            yield f"{component.name}: the need {term!r} is not of the form slot.capability."
    named = given | {term.partition(".")[2] for term in asked if "." in term}
    for capability in sorted(named):
        # A plugin's own capability has a dot: nothing can be said about its spelling.
        if "." not in capability and capability not in CAPABILITIES:
            near = did_you_mean(capability, CAPABILITIES)
            yield f"{component.name}: no capability is called {capability}. {near}".rstrip()


def _settings(component: Component) -> Iterator[str]:
    try:
        declared = settings_of(component.config)
    except (TypeError, NameError) as error:
        yield f"{component.name}: its settings cannot be read: {error}"
        return
    for item in declared.values():
        if not item.nested and not supported(item.type):
            yield f"{component.name}: setting {item.name} has a type that recipes cannot hold."
    if "name" in declared:
        yield f"{component.name}: no setting may be called name: that chooses the component in a recipe."
    if component.argument is not None and component.argument not in declared:
        yield f"{component.name}: its argument {component.argument} is no setting of it."
    fault = _unmade(component.config)
    if fault:
        yield f"{component.name}: its default settings cannot be made: {fault}."
        return
    yield from _unreadable(component, component.mini, "at scale mini")
    yield from _unreadable(component, component.example, "in its example")


def _unreadable(component: Component, values: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield what is wrong with settings that the component declares beside its defaults."""
    node = wrap(values, Origin(kind="scale", what=where))
    for problem in structure(component.config, node, SettingsOwner(owner=component.name)).problems:
        yield f"{component.name}: {where}, {problem.path}: {problem.text}"


def _bounds(component: Component) -> Iterator[str]:
    try:
        declared = settings_of(component.config)
    except (TypeError, NameError):
        return  # said above
    for name in sorted(component.bounds.keys() - declared.keys()):
        yield f"{component.name}: its bound {name} is no setting of it."


def _unmade(config: type) -> str:
    """Why the settings cannot be made of nothing but their defaults; empty if they can."""

    def make() -> str:
        config()
        return ""

    return attempt(make, error_line)
