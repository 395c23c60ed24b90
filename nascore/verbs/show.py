"""Describes one component, preset, operation, notation, verb or execution, also as JSON Schema."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.capability import sentence
from nascore.config import settings_of
from nascore.config.kinds import describe
from nascore.config.writer import Commented, write_yaml
from nascore.errors import Problem, RecipeError
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN
from nascore.recipe.advice.all_mixes import VERDICTS, partners
from nascore.recipe.settling.misfit import need_text
from nascore.recipe.settling.schema import DIALECT, component_schema, recipe_schema
from nascore.recipe.sources.formats import FORMAT
from nascore.shell import command_line
from nascore.slots import RUN, SLOTS
from nascore.verbs.listing import (
    EXECUTION,
    NOTATION,
    OPERATION,
    PRESET,
    VERB,
    Listed,
    items,
    unknown_name_error,
)
from nascore.verbs.resolution import installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.component import Component, Give, Need
    from nascore.description import Operation
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted
    from nascore.recipe.advice.all_mixes import Judgement


@frozen(kw_only=True)
class Partners:
    """Parts of another slot whose combinations with a component have the same verdict and reason.

    Attributes:
        slot: The other slot.
        verdict: The verdict of the combination, with the other slots filled by wishes and defaults.
        names: The parts of the other slot.
        why: The reason of a verdict other than sound; empty if it is sound.
        beside: The part of a third slot with which they are combined, if the component refuses the wishes and
            defaults of that slot: ``relaxation gates``; else empty.
    """

    slot: str
    verdict: Judgement
    names: tuple[str, ...]
    why: str = ""
    beside: str = ""


def partners_of(component: Component, registry: Registry) -> tuple[Partners, ...]:
    """Return the parts that a component mixes with, by slot, the best verdict first.

    The result is empty for components such as observers, which do not affect results and mix with everything.

    Args:
        component: The component.
        registry: The installed plugins.
    """
    if any(slot.aside and slot.name == component.slot for slot in SLOTS):
        return ()
    found: dict[str, dict[tuple[Judgement, str], list[str]]] = {}
    beside: dict[str, str] = {}
    for mix in partners(component, registry):
        of_slot = found.setdefault(mix.fillings[0].slot, {})
        beside[mix.fillings[0].slot] = "".join(f"{other.slot} {other.text}" for other in mix.fillings[1:])
        of_slot.setdefault((mix.verdict, "; ".join(mix.reasons)), []).append(mix.fillings[0].text)
    return tuple(
        Partners(slot=slot, verdict=verdict, names=tuple(names), why=why, beside=beside[slot])
        for slot, of_slot in found.items()
        for (verdict, why), names in sorted(of_slot.items(), key=lambda one: VERDICTS.index(one[0][0]))
    )


OTHER_KINDS = (PRESET, NOTATION, VERB, EXECUTION, OPERATION)
"""Kinds of parts that fill no slot."""

MANY = {slot.name for slot in SLOTS if slot.many}


def template(components: Sequence[Component]) -> str:
    """Return a recipe with these components and all their defaults.

    Args:
        components: At most one for each slot; of several runs the first is used.

    Raises:
        RecipeError: Two plugins provide a component with the same name.
    """
    by_slot: dict[str, Component] = {}
    for one in components:
        if one.slot != RUN and one.slot in by_slot:
            full = " or ".join(sorted(f"{each.plugin}:{each.name}" for each in (by_slot[one.slot], one)))
            text = f"several plugins provide {one.slot} {one.name}."
            raise RecipeError([Problem(path="", text=text, hint=f"Write {full}.")])
        by_slot.setdefault(one.slot, one)
    document: dict[str, Any] = {"nascore": FORMAT}
    for one in by_slot.values():
        document |= _commented(one)
    return write_yaml(document).rstrip("\n")


def _commented(component: Component) -> dict[str, Any]:
    """Return a component with its defaults for a recipe, with its texts as comments."""
    settings = _defaults(component.config)
    if component.slot == RUN:
        return settings
    if component.slot in MANY:
        return {component.slot: {component.name: Commented(value=settings, comment=component.summary)}}
    name = Commented(value=component.name, comment=component.summary)
    return {component.slot: {"name": name, **settings}}


def _defaults(config: type) -> dict[str, Any]:
    return {
        name: Commented(
            value=_defaults(declared.type) if declared.nested else declared.default,
            comment=declared.setting.help,
        )
        for name, declared in settings_of(config).items()
    }


@frozen(kw_only=True)
class ShownSetting:
    """One setting.

    Attributes:
        path: Path of the setting after ``--set``; for an operation, its name in a description.
        default: The default: the paper's value, if it has one.
        mini: The value at the scale ``mini``; equal to the default if the scale does not change it.
        small: The value at the scale ``small``; the same.
        expected: The allowed values, in words.
        help: One sentence.
    """

    path: str
    default: Any
    mini: Any
    small: Any
    expected: str
    help: str


@frozen(kw_only=True)
class Shown:
    """A component, preset, operation, notation, verb or execution, with its details.

    Attributes:
        slot: The slot of a component; otherwise `run`, `preset`, `operation`, `notation`, `verb` or
            `execution`.
        name: The name that users type.
        summary: One sentence.
        plugin: The plugin that provides it.
        paper: The source of the method and its values.
        provides: Its capabilities, each as a name and a sentence.
        needs: The capabilities that it needs, with the reasons.
        facts: Further facts, one line each.
        settings: Its settings.
        mixes: For a component, the parts that it mixes with.
        text: For a preset, the recipe.
    """

    slot: str
    name: str
    summary: str
    plugin: str
    paper: str = ""
    provides: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    settings: tuple[ShownSetting, ...] = ()
    mixes: tuple[Partners, ...] = ()
    text: str = ""


def show(name: str, *, plugins: Wanted = (), own: Sequence[Listed] = ()) -> list[Shown]:
    """Return the details of everything with a name, which a space and an updater may share.

    Args:
        name: Name of a component, a preset, an operation, a notation, a verb or an execution, optionally
            after its plugin's (``nascore-darts:darts``); or `run` for the settings that belong to no
            component.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        own: The verbs of the core.

    Raises:
        RecipeError: No part has that name.
        PluginError: The plugin that provides it is not installed.
    """
    registry = installed(plugins)
    found = [_shown(one, registry) for one in _components(name, registry)]
    found += [one for kind in OTHER_KINDS for one in _others(kind, name, registry, own)]
    if not found:
        raise unknown_name_error(name, registry, own)
    return found


def show_all(*, plugins: Wanted = ()) -> list[Shown]:
    """Return the details of all installed components, by slot and name; see :func:`show`."""
    registry = installed(plugins)
    return [_shown(one, registry) for slot in SLOTS for one in registry.components(slot.name)]


def named(name: str, registry: Registry) -> list[Component]:
    """Return all components with a name; for `run`, the settings of a search and of an evaluation.

    Raises:
        RecipeError: No component has that name.
    """
    found = _components(name, registry)
    if not found:
        for kind in OTHER_KINDS:
            if any(one.answers(name) for one in items(registry, kind)):
                text = f"{name} is of kind {kind}, which has no settings in a recipe."
                raise RecipeError(
                    [Problem(path="", text=text, hint=f"Write {command_line('nascore', 'show', name)}.")]
                )
        raise unknown_name_error(name, registry)
    return found


def recipe_text(name: str, *, plugins: Wanted = ()) -> str:
    """Return a recipe in YAML: that of a preset, or one with a component and all its settings.

    Raises:
        RecipeError: No preset or component has that name.
    """
    registry = installed(plugins)
    presets = [one for one in _others(PRESET, name, registry, ()) if not _components(name, registry)]
    return presets[0].text if presets else template(named(name, registry))


def _components(name: str, registry: Registry) -> list[Component]:
    if name == RUN:
        return [SEARCH_RUN, EVALUATE_RUN]
    found = (one for slot in SLOTS for one in registry.components(slot.name))
    return [one for one in found if name in {one.name, f"{one.plugin}:{one.name}"}]


def _others(kind: str, name: str, registry: Registry, own: Iterable[Listed]) -> Iterator[Shown]:
    known = [one for one in (*items(registry, kind), *own) if one.kind == kind and one.answers(name)]
    for one in known:
        plugin = next((each for each in registry.plugins if each.name == one.plugin), None)
        if kind == PRESET and plugin is not None:
            text = next(each.read() for each in plugin.presets if each.name == one.name)
            yield Shown(slot=kind, name=one.name, summary=one.summary, plugin=one.plugin, text=text)
        elif kind == OPERATION and plugin is not None:
            yield _operation(next(each for each in plugin.operations if each.name == one.name), one.plugin)
        else:
            facts = {
                VERB: f"use: {command_line('nascore', one.name, '--help')}",
                NOTATION: f"use: {command_line('nascore', 'export', 'RUN', '--to', one.name)}",
                EXECUTION: f"use: {command_line('--set', f'execution.name={one.name}')}",
            }
            yield Shown(
                slot=kind, name=one.name, summary=one.summary, plugin=one.plugin, facts=(facts[kind],)
            )


def _operation(entry: Operation, plugin: str) -> Shown:
    strides = "any" if entry.strides is None else " or ".join(map(str, entry.strides))
    facts = [f"strides: {strides}"]
    facts += ["channels: as many out as in"] if entry.same_channels else []
    settings = (
        ShownSetting(
            path=key, default=value, mini=value, small=value, expected=describe(type(value), ""), help=""
        )
        for key, value in entry.settings.items()
    )
    kind = "part of the frame of a network" if entry.structural else "operation on an edge or in a layer"
    return Shown(
        slot=OPERATION,
        name=entry.name,
        summary=f"{kind}.",
        plugin=plugin,
        facts=tuple(facts),
        settings=tuple(settings),
    )


def _shown(component: Component, registry: Registry) -> Shown:
    return Shown(
        slot=component.slot,
        name=component.name,
        summary=component.summary,
        plugin=component.plugin,
        paper=component.paper,
        provides=tuple(map(_gift, component.provides)),
        needs=tuple(map(_need, component.needs)),
        facts=tuple(_facts(component)),
        settings=tuple(_settings(component.config, (component.mini, component.small), component.prefix)),
        mixes=() if component.slot == RUN else partners_of(component, registry),
    )


def _facts(component: Component) -> Iterator[str]:
    for hook, contributions in component.contributions.items():
        times = Counter(one.plugin for one in contributions)
        plugins = ", ".join(f"{name} ({count})" for name, count in times.items())
        yield f"reads {hook}: {plugins or 'no plugin contributes to it'}"
    for path, instead in component.unread.items():
        yield f"ignores {path}: {instead}"


def _gift(given: str | Give) -> str:
    name = given if isinstance(given, str) else given.capability
    sometimes = "" if isinstance(given, str) else ", with some settings"
    return f"{name}: {sentence(name)}{sometimes}"


def _need(need: Need) -> str:
    return f"{need_text(need)}: {need.why}"


def _settings(
    config: type, scaled: tuple[Mapping[str, Any], Mapping[str, Any]], prefix: str
) -> Iterator[ShownSetting]:
    mini, small = scaled
    for name, declared in settings_of(config).items():
        if declared.nested:
            inner = (mini.get(name, {}), small.get(name, {}))
            yield from _settings(declared.type, inner, f"{prefix}{name}.")
            continue
        yield ShownSetting(
            path=prefix + name,
            default=declared.default,
            mini=mini.get(name, declared.default),
            small=small.get(name, declared.default),
            expected=declared.expected,
            help=declared.setting.help,
        )


def schema(*, plugins: Wanted = ()) -> dict[str, Any]:
    """Return the JSON Schema of a recipe file.

    Args:
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
    """
    return recipe_schema(installed(plugins))


def named_schema(name: str, *, plugins: Wanted = ()) -> dict[str, Any]:
    """Return the JSON Schema of a component's settings; for several components of that name, their union.

    Args:
        name: Name of a component, or `run`.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        RecipeError: No component has that name.
    """
    found = {one["title"]: one for one in map(component_schema, named(name, installed(plugins)))}
    if len(found) == 1:
        return next(iter(found.values()))
    return {"$schema": DIALECT, "title": name, "anyOf": list(found.values())}
