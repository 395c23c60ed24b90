"""Finds the nearest mix that works, for the command at the end of a refusal.

The costs were tried on all refused mixes. A replacement must cost more than two removals, or the suggestion
is a sound but pointless search; removing one component of a list must cost less than removing the whole list.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final

from attrs import Factory, define, evolve, frozen

from nascore.config import settings_of, write_value
from nascore.errors import RecipeError
from nascore.recipe.settling.fit import misfits
from nascore.recipe.settling.misfit import (
    default_part,
    is_met,
    need_applies,
    other_values,
    slots_of_need,
    unmet_needs,
    varied_settings,
)
from nascore.recipe.settling.request import table_of
from nascore.recipe.settling.settle import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.recipe.settling.recipe import Part, Recipe
    from nascore.recipe.settling.request import Request
    from nascore.recipe.sources.layers import Layer
    from nascore.slots import Slot


@frozen(kw_only=True, eq=False)
class ResolveContext:
    """Everything besides the request that a recipe depends on.

    Attributes:
        registry: The installed components.
        run: The component of the run itself.
        slots: The slots to fill.
        files: The layers of preset, recipe and scale, read once.
    """

    registry: Registry
    run: Component
    slots: tuple[Slot, ...]
    files: tuple[Layer, ...]

    @classmethod
    def of(
        cls, request: Request, registry: Registry, *, run: Component, slots: tuple[Slot, ...]
    ) -> ResolveContext:
        """Return the context of a request; reads its files."""
        files = tuple(request.file_layers(registry, slots=table_of(slots)))
        return cls(registry=registry, run=run, slots=slots, files=files)

    def recipe(self, request: Request) -> Recipe:
        """Return the recipe of a request with the same files; misfits have no text."""
        return self._resolved(self._layers(request))

    def recipe_without(self, request: Request, slot: str) -> Recipe:
        """Return the recipe of a request without its choices for a slot."""
        return self._resolved([_without_slot(layer, slot) for layer in self._layers(request)])

    def label(self, component: Component) -> str:
        """Return the name of a component, with the plugin's where the name alone is ambiguous."""
        full = self.registry.ambiguous(component.slot, component.name)
        return f"{component.plugin}:{component.name}" if full else component.name

    def _layers(self, request: Request) -> list[Layer]:
        return [*self.files, *request.flag_layers(self.registry, slots=table_of(self.slots))]

    def _resolved(self, layers: list[Layer]) -> Recipe:
        return resolve(layers, self.registry, run=self.run, slots=self.slots, explain=False)


def _without_slot(layer: Layer, slot: str) -> Layer:
    return evolve(
        layer,
        chosen={name: choices for name, choices in layer.chosen.items() if name != slot},
        values=tuple(value for value in layer.values if value.slot != slot),
    )


_REMOVED: Final = 1.0
_REMOVED_FROM_LIST: Final = 0.95
_UNSET: Final = 0.9
_CHANGED: Final = 1.0
_CHANGED_DEFAULT: Final = 1.3
_REPLACED: Final = 2.3
_EARLIER: Final = 0.11
"""Extra cost of a change in the first slot over one in the last: space and growth are changed last."""

_CHOSEN: Final = ("preset", "recipe", "flag", "set", "python")


@frozen(kw_only=True, eq=False)
class Change:
    """A change of a request.

    Attributes:
        request: The changed request.
        cost: The cost of the change.
        text: A description of the change.
        slot: The slot that wishes fill after the change, if any.
        path: The setting that goes back to its default or a wish, if any.
    """

    request: Request
    cost: float
    text: str
    slot: str = ""
    path: str = ""

    def describe(self, after: Recipe) -> str:
        """Return a description of the change and its effect.

        Args:
            after: The recipe with all changes.
        """
        if self.slot and after.parts.get(self.slot):
            return f"{self.text}, so {_source(after.part(self.slot))}"
        if self.path:
            return f"{self.text}, so it is {write_value(after.setting(self.path))}"
        return self.text


def possible_changes(request: Request, recipe: Recipe, context: ResolveContext) -> Iterator[Change]:
    """Yield every change of the slots that the refusals name.

    Args:
        request: The request.
        recipe: Its recipe, which is refused.
        context: The context of both.
    """
    named = {slot for problem in recipe.refused for slot in problem.slots}
    last = max(len(context.slots) - 1, 1)
    for index, slot in enumerate(context.slots):
        if slot.name not in named:
            continue
        for change in _slot_changes(request, recipe, context, slot):
            yield evolve(change, cost=change.cost + _EARLIER * (1 - index / last))


def _slot_changes(request: Request, recipe: Recipe, context: ResolveContext, slot: Slot) -> Iterator[Change]:
    parts = recipe.parts.get(slot.name, ())
    for part in parts:
        yield from _changed_settings(request, part)
    if slot.many:
        yield from _removed_from_list(request, parts, slot)
    if slot.name in request.names:
        names = ", ".join(part.name for part in parts) or "none"
        yield Change(
            request=_without(request, slot.name),
            cost=_REMOVED,
            text=f"{names} removed",
            slot="" if slot.many else slot.name,
        )
    elif parts and any(part.chosen_by.in_file for part in parts):
        yield from _removed_from_file(request, parts, context, slot)
    if not slot.many:
        yield from _replaced(request, parts, context, slot)


def _removed_from_file(
    request: Request, parts: tuple[Part, ...], context: ResolveContext, slot: Slot
) -> Iterator[Change]:
    """Yield the change that replaces the choice of a file by the components that wishes bring."""
    brought = context.recipe_without(request, slot.name).parts.get(slot.name, ())
    if [part.component for part in brought] == [part.component for part in parts]:
        return
    names = [part.label for part in brought] or ["none"]
    if not brought and not slot.many:
        return
    source = " and ".join(map(_source, brought)) or "none is left"
    text = f"{', '.join(part.name for part in parts)} removed, so {source}"
    yield Change(request=_named(request, slot.name, names), cost=_REMOVED, text=text)


def _removed_from_list(request: Request, parts: tuple[Part, ...], slot: Slot) -> Iterator[Change]:
    """Yield each change that removes one component of a list."""
    typed = list(request.names.get(slot.name, ())) or [part.label for part in parts]
    for index, part in enumerate(parts):
        names = [name for place, name in enumerate(typed) if place != index] or ["none"]
        changed = evolve(
            _unset(request, f"{slot.name}.{part.name}"), names={**request.names, slot.name: names}
        )
        yield Change(request=changed, cost=_REMOVED_FROM_LIST, text=f"{part.name} removed")


def _changed_settings(request: Request, part: Part) -> Iterator[Change]:
    """Yield each change of a setting that affects the capabilities or needs of a part."""
    current = _provides_and_needs(part)
    deciding = dict.fromkeys(
        name for other, name in varied_settings(part) if _provides_and_needs(other) != current
    )
    for name in deciding:
        path = f"{part.prefix}{name}"
        declared = settings_of(part.component.config)[name]
        value, origin = getattr(part.settings, name), part.origins.get(name)
        dropped = _unset(request, path)
        if dropped is not request:
            yield Change(request=dropped, cost=_UNSET, text=f"{path} unset", path=path)
        elif origin is not None and origin.in_file and value != declared.default:
            changed = _set(request, path, declared.default)
            yield Change(request=changed, cost=_UNSET, text=f"{path} unset", path=path)
        cost = _CHANGED if origin is not None and origin.kind in _CHOSEN else _CHANGED_DEFAULT
        for other in other_values(declared, value):
            text = f"{path} set to {write_value(other)}"
            yield Change(request=_set(request, path, other), cost=cost, text=text)


def _replaced(
    request: Request, parts: tuple[Part, ...], context: ResolveContext, slot: Slot
) -> Iterator[Change]:
    current = [part.component for part in parts]
    before = ", ".join(part.name for part in parts) or "nothing"
    for component in context.registry.components(slot.name):
        if component not in current:
            label = context.label(component)
            changed = _named(request, slot.name, [label])
            yield Change(request=changed, cost=_REPLACED, text=f"{before} replaced by {label}")


def _provides_and_needs(part: Part) -> tuple[frozenset[str], list[bool]]:
    """Return the capabilities of a part with its settings, and which of its needs apply."""
    return part.provides, [
        need_applies(part.component, part.settings, need)[0] for need in part.component.needs
    ]


def _without(request: Request, slot: str) -> Request:
    names = {name: typed for name, typed in request.names.items() if name != slot}
    return evolve(_unset(request, slot), names=names)


def _named(request: Request, slot: str, names: Iterable[str]) -> Request:
    return evolve(_unset(request, slot), names={**request.names, slot: list(names)})


def _unset(request: Request, path: str) -> Request:
    """Return a request without any ``--set`` of a path or below it; the same object where there is none."""
    others = [text for text in request.sets if not _is_below(text.partition("=")[0].strip(), path)]
    return request if len(others) == len(request.sets) else evolve(request, sets=others)


def _is_below(candidate: str, path: str) -> bool:
    # The path may contain a plugin's name: regularizer.builtin:l1.weight.
    bare = ".".join(word.rpartition(":")[2] for word in candidate.split("."))
    return bare == path or bare.startswith(f"{path}.")


def _set(request: Request, path: str, value: object) -> Request:
    dropped = _unset(request, path)
    return evolve(dropped, sets=[*dropped.sets, f"{path}={write_value(value)}"])


def _source(part: Part) -> str:
    origin = part.chosen_by
    if origin.kind == "wish":
        return f"{origin.who} brings {part.name}"
    if origin.kind == "default":
        return f"{part.name} comes by default"
    return f"{part.name} comes from {origin}"


_MAX_TRIED: Final = 300
"""The largest number of requests that are tried."""
_MAX_CHANGES: Final = 2
"""The largest number of changes; with three it is no longer the user's request."""
_WARNED_MARGIN: Final = 1.0
"""How much more a sound request may cost than the cheapest one with a warning."""


@frozen(kw_only=True, eq=False)
class Suggestion:
    """A request that works.

    Attributes:
        request: The request.
        recipe: Its recipe; nothing in it is refused.
        changes: Descriptions of the changes.
    """

    request: Request
    recipe: Recipe
    changes: tuple[str, ...]


class UnfitError(RecipeError):
    """Parts of a recipe do not fit (exit code 3); can find the nearest mix that works.

    Args:
        recipe: The refused recipe.
        request: Its request.
        context: The context of the request.
    """

    def __init__(self, recipe: Recipe, request: Request, context: ResolveContext) -> None:
        super().__init__(recipe.problems)
        self.recipe = recipe
        self.request = request
        self.context = context

    def suggestion(self) -> Suggestion | None:
        """Return the nearest mix that works; None where none is near."""
        return suggest(self.request, self.context)

    def fitting(self) -> dict[str, tuple[str, ...]]:
        """Return, for each slot in a refusal, the components that meet all needs."""
        return fitting_components(self.recipe, self.context)


def unfit(
    recipe: Recipe, request: Request, registry: Registry, *, run: Component, slots: tuple[Slot, ...]
) -> UnfitError | None:
    """Return the error of a recipe that is refused for misfits alone; None where anything else is wrong.

    A request with a typing error has no suggestion: its meaning is unknown.
    """
    if not recipe.refused or not set(recipe.refused) <= set(misfits(recipe, registry)):
        return None
    return UnfitError(recipe, request, ResolveContext.of(request, registry, run=run, slots=slots))


def suggest(request: Request, context: ResolveContext) -> Suggestion | None:
    """Return the nearest mix that works: a sound one, or else one with a warning.

    Args:
        request: A refused request.
        context: Its context.
    """
    warned: tuple[float, Suggestion] | None = None
    queue = _CandidateQueue(context=context)
    queue.push(_Candidate(cost=0.0, request=request))
    for candidate in queue.cheapest_first():
        if warned is not None and candidate.cost > warned[0] + _WARNED_MARGIN:
            break
        recipe = context.recipe(candidate.request)
        if recipe.refused or not candidate.changes:
            if len(candidate.changes) < _MAX_CHANGES:
                queue.push_changes(candidate, recipe)
            continue
        changes = tuple(change.describe(recipe) for change in candidate.changes)
        found = Suggestion(request=candidate.request, recipe=recipe, changes=changes)
        # A warning without slots is not about the mix: every other mix would have it too.
        if not any(problem.slots for problem in recipe.warned):
            return found
        warned = warned or (candidate.cost, found)
    return None if warned is None else warned[1]


def fitting_components(recipe: Recipe, context: ResolveContext) -> dict[str, tuple[str, ...]]:
    """Return, for each slot in a refusal, the components that meet all needs.

    Args:
        recipe: A refused recipe.
        context: Its context.
    """
    slots = {slot for problem in recipe.refused for slot in problem.slots}
    return {
        slot.name: tuple(_accepted(recipe, context, slot.name))
        for slot in context.slots
        if slot.name in slots
    }


@frozen(kw_only=True, eq=False)
class _Candidate:
    cost: float
    request: Request
    changes: tuple[Change, ...] = ()


@define(kw_only=True, eq=False)
class _CandidateQueue:
    """A queue of the requests to try, cheapest first, each once."""

    context: ResolveContext
    queue: list[tuple[float, int, _Candidate]] = Factory(list)
    seen: set[object] = Factory(set)
    order: Iterator[int] = Factory(count)

    def push(self, candidate: _Candidate) -> None:
        heappush(self.queue, (candidate.cost, next(self.order), candidate))

    def push_changes(self, refused: _Candidate, recipe: Recipe) -> None:
        """Add all changes of a refused candidate."""
        for change in possible_changes(refused.request, recipe, self.context):
            cost, changes = refused.cost + change.cost, (*refused.changes, change)
            self.push(_Candidate(cost=cost, request=change.request, changes=changes))

    def cheapest_first(self) -> Iterator[_Candidate]:
        """Yield the candidates, up to the largest number of tries."""
        while self.queue and len(self.seen) < _MAX_TRIED:
            _, _, candidate = heappop(self.queue)
            key = _key(candidate.request)
            if key not in self.seen:
                self.seen.add(key)
                yield candidate


def _key(request: Request) -> object:
    names = frozenset((slot, tuple(typed)) for slot, typed in request.names.items())
    return names, tuple(request.sets)


def _accepted(recipe: Recipe, context: ResolveContext, slot: str) -> Iterator[str]:
    lacks = [lack for lack in unmet_needs(recipe.parts) if lack.need.verdict == "refused"]
    for component in context.registry.components(slot):
        new = default_part(component)
        parts = {**recipe.parts, slot: () if new is None else (new,)}
        rejections = [
            lack
            for lack in lacks
            if lack.part.component is component
            or (slot in slots_of_need(lack.need) and not any(is_met(term, parts) for term in lack.need.terms))
        ]
        if new is not None and not rejections:
            yield context.label(component)
