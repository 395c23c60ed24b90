"""Values that nothing takes: a ``--set`` for a component that is not in the recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.component import RUN
from nascore.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.recipe.layer import Stack, Value
    from nascore.recipe.recipe import Recipe


def leftovers(recipe: Recipe, stack: Stack) -> Iterator[Problem]:
    """Yield a problem for every value given by path that no part took."""
    slots = {slot.name: slot for slot in recipe.slots}
    for value in (*stack.below, *stack.above):
        by_path = value.node.origin.layer in ("set", "python")
        if not by_path or value.slot == RUN:
            continue
        if value.slot not in slots:
            text = f"{value.slot} plays no part here."
            yield Problem(path=value.slot, text=text, origin=value.node.origin, hint="Leave it out.")
        elif value.component is not None and value.component.name not in recipe.names(value.slot):
            yield _not_there(value, recipe)


def _not_there(value: Value, recipe: Recipe) -> Problem:
    assert value.component is not None
    name, slot = value.component.name, value.slot
    filled = ", ".join(recipe.names(slot)) or "empty"
    return Problem(
        path=f"{slot}.{name}",
        text=f"{name} is not in this recipe ({slot}: {filled}).",
        origin=value.node.origin,
        hint=f"Add --{slot} {name}.",
    )
