"""Values that nothing takes: a ``--set`` for a component that is not in the recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.component import RUN
from nascore.config import settings_of
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
            yield Problem(path=value.slot, text=text, origin=value.node.origin, hint=_of_run(value, recipe))
        elif value.component is not None and value.component.name not in recipe.names(value.slot):
            yield _not_there(value, recipe)


def _of_run(value: Value, recipe: Recipe) -> str:
    """Return the hint for a setting that a group of the run has too: ``training.epochs``."""
    given = value.node.value if isinstance(value.node.value, dict) else {}
    groups = settings_of(type(recipe.run))
    paths = [
        f"{group}.{name}"
        for name in given
        for group, declared in groups.items()
        if declared.nested and name in settings_of(declared.type)
    ]
    return f"Did you mean {' or '.join(paths)}?" if paths else "Leave it out."


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
