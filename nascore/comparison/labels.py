"""Names of the rows of a comparison, from the differences between their recipes."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.comparison.sample import ARCHITECTURE_PATH
from nascore.config import write_value
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nascore.comparison.sample import Flat

FIRST: Final = ("updater", "growth", "space", "relaxation", "regularizer", "trainer", "dataset")
"""Slots in the order in which they label rows; those that are compared most often come first."""

MOST: Final = 3
"""Largest number of paths in a label; if more are needed, the label names all paths that differ."""

FEW: Final = 12
"""Number of differing paths whose combinations are tried."""

ABSENT: Final = object()
"""Value at a path that a recipe does not have."""


@frozen(kw_only=True)
class RowLabels:
    """Labels that distinguish the rows of a comparison.

    Attributes:
        paths: The paths in the labels: compared slots, or settings.
        labels: One unique label for each row, in the order of the rows.
        other_paths: Further paths whose values differ, without the settings of a compared slot.
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    other_paths: tuple[str, ...]


def distinguish(recipes: Sequence[Flat], wanted: Iterable[str] = ()) -> RowLabels:
    """Label recipes by their values at the fewest paths that distinguish them.

    Args:
        recipes: One for each row; no two are equal.
        wanted: The slots that the user chose to compare, if known.
    """
    differing = _differing(recipes)
    wanted = [path for path in wanted if path in differing]
    paths = _fewest(recipes, differing, wanted)
    named = paths or tuple(wanted) or (FIRST[0],)
    labels = tuple(_label(recipe, named) for recipe in recipes)
    inside = tuple(path for path in differing if _is_slot(path))
    other_paths = tuple(
        path
        for path in differing
        if path not in paths and not any(path.startswith(f"{slot}.") for slot in inside)
    )
    return RowLabels(paths=named, labels=labels, other_paths=other_paths)


def value_at(recipe: Flat, path: str) -> str:
    """Return a recipe's value at a path, as a user types it; `-` if it has none."""
    value = recipe.get(path, ABSENT)
    if value is ABSENT:
        return "-"
    if value is None and _is_slot(path):
        return "none"
    return write_value(value)


def _differing(recipes: Sequence[Flat]) -> list[str]:
    """Return the paths at which recipes differ: slots first, in the order of labels."""
    known = dict.fromkeys(path for recipe in recipes for path in recipe)
    found = [path for path in known if len({recipe.get(path, ABSENT) for recipe in recipes}) > 1]
    order = {slot: place for place, slot in enumerate([*FIRST, ARCHITECTURE_PATH, *map(_name, SLOTS)][::-1])}
    return sorted(found, key=lambda path: -order.get(path, -1))


def _fewest(recipes: Sequence[Flat], differing: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the fewest paths that distinguish all recipes, including the wanted ones."""
    others = [path for path in differing if path not in wanted][:FEW]
    for count in range(MOST + 1):
        for more in combinations(others, count):
            paths = (*wanted, *more)
            if len({tuple(recipe.get(path, ABSENT) for path in paths) for recipe in recipes}) == len(recipes):
                return paths
    return tuple(differing)


def _label(recipe: Flat, paths: Sequence[str]) -> str:
    """Return the label of a row: names of components, and settings with their path."""
    words = [
        value_at(recipe, path) if _is_slot(path) else f"{path}={value_at(recipe, path)}" for path in paths
    ]
    return " ".join(words)


def _is_slot(path: str) -> bool:
    return any(path == slot.name for slot in SLOTS)


def _name(slot: Any) -> str:  # noqa: ANN401 - a slot
    return str(slot.name)
