"""Lists all mixes of the installed components, each with its verdict and reasons.

Torch-free: nothing is built. How good a mix is in practice, only a run can tell.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.config import settings_of, write_scalar
from nascore.errors import Origin, Problem, RecipeError, did_you_mean
from nascore.recipe.settling.misfit import (
    default_part,
    need_text,
    other_values,
    split_term,
    unmet_needs,
    with_setting,
)
from nascore.recipe.settling.request import Request
from nascore.recipe.settling.settle import resolve
from nascore.recipe.sources.names import name_component
from nascore.shell import command_line
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.recipe.settling.misfit import UnmetNeed
    from nascore.recipe.settling.recipe import Recipe
    from nascore.slots import Slot


NONE: Final = "none"
NOT_VARIED: Final = ("task", "dataset", "trick")
"""Slots that keep the default of a search: other tasks, data sets and tricks change few verdicts."""


@frozen(kw_only=True)
class Filling:
    """A component in a slot of a mix, with the settings that change what it provides.

    Attributes:
        slot: The slot.
        name: The value of ``--SLOT``; `none` for an empty list.
        settings: Pairs of a path and a value, as in ``--set``.
    """

    slot: str
    name: str
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """Its label in a table: ``alternating estimate=first``."""
        return " ".join([self.name, *(f"{path.rpartition('.')[2]}={value}" for path, value in self.settings)])

    @property
    def sets(self) -> tuple[str, ...]:
        """The values of ``--set`` for its settings."""
        return tuple(f"{path}={value}" for path, value in self.settings)

    @property
    def flags(self) -> str:
        """Its flags on a command line."""
        sets = (word for text in self.sets for word in ("--set", text))
        return command_line(f"--{self.slot}", self.name, *sets)


@frozen(kw_only=True)
class Axis:
    """A slot, and every filling of it."""

    slot: str
    fillings: tuple[Filling, ...]


def axes_of(
    registry: Registry,
    *,
    names: Mapping[str, Sequence[str]],
    sets: Sequence[str] = (),
    slots: Sequence[Slot] = SLOTS,
) -> tuple[Axis, ...]:
    """Return the axes of all mixes, in the order of the slots.

    A component with settings that change what it provides has one filling for each of their values. A list is
    empty or holds one component.

    Args:
        registry: The installed components.
        names: The components of a slot, where not all of them are wanted.
        sets: ``PATH=VALUE`` texts; these settings are not varied.
        slots: The slot table.

    Raises:
        RecipeError: A slot or a component does not exist.
    """
    _refuse_unknown(names, slots)
    fixed = {text.partition("=")[0].strip() for text in sets}
    needed = needed_capabilities(registry, slots)
    problems: list[Problem] = []
    axes = []
    for slot in slots:
        wanted = names.get(slot.name) or _installed(slot, registry)
        fillings: list[Filling] = []
        for name in dict.fromkeys(wanted):
            component, problem = _named_component(slot, name, registry)
            problems += [] if problem is None else [problem]
            fillings += _fillings(slot, name, component, needed, fixed)
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
    """Return whether a component cannot be chosen by its name alone: ``--space file:PATH``."""
    return component.argument is not None and getattr(plain_settings(component), component.argument) is None


def plain_settings(component: Component) -> object:
    """Return the default settings of a component; None where making them fails."""
    part = default_part(component)
    return None if part is None else part.settings


def needed_capabilities(registry: Registry, slots: Iterable[Slot] = SLOTS) -> frozenset[tuple[str, str]]:
    """Return slot and name of every capability that some component needs."""
    components = (component for slot in slots for component in registry.components(slot.name))
    terms = (split_term(term) for component in components for need in component.needs for term in need.terms)
    return frozenset((slot, capability) for _, slot, capability in terms)


def _installed(slot: Slot, registry: Registry) -> Sequence[str]:
    """Return the names of all components of a slot; nothing for a slot that is not combined."""
    if slot.aside or slot.name in NOT_VARIED:
        return ()
    found = (name for name in registry.shown(slot.name) if _needs_no_value(slot, name, registry))
    return (NONE, *found) if slot.many else tuple(found)


def _needs_no_value(slot: Slot, name: str, registry: Registry) -> bool:
    component = registry.get(slot.name, name)
    return component is not None and not needs_a_value(component)


def _named_component(slot: Slot, name: str, registry: Registry) -> tuple[Component | None, Problem | None]:
    if slot.many and name == NONE:
        return None, None
    origin = Origin(kind="flag", flag=f"--{slot.name}", value=name)
    choice = name_component(slot.name, name, origin, registry).choice
    return choice.component, choice.problem


def _fillings(
    slot: Slot,
    name: str,
    component: Component | None,
    needed: frozenset[tuple[str, str]],
    fixed: set[str],
) -> Iterator[Filling]:
    found = {} if component is None else deciding_settings(component, needed)
    free = {f"{slot.prefix(name)}{setting}": values for setting, values in found.items()}
    free = {path: values for path, values in free.items() if path not in fixed}
    for values in product(*free.values()):
        settings = tuple((path, write_scalar(value)) for path, value in zip(free, values, strict=True))
        yield Filling(slot=slot.name, name=name, settings=settings)


def deciding_settings(component: Component, needed: frozenset[tuple[str, str]]) -> dict[str, tuple[Any, ...]]:
    """Return the settings that change which needed capabilities a component provides, with their values.

    Args:
        component: The component.
        needed: Slot and name of every needed capability.
    """
    part = default_part(component)
    found: dict[str, tuple[Any, ...]] = {}
    for name, declared in {} if part is None else settings_of(component.config).items():
        if part is None or declared.nested:
            continue
        values = (declared.default, *other_values(declared, declared.default))
        variants = [(value, with_setting(part, name, value)) for value in values]
        provided = [
            (value, {capability for capability in variant.provides if (component.slot, capability) in needed})
            for value, variant in variants
            if variant is not None
        ]
        if any(capabilities != provided[0][1] for _, capabilities in provided):
            found[name] = tuple(value for value, _ in provided)
    return found


Judgement: TypeAlias = Literal["sound", "warned", "refused"]
VERDICTS: Final[tuple[Judgement, ...]] = ("sound", "warned", "refused")
"""From the best to the worst."""

MOST_MIXES: Final = 100_000
"""The largest number of mixes; at some milliseconds each, nobody wants to wait for more."""


@frozen(kw_only=True)
class Mix:
    """A mix of components with its verdict.

    Attributes:
        fillings: The filling of each combined slot.
        request: The request for this mix.
        verdict: The worst verdict of its problems.
        reasons: Why it is not sound, the worst first.
    """

    fillings: tuple[Filling, ...]
    request: Request
    verdict: Judgement
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.flags

    @property
    def texts(self) -> dict[str, str]:
        """The label of each filling, by slot."""
        return {filling.slot: filling.text for filling in self.fillings}

    @property
    def flags(self) -> str:
        """Its flags after ``nascore search``."""
        return " ".join(filling.flags for filling in self.fillings)


@frozen(kw_only=True)
class Mixes:
    """All mixes of some axes.

    Attributes:
        registry: The installed components.
        axes: The slots that are combined.
        request: The part of the request that all mixes share.
        not_combined: The slots and settings that are not combined, with the reasons.
    """

    registry: Registry
    axes: tuple[Axis, ...]
    request: Request = Factory(Request)
    not_combined: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of mixes."""
        return prod(len(axis.fillings) for axis in self.axes)

    def values(self, slot: str) -> tuple[str, ...]:
        """Return the names of the components of a slot, each once; empty where the slot is not combined."""
        names = (filling.name for axis in self.axes if axis.slot == slot for filling in axis.fillings)
        return tuple(dict.fromkeys(names))

    def __iter__(self) -> Iterator[Mix]:
        """Yield each mix with its verdict; the last axis changes fastest."""
        for fillings in product(*(axis.fillings for axis in self.axes)):
            yield judge(fillings, self.request, self.registry)


def mixes(
    registry: Registry, *, names: Mapping[str, Sequence[str]] | None = None, sets: Sequence[str] = ()
) -> Mixes:
    """Return all mixes of the installed components.

    Args:
        registry: The installed components.
        names: The components of a slot, where not all of them are wanted.
        sets: ``PATH=VALUE`` texts that hold for all mixes.

    Raises:
        RecipeError: A component does not exist, or there are too many mixes.
    """
    axes = axes_of(registry, names=names or {}, sets=sets)
    found = Mixes(
        registry=registry,
        axes=axes,
        request=Request(scale="mini", sets=tuple(sets)),
        not_combined=tuple(_not_combined(registry, axes)),
    )
    if len(found) > MOST_MIXES:
        widest = max(axes, key=lambda axis: len(axis.fillings))
        text = f"there are {len(found):,} combinations; at most {MOST_MIXES:,} are checked."
        hint = f"Name the components of some slots: --{widest.slot} {widest.fillings[0].name}."
        raise RecipeError([Problem(path="", text=text, hint=hint)])
    return found


def judge(
    fillings: Sequence[Filling],
    request: Request,
    registry: Registry,
    *,
    single_slot_problems: bool = True,
) -> Mix:
    """Return a mix with its verdict.

    Args:
        fillings: The fillings; wishes and defaults fill the other slots.
        request: The rest of the request.
        registry: The installed components.
        single_slot_problems: Whether problems of one slot alone count, such as a missing file name.
    """
    request = evolve(
        request,
        names={**request.names, **{filling.slot: (filling.name,) for filling in fillings}},
        sets=[*request.sets, *(text for filling in fillings for text in filling.sets)],
    )
    recipe = resolve(request.layers(registry), registry, explain=False)
    varied = {path for filling in fillings for path, _value in filling.settings}
    counted = [
        problem
        for problem in _explained_problems(recipe)
        # An unread setting that only distinguishes two fillings is no fault of the mix.
        if (single_slot_problems or len(problem.slots) != 1)
        and not (problem.verdict == "warned" and problem.path in varied)
    ]
    problems = sorted(counted, key=lambda problem: -VERDICTS.index(problem.verdict))
    return Mix(
        fillings=tuple(fillings),
        request=request,
        verdict=problems[0].verdict if problems else "sound",
        reasons=tuple(dict.fromkeys(problem.text for problem in problems)),
    )


def partners(component: Component, registry: Registry) -> Iterator[Mix]:
    """Yield the mixes of a component with each component of every other slot, one at a time.

    Wishes and defaults fill the remaining slots. If they do not fit the component, but fit after a change of
    one slot, the mixes with the parts of the other slots are also tried with this change. Problems of a
    single slot do not count.

    Args:
        component: The component.
        registry: The installed components.
    """
    full = registry.ambiguous(component.slot, component.name)
    name = f"{component.plugin}:{component.name}" if full else component.name
    request = Request(scale="mini", names={component.slot: (name,)})
    varied_too = {slot: registry.shown(slot) for slot in NOT_VARIED}
    axes = [axis for axis in axes_of(registry, names=varied_too) if axis.slot != component.slot]
    needed = _needed_partner(axes, request, registry)
    for axis in axes:
        beside = [] if needed is None or needed.slot == axis.slot else [needed]
        for filling in axis.fillings:
            yield judge([filling, *beside], request, registry, single_slot_problems=False)


def _needed_partner(axes: Sequence[Axis], request: Request, registry: Registry) -> Filling | None:
    """Return the first filling that makes a refused request fit; None if none does, or it is not refused."""
    if judge([], request, registry, single_slot_problems=False).verdict != "refused":
        return None
    alone = (
        judge([filling], request, registry, single_slot_problems=False)
        for axis in axes
        for filling in axis.fillings
    )
    fit = [mix for mix in alone if mix.verdict != "refused"]
    best = min(fit, key=lambda mix: VERDICTS.index(mix.verdict), default=None)
    return None if best is None else best.fillings[0]


def _explained_problems(recipe: Recipe) -> Iterator[Problem]:
    """Yield all problems of a recipe; those of unmet needs with a short text."""
    for lack in unmet_needs(recipe.parts):
        yield Problem(path="", text=_reason(lack), verdict=lack.need.verdict, slots=lack.slots)
    for problem in recipe.problems:
        if problem.text:
            text = f"{problem.path}: {problem.text}" if problem.path else problem.text
            yield evolve(problem, text=text)


def _reason(lack: UnmetNeed) -> str:
    return f"{lack.part.name} needs {need_text(lack.need)}: {lack.need.why.rstrip('.')}"


def _not_combined(registry: Registry, axes: Sequence[Axis]) -> Iterator[str]:
    named = {axis.slot: {filling.name.partition(":")[0] for filling in axis.fillings} for axis in axes}
    for slot in SLOTS:
        if slot.name not in named and slot.aside:
            yield f"{slot.name}: it does not influence the result"
        elif slot.name not in named:
            yield f"{slot.name}: only the default of a search"
        elif slot.many:
            yield f"{slot.name}: lists of two or more"
        for component in registry.components(slot.name) if slot.name in named else ():
            name = component.name
            if needs_a_value(component) and name not in named[slot.name]:
                yield f"{slot.name} {name}: add --{slot.name} {name}:{str(component.argument).upper()}"
    yield "settings: all but those that change a component's capabilities"
