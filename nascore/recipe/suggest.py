"""The nearest request that works: what a refusal ends with."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final

from attrs import Factory, define, frozen

from nascore.errors import RecipeError
from nascore.recipe.fit import misfits
from nascore.recipe.ground import Ground
from nascore.recipe.moves import moves
from nascore.recipe.needs import holds, slots_of, unmet
from nascore.recipe.ways import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.component import Component, Slot
    from nascore.plugin import Registry
    from nascore.recipe.moves import Move
    from nascore.recipe.recipe import Recipe
    from nascore.recipe.request import Request

_MOST: Final = 300
"""Requests that are tried."""
_CHANGES: Final = 2
"""Changes of a request; with three it is another one."""
_PATIENCE: Final = 1.0
"""What a sound request may cost more than the first that is warned of."""


@frozen(kw_only=True, eq=False)
class Suggestion:
    """A request that works.

    Attributes:
        request: The request.
        recipe: What it settles to: nothing in it is refused.
        changes: What was changed, in words.
    """

    request: Request
    recipe: Recipe
    changes: tuple[str, ...]


class UnfitError(RecipeError):
    """Parts of a recipe do not fit (exit code 3); knows what was asked for, and can look for what works.

    Args:
        recipe: The refused recipe.
        request: What was asked for.
        ground: What it was settled on.
    """

    def __init__(self, recipe: Recipe, request: Request, ground: Ground) -> None:
        super().__init__(recipe.problems)
        self.recipe = recipe
        self.request = request
        self.ground = ground

    def suggestion(self) -> Suggestion | None:
        """Return the nearest request that works; None where none is near."""
        return suggest(self.request, self.ground)

    def fitting(self) -> dict[str, tuple[str, ...]]:
        """Return, by slot, the components that none of the refused needs rejects."""
        return fitting(self.recipe, self.ground)


def unfit(
    recipe: Recipe, request: Request, registry: Registry, *, run: Component, slots: tuple[Slot, ...]
) -> UnfitError | None:
    """Return the error of a recipe that is refused for misfits alone; None where something else is wrong.

    Where something is mistyped, nobody knows yet what was meant, and so not what would fit.
    """
    if not recipe.refused or not set(recipe.refused) <= set(misfits(recipe, registry)):
        return None
    return UnfitError(recipe, request, Ground.of(request, registry, run=run, slots=slots))


def suggest(request: Request, ground: Ground) -> Suggestion | None:
    """Look for the nearest request that works: a sound one, or else one that is warned of.

    Args:
        request: A request that is refused.
        ground: What it is settled on.
    """
    second: tuple[float, Suggestion] | None = None
    search = _Search(ground=ground)
    search.push(_Try(cost=0.0, request=request))
    for one in search.cheapest():
        if second is not None and one.cost > second[0] + _PATIENCE:
            break
        recipe = ground.recipe(one.request)
        if recipe.refused or not one.moves:
            if len(one.moves) < _CHANGES:
                search.spread(one, recipe)
            continue
        changes = tuple(move.said(recipe) for move in one.moves)
        found = Suggestion(request=one.request, recipe=recipe, changes=changes)
        # A warning without slots is not of how parts fit: no other choice would be without it.
        if not any(problem.slots for problem in recipe.warned):
            return found
        second = second or (one.cost, found)
    return None if second is None else second[1]


def fitting(recipe: Recipe, ground: Ground) -> dict[str, tuple[str, ...]]:
    """Return, by slot, the components that none of the refused needs rejects.

    Args:
        recipe: A refused recipe.
        ground: What it was settled on.
    """
    slots = {slot for problem in recipe.refused for slot in problem.slots}
    return {
        slot.name: tuple(_accepted(recipe, ground, slot.name)) for slot in ground.slots if slot.name in slots
    }


@frozen(kw_only=True, eq=False)
class _Try:
    cost: float
    request: Request
    moves: tuple[Move, ...] = ()


@define(kw_only=True, eq=False)
class _Search:
    """The requests to try, cheapest first, each once."""

    ground: Ground
    queue: list[tuple[float, int, _Try]] = Factory(list)
    seen: set[object] = Factory(set)
    order: Iterator[int] = Factory(count)

    def push(self, one: _Try) -> None:
        heappush(self.queue, (one.cost, next(self.order), one))

    def spread(self, one: _Try, recipe: Recipe) -> None:
        """Add all changes of a request that is refused."""
        for move in moves(one.request, recipe, self.ground):
            self.push(_Try(cost=one.cost + move.cost, request=move.request, moves=(*one.moves, move)))

    def cheapest(self) -> Iterator[_Try]:
        """Yield what is to be tried, while there is any."""
        while self.queue and len(self.seen) < _MOST:
            _, _, one = heappop(self.queue)
            key = _key(one.request)
            if key not in self.seen:
                self.seen.add(key)
                yield one


def _key(request: Request) -> object:
    names = frozenset((slot, tuple(typed)) for slot, typed in request.names.items())
    return names, tuple(request.sets)


def _accepted(recipe: Recipe, ground: Ground, slot: str) -> Iterator[str]:
    lacks = [one for one in unmet(recipe.parts) if one.need.verdict == "refused"]
    for component in ground.registry.components(slot):
        new = plain(component)
        parts = {**recipe.parts, slot: () if new is None else (new,)}
        rejected = [
            one
            for one in lacks
            if one.part.component is component
            or (slot in slots_of(one.need) and not any(holds(term, parts) for term in one.need.terms))
        ]
        if new is not None and not rejected:
            yield ground.label(component)
