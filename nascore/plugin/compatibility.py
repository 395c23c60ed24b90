"""Checks plugins when they are loaded: names, the required version of nascore, declared components.

A wrong declaration (a misspelt capability, an unknown setting) must not wait for the first recipe that uses
it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from nascore.capability import CAPABILITIES
from nascore.component import AUTO, MEASURES, SCALES, Component, Give
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
    """Return whether a text can be the name of a plugin in ``PLUGIN:NAME``."""
    return re.fullmatch(PLUGIN_NAME, text) is not None


def misnamed(plugin: Plugin) -> Plugin:
    """Return a plugin, broken if its name cannot be used in ``PLUGIN:NAME``."""
    if is_name(plugin.name):
        return plugin
    reason = f"{plugin.name!r} is not a plugin name, which consists of letters, digits, -, _ and dots"
    cure = "Rename the file." if plugin.is_file else "Its authors have to rename its entry point."
    return evolve(plugin, status="broken", reason=reason, cure=cure)


def foreign(plugin: Plugin, requires: Iterable[str]) -> Plugin:
    """Return a plugin, foreign if its distribution requires a different version of the core.

    Args:
        plugin: The plugin.
        requires: The lines ``Requires-Dist`` of its distribution.
    """
    lines = [line for line in requires if _OF_CORE.match(line)]
    if not lines:
        return plugin
    try:
        core = version(CORE)
    except PackageNotFoundError:  # started from a source tree: the version is unknown
        return plugin
    # Imported only if needed: it takes as long as all plugins together.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    for line in lines:
        try:
            required = Requirement(line)
        except InvalidRequirement:
            reason = f"its distribution's line 'Requires-Dist: {line}' cannot be read"
            return evolve(plugin, status="broken", reason=reason, cure="Its authors have to correct it.")
        applies = required.marker is None or required.marker.evaluate({"extra": ""})
        if applies and not required.specifier.contains(core, prereleases=True):
            wanted = f"{CORE}{required.specifier}"
            reason = f"{plugin.distribution} {plugin.version} requires {wanted}, and {core} is installed"
            newer = command_line("pip", "install", "--upgrade", plugin.distribution)
            cure = f"{newer}, or {command_line('pip', 'install', wanted)}"
            return evolve(plugin, status="foreign", reason=reason, cure=cure)
    return plugin


def mark_clashes(plugins: Sequence[Plugin]) -> list[Plugin]:
    """Return plugins, with those of equal names marked as clashing, except for the core's own plugin.

    Args:
        plugins: The plugins; only ready ones can clash.
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
    sources = [_source(one) for one in same]
    reason = f"{len(same)} plugins are called {plugin.name}: {' and '.join(sources)}"
    distributions = sorted({one.distribution for one in same if one.distribution and not _of_core(one)})
    remedies = [command_line("--without", name) for name in distributions]
    if any(one.is_file for one in same):
        remedies.append("a different name for the file")
    if len(distributions) == 1 and len(same) > 1 and not any(one.is_file or _of_core(one) for one in same):
        remedies = [f"tell the authors of {distributions[0]}"]
    text = " or ".join(remedies) or "uninstall one of them"
    return evolve(plugin, status="clash", reason=reason, cure=f"{text[0].upper()}{text[1:]}.")


def _source(plugin: Plugin) -> str:
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
        component: The declared component.
        slots: The slot table.
    """
    by_name = {slot.name: slot for slot in slots}
    if NAME.fullmatch(component.name) is None:
        yield f"component {component.name!r}: {_RULE}"
    slot = by_name.get(component.slot)
    if slot is None:
        yield f"{component.name}: no slot is called {component.slot}. {did_you_mean(component.slot, by_name)}"
    elif slot.many and component.name == "none":
        yield f"{component.name}: in slot {slot.name} the word none means an empty list."
    if slot is not None:
        yield from (f"{component.name}: {fault}" for fault in wish_faults(component, by_name.values()))
    if isinstance(component.build, str) and not re.fullmatch(r"[\w.]+:\w+", component.build):
        yield f"{component.name}: build {component.build!r} is not of the form 'module:attribute'."
    if isinstance(component.asks, str) or not all(isinstance(hook, str) for hook in component.asks):
        yield f"{component.name}: asks {component.asks!r} is not a tuple of hook names."
    yield from (f"{component.name}: {fault}" for fault in _size_faults(component))
    yield from _capability_faults(component)
    yield from _settings_faults(component)
    yield from _bound_faults(component)


def wrong_names(plugin: Plugin) -> Iterator[str]:
    """Yield every wrong name of a preset, notation, verb or execution; operations check their own names."""
    named = [
        *(("preset", item.name) for item in plugin.presets),
        *(("notation", item.name) for item in plugin.translators),
        *(("verb", item.name) for item in plugin.commands),
        *(("execution", item.name) for item in plugin.executions),
    ]
    yield from (f"{kind} {name!r}: {_RULE}" for kind, name in named if NAME.fullmatch(name) is None)
    if ("execution", AUTO) in named:
        yield f"execution {AUTO!r}: the name stands for the choice of the engine."


def repeated_names(plugin: Plugin) -> Iterator[str]:
    """Yield every name that a plugin gives to two things of one kind."""
    count = Counter(
        [
            *(f"{item.slot} {item.name}" for item in plugin.components),
            *(f"operation {item.name}" for item in plugin.operations),
            *(f"preset {item.name}" for item in plugin.presets),
            *(f"notation {item.name}" for item in plugin.translators),
            *(f"verb {item.name}" for item in plugin.commands),
            *(f"execution {item.name}" for item in plugin.executions),
        ]
    )
    yield from (f"it declares {what} {times} times." for what, times in count.items() if times > 1)


def _size_faults(component: Component) -> Iterator[str]:
    if component.sizes and component.slot != "space":
        yield "only a space declares sizes."
    for scale, size in component.sizes.items():
        if scale not in SCALES:
            yield f"it declares a size for {scale!r}, which is not a scale: {' or '.join(SCALES)}."
        for name, value in size.items():
            if name not in MEASURES or type(value) is not int or value < 1:
                yield f"its size {name}={value!r} is wrong: give {' or '.join(MEASURES)} as a whole number."


def wish_faults(component: Component, slots: Iterable[Slot]) -> Iterator[str]:
    """Yield the fault of each wish that can never be taken, as the end of a sentence.

    Slots are filled once, in order, so a part can only wish for slots after its own.

    Args:
        component: The declared component.
        slots: The slot table.
    """
    table = {slot.name: slot for slot in slots}
    wishes = (*component.wishes.items(), *component.mini_wishes.items())
    for name in dict.fromkeys(name for name, _ in wishes):
        fault = _unreachable(name, component.slot, table)
        if fault:
            yield f"it wishes for {fault}"
    for name, wished in wishes:
        for wish in wished if isinstance(wished, list) else [wished]:
            if not _is_wish(wish):
                yield f"its wish {wish!r} for {name} is neither a name nor (name, settings)."


def _unreachable(name: str, wisher: str, slots: Mapping[str, Slot]) -> str:
    """Return why wishes of one slot for another are never taken; empty if they can be."""
    if name not in slots:
        near = did_you_mean(name, slots)
        return f"{name}, and no slot is called that. {near}".rstrip()
    if name == wisher:
        return f"its own slot {name}."
    if slots[wisher].aside:
        return f"{name}, and wishes of slot {wisher} are never taken, since it does not influence the result."
    order = list(slots)
    before = [earlier for earlier in order[: order.index(name)] if not slots[earlier].aside]
    if wisher in before:
        return ""
    wishers = f"only wishes of {', '.join(before)} are taken" if before else "no wishes for it are taken"
    cure = "Declare a need instead, or add a preset that names both."
    return f"{name}, which is filled before {wisher}: {wishers}. {cure}"


def _is_wish(one: object) -> bool:
    if isinstance(one, tuple) and len(one) == 2:  # noqa: PLR2004 - a name and settings
        return isinstance(one[0], str) and isinstance(one[1], Mapping)
    return isinstance(one, str)


def _capability_faults(component: Component) -> Iterator[str]:
    provided = {item.capability if isinstance(item, Give) else item for item in component.provides}
    required = {term.removeprefix("not ") for need in component.needs for term in need.terms}
    for term in sorted(required):
        if "." not in term:
            yield f"{component.name}: the need {term!r} is not of the form slot.capability."
    named = provided | {term.partition(".")[2] for term in required if "." in term}
    for capability in sorted(named):
        # A plugin's own capability has a dot: its spelling cannot be checked.
        if "." not in capability and capability not in CAPABILITIES:
            near = did_you_mean(capability, CAPABILITIES)
            yield f"{component.name}: no capability is called {capability}. {near}".rstrip()


def _settings_faults(component: Component) -> Iterator[str]:
    try:
        declared = settings_of(component.config)
    except (TypeError, NameError) as error:
        yield f"{component.name}: its settings cannot be read: {error}"
        return
    for item in declared.values():
        if not item.nested and not supported(item.type):
            yield f"{component.name}: setting {item.name} has a type that recipes cannot hold."
    if "name" in declared:
        yield f"{component.name}: no setting may be called name, the key of the component in a recipe."
    if component.argument is not None and component.argument not in declared:
        yield f"{component.name}: its argument {component.argument} is not one of its settings."
    fault = _default_settings_fault(component.config)
    if fault:
        yield f"{component.name}: its default settings cannot be made: {fault}."
        return
    yield from _value_faults(component, component.mini, "at scale mini")
    yield from _value_faults(component, component.small, "at scale small")
    yield from _value_faults(component, component.example, "in its example")


def _value_faults(component: Component, values: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield the faults of settings that a component declares in addition to its defaults."""
    node = wrap(values, Origin(kind="scale", what=where))
    for problem in structure(component.config, node, SettingsOwner(owner=component.name)).problems:
        yield f"{component.name}: {where}, {problem.path}: {problem.text}"


def _bound_faults(component: Component) -> Iterator[str]:
    try:
        declared = settings_of(component.config)
    except (TypeError, NameError):
        return  # reported by _settings
    for name in sorted(component.bounds.keys() - declared.keys()):
        yield f"{component.name}: its bound {name} is not one of its settings."


def _default_settings_fault(config: type) -> str:
    """Return why the default settings cannot be made; empty if they can."""

    def make() -> str:
        config()
        return ""

    return attempt(make, error_line)
