"""All combinations of the installed parts, each with its verdict and reasons.

Torch-free: nothing is built. What a combination is worth in practice only a run can tell.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.config import settings_of, write_scalar
from nascore.errors import Origin, Problem, RecipeError, did_you_mean
from nascore.recipe.settling.misfit import asks, changed, other_values, plain
from nascore.recipe.settling.needs import split, unmet
from nascore.recipe.settling.request import Request
from nascore.recipe.settling.settle import resolve
from nascore.recipe.sources.names import name_component
from nascore.shell import command_line
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.recipe.settling.needs import Unmet
    from nascore.recipe.settling.recipe import Recipe
    from nascore.slots import Slot


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
    asked = needed_capabilities(registry, slots)
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


def needed_capabilities(registry: Registry, slots: Iterable[Slot] = SLOTS) -> frozenset[tuple[str, str]]:
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
    origin = Origin(kind="flag", flag=f"--{slot.name}", value=name)
    choice = name_component(slot.name, name, origin, registry).choice
    return choice.component, choice.problem


def _forms(
    slot: Slot,
    name: str,
    component: Component | None,
    asked: frozenset[tuple[str, str]],
    fixed: set[str],
) -> Iterator[Filling]:
    found = {} if component is None else deciding(component, asked)
    free = {f"{slot.prefix(name)}{setting}": values for setting, values in found.items()}
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


Judgement: TypeAlias = Literal["sound", "warned", "refused"]
VERDICTS: Final[tuple[Judgement, ...]] = ("sound", "warned", "refused")
"""From the best to the worst."""

MOST: Final = 100_000
"""Combinations that are gone through; at some milliseconds each, more than one wants to wait for."""


@frozen(kw_only=True)
class Mix:
    """A combination, and what the fit check says of it.

    Attributes:
        fillings: What fills each slot that was combined.
        request: What one would ask for to have it.
        verdict: The worst that is said of it.
        reasons: Why it is not sound, the worst first.
    """

    fillings: tuple[Filling, ...]
    request: Request
    verdict: Judgement
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.typed

    @property
    def texts(self) -> dict[str, str]:
        """By slot what fills it, in words."""
        return {one.slot: one.text for one in self.fillings}

    @property
    def typed(self) -> str:
        """What one types for it after ``nascore search``."""
        return " ".join(one.typed for one in self.fillings)


@frozen(kw_only=True)
class Mixes:
    """All combinations of some axes.

    Attributes:
        registry: What is installed.
        axes: What is combined.
        request: What stays the same.
        left_out: What is not combined, a sentence each.
    """

    registry: Registry
    axes: tuple[Axis, ...]
    request: Request = Factory(Request)
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return how many there are."""
        return prod(len(axis.fillings) for axis in self.axes)

    def values(self, slot: str) -> tuple[str, ...]:
        """Return the names of what fills a slot, each once; none where the slot is not combined."""
        names = (one.name for axis in self.axes if axis.slot == slot for one in axis.fillings)
        return tuple(dict.fromkeys(names))

    def __iter__(self) -> Iterator[Mix]:
        """Yield each with its verdict; the last axis changes first."""
        for fillings in product(*(axis.fillings for axis in self.axes)):
            yield judged(fillings, self.request, self.registry)


def mixes(
    registry: Registry, *, names: Mapping[str, Sequence[str]] | None = None, sets: Sequence[str] = ()
) -> Mixes:
    """Return all combinations of what is installed.

    Args:
        registry: What is installed.
        names: What was typed for a slot, each a value of its axis: nothing else fills it then.
        sets: ``PATH=VALUE`` texts that hold for all.

    Raises:
        RecipeError: A name stands for no component, or there are more combinations than one waits for.
    """
    axes = axes_of(registry, names=names or {}, sets=sets)
    found = Mixes(
        registry=registry,
        axes=axes,
        request=Request(scale="mini", sets=tuple(sets)),
        left_out=tuple(_left_out(registry, axes)),
    )
    if len(found) > MOST:
        widest = max(axes, key=lambda axis: len(axis.fillings))
        text = f"{len(found):,} combinations are more than the {MOST:,} that are gone through."
        hint = f"Name what fills some slots: --{widest.slot} {widest.fillings[0].name}."
        raise RecipeError([Problem(path="", text=text, hint=hint)])
    return found


def judged(
    fillings: Sequence[Filling],
    request: Request,
    registry: Registry,
    *,
    alone: bool = True,
) -> Mix:
    """Return a combination with its verdict.

    Args:
        fillings: What fills each slot; the others are filled by wishes and defaults.
        request: What is asked for besides.
        registry: What is installed.
        alone: Whether it counts what is wrong with one slot alone, such as a file that is not named.
    """
    asked = evolve(
        request,
        names={**request.names, **{one.slot: (one.name,) for one in fillings}},
        sets=[*request.sets, *(text for one in fillings for text in one.sets)],
    )
    recipe = resolve(asked.layers(registry), registry, told=False)
    own = {path for one in fillings for path, _value in one.settings}
    counted = [
        one
        for one in _said(recipe)
        # That nothing reads a setting which only tells forms apart speaks against no combination.
        if (alone or len(one.slots) != 1) and not (one.verdict == "warned" and one.path in own)
    ]
    said = sorted(counted, key=lambda one: -VERDICTS.index(one.verdict))
    return Mix(
        fillings=tuple(fillings),
        request=asked,
        verdict=said[0].verdict if said else "sound",
        reasons=tuple(dict.fromkeys(one.text for one in said)),
    )


def partners(component: Component, registry: Registry) -> Iterator[Mix]:
    """Yield what a component mixes with: one other slot after the other is filled with each thing there is.

    The rest is as wishes and defaults bring it. What is wrong with one slot alone does not count: that is no
    matter of mixing.

    Args:
        component: The component.
        registry: What is installed.
    """
    full = registry.ambiguous(component.slot, component.name)
    name = f"{component.plugin}:{component.name}" if full else component.name
    request = Request(scale="mini", names={component.slot: (name,)})
    whole = {slot: registry.shown(slot) for slot in OPEN}
    for axis in axes_of(registry, names=whole):
        if axis.slot != component.slot:
            for filling in axis.fillings:
                yield judged([filling], request, registry, alone=False)


def _said(recipe: Recipe) -> Iterator[Problem]:
    """Yield all problems; those of needs, which were settled without a text, with a short one."""
    for lack in unmet(recipe.parts):
        yield Problem(path="", text=_reason(lack), verdict=lack.need.verdict, slots=lack.slots)
    for problem in recipe.problems:
        if problem.text:
            text = f"{problem.path}: {problem.text}" if problem.path else problem.text
            yield evolve(problem, text=text)


def _reason(lack: Unmet) -> str:
    return f"{lack.part.name} needs {asks(lack.need)}: {lack.need.why.rstrip('.')}"


def _left_out(registry: Registry, axes: Sequence[Axis]) -> Iterator[str]:
    named = {axis.slot: {one.name.partition(":")[0] for one in axis.fillings} for axis in axes}
    for slot in SLOTS:
        if slot.name not in named and slot.aside:
            yield f"{slot.name}: it does not influence the result"
        elif slot.name not in named:
            yield f"{slot.name}: as a search fills it"
        elif slot.many:
            yield f"{slot.name}: lists of two or more"
        for one in registry.components(slot.name) if slot.name in named else ():
            if needs_a_value(one) and one.name not in named[slot.name]:
                yield f"{slot.name} {one.name}: add --{slot.name} {one.name}:{str(one.argument).upper()}"
    yield "settings: all but those that decide on what a part gives the others"
