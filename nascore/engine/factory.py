"""Builds the components that fill a recipe's slots; what they raise is their mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.component import load
from nascore.engine.fitting import check_space, of_settings
from nascore.plugin.guard import call_component

if TYPE_CHECKING:
    from nascore.contract import DataFacts, Space
    from nascore.description import Catalogue, Description
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part


def made(recipe: Recipe, slot: str) -> Any:  # noqa: ANN401 - a plugin's class, which the slot's contract describes
    """Build the component that fills a slot; its module is imported now.

    Raises:
        PluginError: It cannot be built: what a plugin raises here is its mistake.
    """
    return _made(recipe.part(slot))


def all_made(recipe: Recipe, slot: str) -> tuple[Any, ...]:
    """Build all components that fill a slot, in the order of the recipe.

    Raises:
        PluginError: One cannot be built.
    """
    return tuple(map(_made, recipe.parts.get(slot, ())))


def _made(part: Part) -> Any:  # noqa: ANN401 - the same
    return call_component(part.component, "building", lambda: load(part.component.build)(part.settings))


def described(recipe: Recipe, facts: DataFacts, catalogue: Catalogue) -> Description:
    """Return the description that the space gives for these data, if networks of it can run on them.

    Raises:
        PluginError: The space raised, or gave something else than a description for these data.
        DescriptionError: The description cannot be built, or does not end in logits.
    """
    part = recipe.part("space")
    with of_settings("space", part.settings):
        space: Space = made(recipe, "space")
        given = call_component(part.component, "describing", lambda: space.describe(facts))
        return check_space(space, given, facts, catalogue)
