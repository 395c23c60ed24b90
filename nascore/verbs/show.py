"""Describes one component, preset, operation, notation or verb."""

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
from nascore.recipe.sources.files import FORMAT
from nascore.shell import command_line
from nascore.slots import RUN, SLOTS
from nascore.verbs.listing import NOTATION, OPERATION, PRESET, VERB, Listed, items, unknown_name_error
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
    """What fills another slot beside a component, with one verdict and for one reason.

    Attributes:
        slot: The other slot.
        verdict: What is said of the combination, when the rest is as wishes and defaults bring it.
        names: What fills the slot.
        why: What speaks against it; empty where nothing does.
    """

    slot: str
    verdict: Judgement
    names: tuple[str, ...]
    why: str = ""


def partners_of(component: Component, registry: Registry) -> tuple[Partners, ...]:
    """Return what a component mixes with, slot by slot, the best first.

    Nothing is said of what has no say in the result, and so mixes with everything.

    Args:
        component: The component.
        registry: What is installed.
    """
    if any(slot.aside and slot.name == component.slot for slot in SLOTS):
        return ()
    found: dict[str, dict[tuple[Judgement, str], list[str]]] = {}
    for mix in partners(component, registry):
        of_slot = found.setdefault(mix.fillings[0].slot, {})
        of_slot.setdefault((mix.verdict, "; ".join(mix.reasons)), []).append(mix.fillings[0].text)
    return tuple(
        Partners(slot=slot, verdict=verdict, names=tuple(names), why=why)
        for slot, of_slot in found.items()
        for (verdict, why), names in sorted(of_slot.items(), key=lambda one: VERDICTS.index(one[0][0]))
    )


MANY = {slot.name for slot in SLOTS if slot.many}


def template(components: Sequence[Component]) -> str:
    """Return a recipe in which these components stand with all their defaults.

    Args:
        components: At most one of each slot; of several runs the first is taken.

    Raises:
        RecipeError: Two plugins bring one component.
    """
    by_slot: dict[str, Component] = {}
    for one in components:
        if one.slot != RUN and one.slot in by_slot:
            full = " or ".join(sorted(f"{each.plugin}:{each.name}" for each in (by_slot[one.slot], one)))
            text = f"several plugins bring {one.slot} {one.name}."
            raise RecipeError([Problem(path="", text=text, hint=f"Write {full}.")])
        by_slot.setdefault(one.slot, one)
    document: dict[str, Any] = {"nascore": FORMAT}
    for one in by_slot.values():
        document |= _commented(one)
    return write_yaml(document).rstrip("\n")


def _commented(component: Component) -> dict[str, Any]:
    """Return a component with its defaults as a recipe has it, each with what it means."""
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
        path: What is typed after ``--set``; of an operation, the name that a description uses.
        default: The paper's value, where there is one.
        mini: The value at the scale ``mini``; equal to the default where nothing changes.
        expected: What it must be, in words.
        help: One sentence.
    """

    path: str
    default: Any
    mini: Any
    expected: str
    help: str


@frozen(kw_only=True)
class Shown:
    """One thing that can be named.

    Attributes:
        slot: What it fills; `run`, `preset`, `operation`, `notation` or `verb` for what fills none.
        name: What is typed.
        summary: One sentence.
        plugin: Who brings it.
        paper: Where method and values come from.
        provides: What it promises, each as a name and a sentence.
        needs: What it needs of the others, and why.
        facts: What else is to be known, each in a line.
        settings: What can be set.
        mixes: Of a component that fills a slot, what it mixes with.
        text: A preset's recipe.
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
    """Return everything of a name: a space and an updater may share one.

    Args:
        name: Name of a component, a preset, an operation, a notation or a verb, with its plugin's before it
            (``nascore-darts:darts``) or without; or `run` for the settings that belong to no component.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        own: What the command line brings itself.

    Raises:
        RecipeError: Nothing has that name.
        PluginError: A plugin that is not installed brings it.
    """
    registry = installed(plugins)
    found = [_shown(one, registry) for one in _components(name, registry)]
    found += [
        one for kind in (PRESET, NOTATION, VERB, OPERATION) for one in _others(kind, name, registry, own)
    ]
    if not found:
        raise unknown_name_error(name, registry, own)
    return found


def show_all(*, plugins: Wanted = ()) -> list[Shown]:
    """Return every component that is installed, by slot and name; see :func:`show`."""
    registry = installed(plugins)
    return [_shown(one, registry) for slot in SLOTS for one in registry.components(slot.name)]


def named(name: str, registry: Registry) -> list[Component]:
    """Return every component of a name, or for `run` the two runs.

    Raises:
        RecipeError: Nothing that has settings in a recipe has that name.
    """
    found = _components(name, registry)
    if not found:
        for kind in (PRESET, NOTATION, VERB, OPERATION):
            if any(one.answers(name) for one in items(registry, kind)):
                text = f"{name} is of kind {kind}: it has no settings in a recipe."
                raise RecipeError(
                    [Problem(path="", text=text, hint=f"Write {command_line('nascore', 'show', name)}.")]
                )
        raise unknown_name_error(name, registry)
    return found


def recipe_text(name: str, *, plugins: Wanted = ()) -> str:
    """Return a recipe in YAML: a preset as it is, or a component with every setting that it has.

    Raises:
        RecipeError: Nothing that can stand in a recipe has that name.
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
            }
            yield Shown(
                slot=kind, name=one.name, summary=one.summary, plugin=one.plugin, facts=(facts[kind],)
            )


def _operation(entry: Operation, plugin: str) -> Shown:
    strides = "any" if entry.strides is None else " or ".join(map(str, entry.strides))
    facts = [f"strides: {strides}"]
    facts += ["channels: must bring as many as it gets"] if entry.same_channels else []
    settings = (
        ShownSetting(path=key, default=value, mini=value, expected=describe(type(value), ""), help="")
        for key, value in entry.settings.items()
    )
    kind = "part of the frame of a network" if entry.structural else "what can stand on an edge or in a layer"
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
        settings=tuple(_settings(component.config, component.mini, component.prefix)),
        mixes=() if component.slot == RUN else partners_of(component, registry),
    )


def _facts(component: Component) -> Iterator[str]:
    for hook, contributions in component.contributions.items():
        times = Counter(one.plugin for one in contributions)
        plugins = ", ".join(f"{name} ({count})" for name, count in times.items())
        yield f"reads {hook}: {plugins or 'no plugin contributes to it'}"
    for path, instead in component.unread.items():
        yield f"no effect with it: {path} ({instead})"


def _gift(given: str | Give) -> str:
    name = given if isinstance(given, str) else given.capability
    sometimes = "" if isinstance(given, str) else ", with some settings"
    return f"{name}: {sentence(name)}{sometimes}"


def _need(need: Need) -> str:
    return f"{need_text(need)}: {need.why}"


def _settings(config: type, mini: Mapping[str, Any], prefix: str) -> Iterator[ShownSetting]:
    for name, declared in settings_of(config).items():
        if declared.nested:
            yield from _settings(declared.type, mini.get(name, {}), f"{prefix}{name}.")
            continue
        yield ShownSetting(
            path=prefix + name,
            default=declared.default,
            mini=mini.get(name, declared.default),
            expected=declared.expected,
            help=declared.setting.help,
        )
