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
"""Slots in the order in which they give rows their names; what is compared most often comes first."""

MOST: Final = 3
"""Paths that are enough to tell rows apart, or else all that differ are named."""

FEW: Final = 12
"""Differing paths of which combinations are tried."""

ABSENT: Final = object()
"""What a recipe says at a path that it does not have."""


@frozen(kw_only=True)
class RowLabels:
    """How the rows are told apart.

    Attributes:
        paths: What names them: the compared slots, or paths of settings.
        labels: Their names, in the order of the rows; each is another.
        beside: What differs too, and is not a setting of a compared slot.
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    beside: tuple[str, ...]


def distinguish(recipes: Sequence[Flat], wanted: Iterable[str] = ()) -> RowLabels:
    """Find the fewest paths by which recipes differ, and name each by what it says there.

    Args:
        recipes: One a row; no two are equal.
        wanted: The slots that were meant to be compared, if that is known.
    """
    differing = _differing(recipes)
    wanted = [path for path in wanted if path in differing]
    paths = _fewest(recipes, differing, wanted)
    named = paths or tuple(wanted) or (FIRST[0],)
    labels = tuple(_label(recipe, named) for recipe in recipes)
    inside = tuple(path for path in differing if _is_slot(path))
    beside = tuple(
        path
        for path in differing
        if path not in paths and not any(path.startswith(f"{slot}.") for slot in inside)
    )
    return RowLabels(paths=named, labels=labels, beside=beside)


def value_at(recipe: Flat, path: str) -> str:
    """Return what a recipe says at a path, as one types it; `-` where it says nothing."""
    value = recipe.get(path, ABSENT)
    if value is ABSENT:
        return "-"
    if value is None and _is_slot(path):
        return "none"
    return write_value(value)


def _differing(recipes: Sequence[Flat]) -> list[str]:
    """Return the paths at which not all say the same: slots first, in the order of their weight."""
    known = dict.fromkeys(path for recipe in recipes for path in recipe)
    found = [path for path in known if len({recipe.get(path, ABSENT) for recipe in recipes}) > 1]
    order = {slot: place for place, slot in enumerate([*FIRST, ARCHITECTURE_PATH, *map(_name, SLOTS)][::-1])}
    return sorted(found, key=lambda path: -order.get(path, -1))


def _fewest(recipes: Sequence[Flat], differing: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the fewest paths that tell all recipes apart; those that were wanted are among them."""
    others = [path for path in differing if path not in wanted][:FEW]
    for count in range(MOST + 1):
        for more in combinations(others, count):
            paths = (*wanted, *more)
            if len({tuple(recipe.get(path, ABSENT) for path in paths) for recipe in recipes}) == len(recipes):
                return paths
    return tuple(differing)


def _label(recipe: Flat, paths: Sequence[str]) -> str:
    """Return the name of a row: components by their name, settings with their path."""
    words = [
        value_at(recipe, path) if _is_slot(path) else f"{path}={value_at(recipe, path)}" for path in paths
    ]
    return " ".join(words)


def _is_slot(path: str) -> bool:
    return any(path == slot.name for slot in SLOTS)


def _name(slot: Any) -> str:  # noqa: ANN401 - a slot
    return str(slot.name)
