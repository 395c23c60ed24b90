"""All combinations of what is installed, each with its verdict and the reasons of it.

Torch-free: nothing is built. What a combination is worth in practice only a run can tell.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.component import SLOTS
from nascore.errors import Problem, RecipeError
from nascore.recipe.fillings import OPEN, Axis, Filling, axes_of, needs_a_value
from nascore.recipe.misfit import asks
from nascore.recipe.needs import unmet
from nascore.recipe.request import Request
from nascore.recipe.settle import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.recipe.needs import Unmet
    from nascore.recipe.recipe import Recipe

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
            yield f"{slot.name}: it has no say in the result"
        elif slot.name not in named:
            yield f"{slot.name}: as a search fills it"
        elif slot.many:
            yield f"{slot.name}: lists of two or more"
        for one in registry.components(slot.name) if slot.name in named else ():
            if needs_a_value(one) and one.name not in named[slot.name]:
                yield f"{slot.name} {one.name}: add --{slot.name} {one.name}:{str(one.argument).upper()}"
    yield "settings: all but those that decide on what a part gives the others"
