"""Built-in growth policy `sweep`: the space at every point of a grid of its settings; no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.api import Problem, Proposal, RecipeError, setting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from nascore.api import Choice, Description, History

SPACE: Final = "space."
MOST: Final = 1000
"""The largest number of points."""


@frozen(kw_only=True)
class SweepSettings:
    """The points of the sweep."""

    grid: dict[str, Any] = setting(  # noqa: RUF009 - it declares a field
        {},
        "Settings of the space with a list of values each, such as {space.cells: [4, 8], space.channels: "
        "[8, 16]}; each combination is a point.",
    )


@frozen
class Sweep:
    """Trains the architecture of a closed space, or searches an open space, at every point of a grid.

    The points are in the order in which the grid is written: the last setting changes first.
    """

    settings: SweepSettings

    def propose(self, space: Description, history: History, wave: int, rng: Random) -> Sequence[Proposal]:
        """Return the points in the first wave, and none after it.

        Raises:
            RecipeError: The space cannot be built at some points; the error has the problems of all.
        """
        del rng
        if wave > 1:
            return ()
        proposals: list[Proposal] = []
        problems: list[Problem] = []
        for point in points_of(self.settings.grid):
            try:
                described = history.space_with(_of_space(point)) if point else space
            except RecipeError as error:
                named = ", ".join(f"{path}={value}" for path, value in point.items())
                first, *others = error.problems
                problems += [evolve(first, text=f"[{named}] {first.text}"), *others]
            else:
                proposals.append(Proposal(description=described, values=point))
        if problems:
            raise RecipeError(problems)
        return proposals

    def remark(self, seeds: Sequence[Description]) -> str:
        """Return a remark if the grid is empty."""
        del seeds
        if self.settings.grid:
            return ""
        return "growth.grid is empty: the space is used once, as it is."


def points_of(grid: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every combination of the values of a grid; of an empty grid, one point without values."""
    axes = dict(axes_of(grid))
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def axes_of(grid: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the values of each setting of a grid, whose maps may be nested."""
    for name, values in grid.items():
        if isinstance(values, Mapping):
            yield from axes_of(values, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", values


def check_grid(settings: SweepSettings, choice: Choice) -> Iterator[Problem]:
    """Yield every problem of a grid."""
    axes = list(axes_of(settings.grid))
    paths = [path for path, _ in axes]
    faulty = False
    for path, values in axes:
        for problem in _problems(path, values, paths.count(path), choice):
            faulty = True
            yield evolve(problem, slots=("growth",))
    if not faulty and (count := prod(len(values) for _, values in axes)) > MOST:
        text = f"the grid has {count:,} points, more than {MOST:,}."
        yield Problem(path="growth.grid", text=text, hint="Give fewer values.", slots=("growth",))


def _problems(path: str, values: object, times: int, choice: Choice) -> Iterator[Problem]:
    place = f"growth.grid.{path}"
    if times > 1:
        yield Problem(path=place, text="is given twice.", hint="Give all its values in one list.")
    if not path.startswith(SPACE):
        listed = values if isinstance(values, list) else [values]
        compared = f"nascore search --set {path}={','.join(map(str, listed))}"
        text = "a grid holds settings of the space only (space.NAME)."
        yield Problem(path=place, text=text, hint=f"Compare searches with these values: {compared}.")
    elif isinstance(choice.setting(path), Path):
        hint = "Compare several spaces: nascore search --space file:a.yaml,file:b.yaml."
        yield Problem(path=place, text="a grid holds no paths of files.", hint=hint)
    elif not isinstance(values, list):
        yield Problem(path=place, text=f"{values!r} is not a list of values.", hint=f"Write [{values}].")
    elif not values:
        yield Problem(path=place, text="the list of values is empty.", hint="Give values, or leave it out.")
    else:
        yield from _wrong_values(place, path, values, choice)


def _wrong_values(place: str, path: str, values: list[Any], choice: Choice) -> Iterator[Problem]:
    known: list[Problem] = []
    for value in values:
        for problem in choice.mistakes(path, value):
            here = evolve(problem, path=place)
            if here not in known:
                known.append(here)
    yield from known
    twice = [value for number, value in enumerate(values) if _is_among(value, values[:number])]
    for value in {repr(value): value for value in twice}.values():
        yield Problem(path=place, text=f"{value} is given twice.", hint="Leave it out.")


def _is_among(value: object, others: Sequence[object]) -> bool:
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in others)


def _of_space(point: Mapping[str, Any]) -> dict[str, Any]:
    return {path.removeprefix(SPACE): value for path, value in point.items()}
