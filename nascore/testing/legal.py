"""Which settings a component's own check allows: those that it refuses are no settings to examine it with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from nascore.recipe import Request
from nascore.recipe.fit import Seen
from nascore.recipe.request import resolved

if TYPE_CHECKING:
    from nascore.component import Component
    from nascore.errors import Problem
    from nascore.plugin import Registry
    from nascore.recipe.recipe import Part, Recipe


class Judge:
    """Asks a component's check about settings, in a recipe that it fills its slot of.

    Args:
        component: The component.
        registry: Where it is found.
        settings: The settings that count as allowed, whatever its check says of them: data that are not
            there are no reason to leave a bound untried.
    """

    def __init__(self, component: Component, registry: Registry, settings: Any) -> None:  # noqa: ANN401 - a plugin's class
        self.component = component
        self.registry = registry
        self.recipe: Recipe | None = None
        if component.check is not None:
            name = f"{component.plugin}:{component.name}" if component.plugin else component.name
            request = Request(names={component.slot: [name]}, scale="mini")
            self.recipe = resolved(request, registry)
        self.usual = self._refusals(settings)

    def allows(self, settings: Any) -> bool:  # noqa: ANN401 - the same
        """Say whether the check has nothing more against these settings than against the usual ones."""
        return self._refusals(settings) <= self.usual

    def _refusals(self, settings: Any) -> set[tuple[str, str]]:  # noqa: ANN401 - the same
        check = self.component.check
        if check is None or self.recipe is None:
            return set()
        seen = Seen(recipe=self._with(self.recipe, settings), registry=self.registry)
        problems: list[Problem] = list(check(settings, seen))
        return {(one.path, one.text) for one in problems if one.verdict == "refused"}

    def _with(self, recipe: Recipe, settings: Any) -> Recipe:  # noqa: ANN401 - the same
        slot = self.component.slot
        parts: tuple[Part, ...] = tuple(
            evolve(part, settings=settings) if part.component is self.component else part
            for part in recipe.parts.get(slot, ())
        )
        return evolve(recipe, parts={**recipe.parts, slot: parts})
