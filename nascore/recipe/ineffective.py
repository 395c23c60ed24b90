"""Settings that somebody gave and that nothing reads: a component of the recipe does without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.errors import Problem

if TYPE_CHECKING:
    from nascore.errors import LayerName
    from nascore.recipe.recipe import Part, Recipe, Row

TYPED: Final[tuple[LayerName, ...]] = ("flag", "set", "python")


def ineffective(recipe: Recipe, *, written: bool = False) -> list[Problem]:
    """Return a warning for every value that somebody gave and that a component declares as unread.

    They say nothing of how parts fit, so that no choice of another component is their cure.

    Args:
        recipe: A settled recipe.
        written: Whether its file was written by a run: then the file holds every value, whoever gave it.
    """
    layers = TYPED if written else (*TYPED, "recipe")
    rows: list[Row] | None = None
    problems = []
    for part in (part for items in recipe.parts.values() for part in items):
        for unread, instead in part.component.unread.items():
            rows = recipe.rows() if rows is None else rows
            problems += [
                _warning(row, part, instead)
                for row in rows
                if row[2].layer in layers and _is_below(row[0], unread) and row[0] not in recipe.parts
            ]
    return problems


def _warning(row: Row, part: Part, instead: str) -> Problem:
    path, _value, origin = row
    text = f"nothing reads it with {part.slot} {part.name}: {instead}."
    return Problem(path=path, text=text, origin=origin, verdict="warned")


def _is_below(path: str, unread: str) -> bool:
    return path == unread or path.startswith(f"{unread}.")
