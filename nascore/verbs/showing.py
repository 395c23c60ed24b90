"""What one component is, what it needs and what can be set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.capability import sentence
from nascore.component import RUN, SLOTS
from nascore.config import settings_of
from nascore.errors import Problem, RecipeError, did_you_mean
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN
from nascore.recipe.fit import asks
from nascore.verbs.asking import installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nascore.component import Component, Give, Need


@frozen(kw_only=True)
class ShownSetting:
    """One setting.

    Attributes:
        path: What is typed after ``--set``.
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
    """One component, or the run itself.

    Attributes:
        slot: What it fills.
        name: What is typed.
        summary: One sentence.
        plugin: Who brings it.
        paper: Where method and values come from.
        provides: What it promises, each as a name and a sentence.
        needs: What it needs of the others, and why.
        settings: What can be set.
    """

    slot: str
    name: str
    summary: str
    plugin: str
    paper: str
    provides: tuple[str, ...]
    needs: tuple[str, ...]
    settings: tuple[ShownSetting, ...]


def show(name: str, *, plugins: Sequence[Path] = ()) -> list[Shown]:
    """Return every component of a name: a space and an updater may share one.

    Args:
        name: Name of a component, or `run` for the settings that belong to no component.
        plugins: Files with plugins that are not installed.

    Raises:
        RecipeError: Nothing has that name.
    """
    registry = installed(plugins)
    if name == RUN:
        return [_shown(SEARCH_RUN, "search"), _shown(EVALUATE_RUN, "evaluate")]
    found = [_shown(one) for slot in SLOTS for one in registry.components(slot.name) if name in _names(one)]
    if not found:
        known = {RUN, *(one for slot in SLOTS for one in registry.names(slot.name))}
        hint = did_you_mean(name, known) or "See nascore list."
        raise RecipeError([Problem(path="", text=f"nothing is called {name}.", hint=hint)])
    return found


def _names(component: Component) -> tuple[str, str]:
    return component.name, f"{component.plugin}:{component.name}"


def _shown(component: Component, name: str = "") -> Shown:
    prefix = "" if component.slot == RUN else f"{component.slot}."
    return Shown(
        slot=component.slot,
        name=name or component.name,
        summary=component.summary,
        plugin=component.plugin,
        paper=component.paper,
        provides=tuple(map(_gift, component.provides)),
        needs=tuple(map(_need, component.needs)),
        settings=tuple(_settings(component.config, component.mini, prefix)),
    )


def _gift(given: str | Give) -> str:
    name = given if isinstance(given, str) else given.capability
    sometimes = "" if isinstance(given, str) else ", with some settings"
    return f"{name}: {sentence(name)}{sometimes}"


def _need(need: Need) -> str:
    return f"{asks(need)}: {need.why}"


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
