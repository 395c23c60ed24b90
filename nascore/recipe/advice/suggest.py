"""Finds the nearest request that works, for the end of a refusal.

Costs were tried on all refused combinations: a replaced component must cost more than two that are given
back, or sound but silly searches come out; and one component left out of a list must cost less than a whole
choice given back, or what was fine is thrown away.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final

from attrs import Factory, define, evolve, frozen

from nascore.config import settings_of, write_value
from nascore.errors import RecipeError
from nascore.recipe.settling.fit import misfits
from nascore.recipe.settling.misfit import other_values, plain, varied_settings
from nascore.recipe.settling.needs import holds, need_applies, slots_of, unmet
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
    """What a request is settled on.

    Attributes:
        registry: What is installed.
        run: The component of the run itself.
        slots: The slots to settle.
        files: What preset, recipe and scale say; read once.
    """

    registry: Registry
    run: Component
    slots: tuple[Slot, ...]
    files: tuple[Layer, ...]

    @classmethod
    def of(
        cls, request: Request, registry: Registry, *, run: Component, slots: tuple[Slot, ...]
    ) -> ResolveContext:
        """Read the files of a request."""
        files = tuple(request.files(registry, slots=table_of(slots)))
        return cls(registry=registry, run=run, slots=slots, files=files)

    def recipe(self, request: Request) -> Recipe:
        """Settle a request with the same files; misfits have no text."""
        return self._resolved(self._layers(request))

    def opened(self, request: Request, slot: str) -> Recipe:
        """Settle a request as if nobody had named anything for a slot."""
        return self._resolved([_open(layer, slot) for layer in self._layers(request)])

    def label(self, component: Component) -> str:
        """What is typed for a component: the name, with the plugin's where the name alone is ambiguous."""
        full = self.registry.ambiguous(component.slot, component.name)
        return f"{component.plugin}:{component.name}" if full else component.name

    def _layers(self, request: Request) -> list[Layer]:
        return [*self.files, *request.typed(self.registry, slots=table_of(self.slots))]

    def _resolved(self, layers: list[Layer]) -> Recipe:
        return resolve(layers, self.registry, run=self.run, slots=self.slots, told=False)


def _open(layer: Layer, slot: str) -> Layer:
    return evolve(
        layer,
        chosen={name: choices for name, choices in layer.chosen.items() if name != slot},
        values=tuple(value for value in layer.values if value.slot != slot),
    )


_GIVEN_BACK: Final = 1.0
_LEFT_OUT: Final = 0.95
_DROPPED: Final = 0.9
_VALUE: Final = 1.0
_VALUE_UNSET: Final = 1.3
_REPLACED: Final = 2.3
_EARLIER: Final = 0.11
"""What a change of the first slot costs more than one of the last: space and growth are kept longest."""

_CHOSEN: Final = ("preset", "recipe", "flag", "set", "python")


@frozen(kw_only=True, eq=False)
class Change:
    """A change of a request.

    Attributes:
        request: The request after it.
        cost: What it costs.
        text: What it is, in words.
        slot: The slot that the wishes fill then; empty where they do not.
        path: The setting that takes its other value then; empty where none does.
    """

    request: Request
    cost: float
    text: str
    slot: str = ""
    path: str = ""

    def said(self, after: Recipe) -> str:
        """Say what it is and what comes of it.

        Args:
            after: The recipe with all changes.
        """
        if self.slot and after.parts.get(self.slot):
            return f"{self.text}, so {_comes(after.part(self.slot))}"
        if self.path:
            return f"{self.text}, so it is {write_value(after.setting(self.path))}"
        return self.text


def slot_changes(request: Request, recipe: Recipe, ground: ResolveContext) -> Iterator[Change]:
    """Yield every change of the slots that the refusals name.

    Args:
        request: What was asked for.
        recipe: What it settles to, which is refused.
        ground: What stays the same.
    """
    named = {slot for problem in recipe.refused for slot in problem.slots}
    last = max(len(ground.slots) - 1, 1)
    for index, slot in enumerate(ground.slots):
        if slot.name not in named:
            continue
        for move in _of_slot(request, recipe, ground, slot):
            yield evolve(move, cost=move.cost + _EARLIER * (1 - index / last))


def _of_slot(request: Request, recipe: Recipe, ground: ResolveContext, slot: Slot) -> Iterator[Change]:
    parts = recipe.parts.get(slot.name, ())
    for part in parts:
        yield from _values(request, part)
    if slot.many:
        yield from _left_out(request, parts, slot)
    if slot.name in request.names:
        names = ", ".join(part.name for part in parts) or "none"
        yield Change(
            request=_without(request, slot.name),
            cost=_GIVEN_BACK,
            text=f"{names} given back",
            slot="" if slot.many else slot.name,
        )
    elif parts and any(part.brought.in_file for part in parts):
        yield from _given_back(request, parts, ground, slot)
    if not slot.many:
        yield from _replaced(request, parts, ground, slot)


def _given_back(
    request: Request, parts: tuple[Part, ...], ground: ResolveContext, slot: Slot
) -> Iterator[Change]:
    """What a file names is given back by naming what the wishes would bring."""
    brought = ground.opened(request, slot.name).parts.get(slot.name, ())
    if [part.component for part in brought] == [part.component for part in parts]:
        return
    names = [part.label for part in brought] or ["none"]
    if not brought and not slot.many:
        return
    coming = " and ".join(map(_comes, brought)) or "none is left"
    text = f"{', '.join(part.name for part in parts)} given back, so {coming}"
    yield Change(request=_named(request, slot.name, names), cost=_GIVEN_BACK, text=text)


def _left_out(request: Request, parts: tuple[Part, ...], slot: Slot) -> Iterator[Change]:
    """One component less in a list."""
    typed = list(request.names.get(slot.name, ())) or [part.label for part in parts]
    for index, part in enumerate(parts):
        names = [name for place, name in enumerate(typed) if place != index] or ["none"]
        changed = evolve(
            _unset(request, f"{slot.name}.{part.name}"), names={**request.names, slot.name: names}
        )
        yield Change(request=changed, cost=_LEFT_OUT, text=f"{part.name} left out")


def _values(request: Request, part: Part) -> Iterator[Change]:
    """Other values of the settings that decide on what a part gives or needs."""
    deciding = dict.fromkeys(name for other, name in varied_settings(part) if _effect(other) != _effect(part))
    for name in deciding:
        path = f"{part.prefix}{name}"
        declared = settings_of(part.component.config)[name]
        value, origin = getattr(part.settings, name), part.origins.get(name)
        dropped = _unset(request, path)
        if dropped is not request:
            yield Change(request=dropped, cost=_DROPPED, text=f"{path} given back", path=path)
        elif origin is not None and origin.in_file and value != declared.default:
            changed = _set(request, path, declared.default)
            yield Change(request=changed, cost=_DROPPED, text=f"{path} given back", path=path)
        cost = _VALUE if origin is not None and origin.kind in _CHOSEN else _VALUE_UNSET
        for other in other_values(declared, value):
            text = f"{path} set to {write_value(other)}"
            yield Change(request=_set(request, path, other), cost=cost, text=text)


def _replaced(
    request: Request, parts: tuple[Part, ...], ground: ResolveContext, slot: Slot
) -> Iterator[Change]:
    there = [part.component for part in parts]
    before = ", ".join(part.name for part in parts) or "nothing"
    for component in ground.registry.components(slot.name):
        if component not in there:
            label = ground.label(component)
            changed = _named(request, slot.name, [label])
            yield Change(request=changed, cost=_REPLACED, text=f"{before} replaced by {label}")


def _effect(part: Part) -> tuple[frozenset[str], list[bool]]:
    """What a part gives and needs with its settings."""
    return part.provides, [
        need_applies(part.component, part.settings, need)[0] for need in part.component.needs
    ]


def _without(request: Request, slot: str) -> Request:
    names = {name: typed for name, typed in request.names.items() if name != slot}
    return evolve(_unset(request, slot), names=names)


def _named(request: Request, slot: str, names: Iterable[str]) -> Request:
    return evolve(_unset(request, slot), names={**request.names, slot: list(names)})


def _unset(request: Request, path: str) -> Request:
    """Leave out every ``--set`` of a path, or of what is below it; the same request where there is none."""
    kept = [text for text in request.sets if not _is_below(text.partition("=")[0].strip(), path)]
    return request if len(kept) == len(request.sets) else evolve(request, sets=kept)


def _is_below(typed: str, path: str) -> bool:
    # A component may be typed with its plugin's name: regularizer.builtin:l1.weight.
    bare = ".".join(word.rpartition(":")[2] for word in typed.split("."))
    return bare == path or bare.startswith(f"{path}.")


def _set(request: Request, path: str, value: object) -> Request:
    dropped = _unset(request, path)
    return evolve(dropped, sets=[*dropped.sets, f"{path}={write_value(value)}"])


def _comes(part: Part) -> str:
    origin = part.brought
    if origin.kind == "wish":
        return f"{origin.who} brings {part.name}"
    if origin.kind == "default":
        return f"{part.name} comes by default"
    return f"{part.name} comes from {origin}"


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

    def __init__(self, recipe: Recipe, request: Request, ground: ResolveContext) -> None:
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
    return UnfitError(recipe, request, ResolveContext.of(request, registry, run=run, slots=slots))


def suggest(request: Request, ground: ResolveContext) -> Suggestion | None:
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
        if recipe.refused or not one.changes:
            if len(one.changes) < _CHANGES:
                search.spread(one, recipe)
            continue
        changes = tuple(move.said(recipe) for move in one.changes)
        found = Suggestion(request=one.request, recipe=recipe, changes=changes)
        # A warning without slots is not of how parts fit: no other choice would be without it.
        if not any(problem.slots for problem in recipe.warned):
            return found
        second = second or (one.cost, found)
    return None if second is None else second[1]


def fitting(recipe: Recipe, ground: ResolveContext) -> dict[str, tuple[str, ...]]:
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
    changes: tuple[Change, ...] = ()


@define(kw_only=True, eq=False)
class _Search:
    """The requests to try, cheapest first, each once."""

    ground: ResolveContext
    queue: list[tuple[float, int, _Try]] = Factory(list)
    seen: set[object] = Factory(set)
    order: Iterator[int] = Factory(count)

    def push(self, one: _Try) -> None:
        heappush(self.queue, (one.cost, next(self.order), one))

    def spread(self, one: _Try, recipe: Recipe) -> None:
        """Add all changes of a request that is refused."""
        for move in slot_changes(one.request, recipe, self.ground):
            self.push(_Try(cost=one.cost + move.cost, request=move.request, changes=(*one.changes, move)))

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


def _accepted(recipe: Recipe, ground: ResolveContext, slot: str) -> Iterator[str]:
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
