"""Returns the JSON Schema of recipes and components for the installed plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.recipe.settling.schema import DIALECT, component_schema, recipe_schema
from nascore.verbs.resolution import installed
from nascore.verbs.show import named

if TYPE_CHECKING:
    from nascore.plugin.plugin import Wanted


def schema(*, plugins: Wanted = ()) -> dict[str, Any]:
    """Return the JSON Schema of a recipe file.

    Args:
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
    """
    return recipe_schema(installed(plugins))


def named_schema(name: str, *, plugins: Wanted = ()) -> dict[str, Any]:
    """Return the JSON Schema of a component's settings; for several components of that name, their union.

    Args:
        name: Name of a component, or `run`.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        RecipeError: No component has that name.
    """
    found = {one["title"]: one for one in map(component_schema, named(name, installed(plugins)))}
    if len(found) == 1:
        return next(iter(found.values()))
    return {"$schema": DIALECT, "title": name, "anyOf": list(found.values())}
