"""Settings that somebody gave and that nothing reads: a component of the recipe does without them.

Only who typed a value, or changed it in a recipe, is warned: a recipe that is written down holds every value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.component import RUN
from nascore.errors import Problem
from nascore.recipe.recipe import flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.component import Component
    from nascore.recipe.recipe import Part, Recipe, Row

_TYPED: Final = ("flag", "set", "python")


def ineffective(recipe: Recipe) -> list[Problem]:
    """Return a warning for every value that somebody gave and that a component declares as unread.

    Args:
        recipe: A settled recipe.
    """
    parts = [part for items in recipe.parts.values() for part in items]
    rows: list[Row] | None = None
    problems = []
    for part in parts:
        for path, instead in part.component.unread.items():
            rows = recipe.rows() if rows is None else rows
            problems += [_warning(row, part, instead) for row in rows if _is_given(row, path, recipe)]
    return problems


def _warning(row: Row, part: Part, instead: str) -> Problem:
    path, _value, origin = row
    text = f"nothing reads it with {part.slot} {part.name}: {instead}."
    return Problem(path=path, text=text, origin=origin, verdict="warned", slots=(part.slot,))


def _is_given(row: Row, unread: str, recipe: Recipe) -> bool:
    path, value, origin = row
    if path != unread and not path.startswith(f"{unread}."):
        return False
    if path in recipe.parts:  # a component is named: whether it fits is a matter of needs
        return False
    return origin.layer in _TYPED or (origin.layer == "recipe" and value not in _unasked(path, recipe))


def _unasked(path: str, recipe: Recipe) -> list[Any]:
    """The values that a setting has where nobody gives one: of a wish, of the scale or of its default."""
    scale = "" if recipe.scale is None else recipe.scale[0]
    parts = [part for items in recipe.parts.values() for part in items]
    many = {slot.name for slot in recipe.slots if slot.many}
    values = []
    for part in parts:
        prefix = _prefix(part, many)
        if not path.startswith(prefix):
            continue
        name = path.removeprefix(prefix)
        plain = dict(flat(part.component.config()))
        plain |= _flat(part.component.mini) if scale == "mini" else {}
        values += [plain[name]] if name in plain else []
        values += [wished[name] for wished in _wished(part.component, parts, scale) if name in wished]
    return values


def _prefix(part: Part, many: set[str]) -> str:
    if part.slot == RUN:
        return ""
    return f"{part.slot}.{part.name}." if part.slot in many else f"{part.slot}."


def _wished(component: Component, parts: list[Part], scale: str) -> Iterator[dict[str, Any]]:
    for part in parts:
        for wish in part.component.wished(component.slot, scale):
            if not isinstance(wish, str) and wish[0] == component.name:
                yield _flat(wish[1])


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
