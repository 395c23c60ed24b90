"""What a slot can be filled with when all combinations of what is installed are gone through."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.component import SLOTS
from nascore.config import settings_of, write_scalar
from nascore.errors import Origin, Problem, RecipeError, did_you_mean
from nascore.recipe.naming import name_component
from nascore.recipe.needs import split
from nascore.recipe.ways import changed, other_values, plain
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.component import Component, Slot
    from nascore.plugin import Registry

NONE: Final = "none"
OPEN: Final = ("dataset",)
"""Slots that are filled as in a search: parts ask data for facts, which differ by number and not by kind."""


@frozen(kw_only=True)
class Filling:
    """What fills a slot in a mix.

    Attributes:
        slot: The slot.
        name: What is typed after ``--SLOT``; `none` for a list that is empty.
        settings: Settings that make the component another one for the others, with their values as typed.
    """

    slot: str
    name: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """How it is called in a table: ``alternating estimate=first``."""
        return " ".join([self.name, *(f"{path.rpartition('.')[2]}={value}" for path, value in self.settings)])

    @property
    def sets(self) -> tuple[str, ...]:
        """Its settings, as they are typed after ``--set``."""
        return tuple(f"{path}={value}" for path, value in self.settings)

    @property
    def typed(self) -> str:
        """What is added to a command line."""
        sets = (word for text in self.sets for word in ("--set", text))
        return command_line(f"--{self.slot}", self.name, *sets)


@frozen(kw_only=True)
class Axis:
    """A slot, and all that can fill it."""

    slot: str
    fillings: tuple[Filling, ...]


def axes_of(
    registry: Registry,
    *,
    names: Mapping[str, Sequence[str]],
    sets: Sequence[str] = (),
    slots: Sequence[Slot] = SLOTS,
) -> tuple[Axis, ...]:
    """Return the axes of all combinations, in the order of the slots.

    A component stands once for each value of its settings that decide on what it gives the others, if there
    are only a few. A list is empty or holds one component.

    Args:
        registry: What is installed.
        names: What was typed for a slot: nothing else fills it then.
        sets: ``PATH=VALUE`` texts that stand fast.
        slots: The slot table.

    Raises:
        RecipeError: Some names stand for no slot or no component.
    """
    _refuse_unknown(names, slots)
    fixed = {text.partition("=")[0].strip() for text in sets}
    asked = asked_for(registry, slots)
    problems: list[Problem] = []
    axes = []
    for slot in slots:
        wanted = names.get(slot.name) or _installed(slot, registry)
        fillings: list[Filling] = []
        for name in dict.fromkeys(wanted):
            component, problem = _component(slot, name, registry)
            problems += [] if problem is None else [problem]
            fillings += _forms(slot, name, component, asked, fixed)
        if fillings:
            axes.append(Axis(slot=slot.name, fillings=tuple(fillings)))
    if problems:
        raise RecipeError(problems)
    return tuple(axes)


def _refuse_unknown(names: Iterable[str], slots: Sequence[Slot]) -> None:
    known = {slot.name for slot in slots}
    problems = [
        Problem(path=name, text=f"no slot is called {name}.", hint=did_you_mean(name, known))
        for name in names
        if name not in known
    ]
    if problems:
        raise RecipeError(problems)


def needs_a_value(component: Component) -> bool:
    """Say whether a component cannot be chosen by its name alone: ``--space file:PATH``."""
    return component.argument is not None and getattr(plain_settings(component), component.argument) is None


def plain_settings(component: Component) -> object:
    """Return the settings of a component as they are by default; None where it has none that can be made."""
    part = plain(component)
    return None if part is None else part.settings


def asked_for(registry: Registry, slots: Iterable[Slot] = SLOTS) -> frozenset[tuple[str, str]]:
    """Return slot and name of every capability that some component has a need of."""
    components = (one for slot in slots for one in registry.components(slot.name))
    terms = (split(term) for one in components for need in one.needs for term in need.terms)
    return frozenset((slot, capability) for _, slot, capability in terms)


def _installed(slot: Slot, registry: Registry) -> Sequence[str]:
    """What fills a slot that nobody named; nothing where it is left open."""
    if slot.aside or slot.name in OPEN:
        return ()
    found = (name for name in registry.shown(slot.name) if _is_whole(slot, name, registry))
    return (NONE, *found) if slot.many else tuple(found)


def _is_whole(slot: Slot, name: str, registry: Registry) -> bool:
    component = registry.get(slot.name, name)
    return component is not None and not needs_a_value(component)


def _component(slot: Slot, name: str, registry: Registry) -> tuple[Component | None, Problem | None]:
    if slot.many and name == NONE:
        return None, None
    origin = Origin(layer="flag", where=f"--{slot.name} {name}")
    choice = name_component(slot.name, name, origin, registry).choice
    return choice.component, choice.problem


def _forms(
    slot: Slot,
    name: str,
    component: Component | None,
    asked: frozenset[tuple[str, str]],
    fixed: set[str],
) -> Iterator[Filling]:
    prefix = f"{slot.name}.{name}." if slot.many else f"{slot.name}."
    found = {} if component is None else deciding(component, asked)
    free = {f"{prefix}{setting}": values for setting, values in found.items()}
    free = {path: values for path, values in free.items() if path not in fixed}
    for values in product(*free.values()):
        settings = tuple((path, write_scalar(value)) for path, value in zip(free, values, strict=True))
        yield Filling(slot=slot.name, name=name, settings=settings)


def deciding(component: Component, asked: frozenset[tuple[str, str]]) -> dict[str, tuple[Any, ...]]:
    """Return the settings that decide on what a component gives of what is asked for, with their values.

    Args:
        component: The component.
        asked: Slot and name of what some need asks for.
    """
    part = plain(component)
    found: dict[str, tuple[Any, ...]] = {}
    for name, declared in {} if part is None else settings_of(component.config).items():
        if part is None or declared.nested:
            continue
        values = (declared.default, *other_values(declared, declared.default))
        forms = [(value, changed(part, name, value)) for value in values]
        given = [
            (value, {one for one in form.provides if (component.slot, one) in asked})
            for value, form in forms
            if form is not None
        ]
        if any(one != given[0][1] for _, one in given):
            found[name] = tuple(value for value, _ in given)
    return found
