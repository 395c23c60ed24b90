"""Expands a request to searches: one for each combination of names, values and seeds."""

from __future__ import annotations

import re
from itertools import combinations, product
from math import prod
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import evolve, frozen

from nascore.errors import Origin, Problem, RecipeError
from nascore.files import given_path
from nascore.recipe.sources.run_settings import EVALUATION_PATH, TRAINING
from nascore.run import is_file
from nascore.slots import SLOTS
from nascore.verbs.resolution import plain
from nascore.verbs.setting_axes import axes_of, has_axes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nascore.recipe import Request
    from nascore.verbs.setting_axes import SettingAxis

    Applies: TypeAlias = Callable[[str, Mapping[str, str]], bool]


EVALUATION: Final = EVALUATION_PATH
"""Prefix of the paths of settings for the evaluation, not for the search."""

SHARED: Final = ("dataset", "observer", "threads", "device", "precision", "channels_last")
"""First words of the settings that apply to the evaluation too."""

MOST_SEEDS: Final = 1000
MOST_SEARCHES: Final = 1000

_MOST_DROPPED: Final = 2
"""The most names that are removed although they run in some combinations, to find a command that works."""

_LONE: Final = re.compile(r"\s*[1-9]\d{0,8}\s*")
_SPAN: Final = re.compile(r"(\d+)(?:\.\.(\d+))?")


@frozen(kw_only=True)
class SearchGrid:
    """A request with several names for a slot that holds one component, or several values of a setting.

    A combination has the name for each of these slots, and the value of each of these settings, by path:
    ``{"updater": "xnas", "updater.eta": "0.1"}``. A setting that its components do not have is left out.

    Attributes:
        request: The request, without these slots and settings.
        slots: The names for each of these slots.
        axes: The settings with several values, and the settings for only one of the components.
        seeds: The seeds; None: that of the request.
    """

    request: Request
    slots: Mapping[str, tuple[str, ...]]
    axes: tuple[SettingAxis, ...] = ()
    seeds: tuple[int, ...] | None

    def choices(self, applies: Applies) -> list[dict[str, str]]:
        """Return all combinations of names and values.

        Args:
            applies: Returns whether the components of a combination have the setting of a path.
        """
        found = []
        for names in self._names():
            varied = [axis for axis in self.axes_in(names, applies) if axis.varies]
            paths = [axis.path for axis in varied]
            for values in product(*(axis.values for axis in varied)):
                texts = [value.text for value in values]
                found.append({**names, **dict(zip(paths, texts, strict=True))})
        return found

    def count(self, applies: Applies) -> int:
        """Return the number of searches."""
        combinations_of = (
            prod(len(axis.values) for axis in self.axes_in(names, applies)) for names in self._names()
        )
        return sum(combinations_of) * (1 if self.seeds is None else len(self.seeds))

    def axes_in(self, choice: Mapping[str, str], applies: Applies) -> list[SettingAxis]:
        """Return the settings of a combination; one that is for a component overrides the one for all."""
        known: dict[str, SettingAxis] = {}
        for axis in self.axes:
            if choice.get(axis.slot) == axis.name if axis.name else applies(axis.path, choice):
                known[axis.path] = axis
        return list(known.values())

    def request_of(self, choice: Mapping[str, str], seed: int | None) -> Request:
        """Return the request of one search, without the settings of its combination."""
        names = {**self.request.names, **{slot: [choice[slot]] for slot in self.slots}}
        run = self.request.run if seed is None else {**self.request.run, "seed": seed}
        return evolve(self.request, names=names, run=run)

    def with_values(self, request: Request, choice: Mapping[str, str], applies: Applies) -> Request:
        """Return the request of one search with the settings of its combination."""
        for axis in self.axes_in(choice, applies):
            request = axis.add_to(request, [axis.value_in(choice)])
        return request

    def without(self, refused: Sequence[Mapping[str, str]], applies: Applies) -> Remainder | None:
        """Return the request with the fewest names and values removed so that all combinations run.

        Args:
            refused: The combinations that cannot run.
            applies: See :meth:`choices`.

        Returns:
            The request; None if no combination is left.
        """
        choices = self.choices(applies)
        blamed = {item for choice in refused for item in choice.items()}
        # A name that runs in no combination is removed; of the others one or two may be.
        lost = {item for item in blamed if all(one in refused for one in choices if item in one.items())}
        others = list(dict.fromkeys(item for one in choices for item in one.items() if item in blamed))
        places = {slot: place for place, slot in enumerate(self.slots)}
        others.sort(key=lambda item: places.get(item[0], len(places)))
        for count in range(_MOST_DROPPED + 1):
            for more in combinations([item for item in others if item not in lost], count):
                left = [one for one in choices if lost.union(more).isdisjoint(one.items())]
                if left and not any(one in refused for one in left):
                    return self._only(left, applies)
        return None

    def _names(self) -> list[dict[str, str]]:
        return [dict(zip(self.slots, names, strict=True)) for names in product(*self.slots.values())]

    def _only(self, left: Sequence[Mapping[str, str]], applies: Applies) -> Remainder:
        """Return the request for some combinations: all those of the names and values in them."""
        kept = {slot: tuple(dict.fromkeys(one[slot] for one in left)) for slot in self.slots}
        names = {**self.request.names, **{slot: [",".join(names)] for slot, names in kept.items()}}
        request = evolve(self.request, names=names)
        for axis in self.axes:
            used = [one for one in left if axis in self.axes_in(one, applies)]
            values = list(dict.fromkeys(axis.value_in(one) for one in used))
            if values:
                request = axis.add_to(request, values, named=len(kept.get(axis.slot, ())) > 1)
            if axis.varies and values:
                kept[axis.path] = (*kept.get(axis.path, ()), *(value.text for value in values))
        return Remainder(request=request, kept=kept)


@frozen(kw_only=True)
class Remainder:
    """The combinations of a grid that can run.

    Attributes:
        request: The request for them.
        kept: The names of each slot, and the values of each setting.
    """

    request: Request
    kept: Mapping[str, tuple[str, ...]]


def varies(request: Request) -> bool:
    """Return whether a request is one for several searches, apart from seeds.

    It then has several names for a slot that holds one component, several values of a setting, or a setting
    for one of several components.
    """
    return has_axes(request) or any(
        len(split_names(request.names.get(slot.name, ()))) > 1
        for slot in SLOTS
        if not slot.many and not slot.aside
    )


def expand_grid(request: Request, seeds: str | Iterable[int] | None) -> SearchGrid:
    """Return the combinations of names, values and seeds of a request.

    Args:
        request: Names of a slot that holds one component may be several, or have commas between them.
        seeds: ``0..4``, ``0,1,7``, or numbers; None: the seed of the request.

    Raises:
        RecipeError: A name or a value is missing or repeated, a setting is for a component that is not
            compared, or the seeds are wrong; the error has all problems.
    """
    split = {
        slot.name: split_names(request.names[slot.name])
        for slot in SLOTS
        if not slot.many and not slot.aside and request.names.get(slot.name)
    }
    problems = [
        problem
        for slot, names in split.items()
        if len(names) > 1
        for problem in _misnamed(slot, names, request)
    ]
    several = {slot: tuple(names) for slot, names in split.items() if len(names) > 1}
    rest, axes, wrong = axes_of(request, several)
    problems += wrong
    numbers: tuple[int, ...] | None = None
    if seeds is not None:
        numbers, wrong = seeds_of(seeds, request)
        problems += [*wrong, *two_seeds(request)]
    if problems:
        raise RecipeError(problems)
    left = {slot: names for slot, names in rest.names.items() if slot not in several}
    return SearchGrid(request=evolve(rest, names=left), slots=several, axes=axes, seeds=numbers)


def refuse_too_many(count: int) -> None:
    """Refuse more searches than a comparison may have.

    Raises:
        RecipeError: There are too many.
    """
    if count > MOST_SEARCHES:
        text = f"the names, values and seeds make {count:,} searches, more than {MOST_SEARCHES:,}."
        raise RecipeError([Problem(path="", text=text, hint="Give fewer of them.")])


def divided(request: Request) -> tuple[Request, Request]:
    """Return the request of the search and that of the evaluation of its architecture.

    The settings of the evaluation are `training`, which its search carries too, and those whose paths begin
    with ``evaluate.``. The settings of data and machine apply to both, unless the evaluation has its own.
    """
    own = [text for text in request.sets if not text.startswith(EVALUATION)]
    sets = [text for text in request.sets if is_of_evaluation(text)]
    settings = {path: value for path, value in request.settings.items() if not path.startswith(EVALUATION)}
    theirs = {path: value for path, value in request.settings.items() if is_of_evaluation(path)}
    paths = {_path(text).removeprefix(EVALUATION) for text in (*sets, *theirs)}
    search = evolve(request, sets=own, settings=settings)
    evaluation = evolve(
        request,
        names={slot: names for slot, names in request.names.items() if slot in SHARED},
        run={name: value for name, value in request.run.items() if name not in paths},
        sets=[*(text for text in own if _is_shared(text) and _path(text) not in paths), *sets],
        settings={path: one for path, one in settings.items() if _is_shared(path) and path not in paths}
        | theirs,
        prefix=EVALUATION,
    )
    return search, evaluation


def is_of_evaluation(text: str) -> bool:
    """Return whether a typed setting is one of the evaluation after a search."""
    return text.startswith(EVALUATION) or _path(text).partition(".")[0] == TRAINING


def _path(text: str) -> str:
    """Return the path of a typed setting; a bare path is returned as it is."""
    return text.partition("=")[0].strip()


def _is_shared(path: str) -> bool:
    return _path(path).partition(".")[0] in SHARED


def split_names(names: Sequence[str]) -> list[str]:
    """Return names split at commas; a file whose path contains commas stays one name."""
    found: list[str] = []
    for typed in names:
        kind, colon, path = typed.partition(":")
        whole = "," not in typed or (bool(colon) and "," not in kind and is_file(given_path(path)))
        found += [typed] if whole else [name.strip() for name in typed.split(",")]
    return found


def _misnamed(slot: str, names: Sequence[str], request: Request) -> list[Problem]:
    origin = request.origin(slot, list(names) if request.from_python else ",".join(names))
    twice = sorted({name for name in names if name and names.count(name) > 1})
    texts = ["a name is missing between commas."] if not all(names) else []
    texts += [f"{name} is given twice." for name in twice]
    return [Problem(path=slot, text=text, origin=origin, hint="Leave it out.") for text in texts]


def seeds_of(typed: str | Iterable[int], request: Request) -> tuple[tuple[int, ...], list[Problem]]:
    """Return the seeds of a text or of numbers, and the problems of what is none."""
    origin = Origin(kind="python", flag="seeds")
    if isinstance(plain(typed), int):
        hint = f"Give a list of seeds, such as range({plain(typed)}) or [{plain(typed)}]."
        text = f"{typed} may mean one seed or a number of seeds."
        return (), [Problem(path="seeds", text=text, origin=origin, hint=hint)]
    if not isinstance(typed, str):
        numbers = [plain(one) for one in typed]
        wrong = [f"{one!r} is not a seed." for one in numbers if type(one) is not int or one < 0]
    else:
        numbers, wrong = _typed(typed)
        origin = request.origin("seeds", typed)
    wrong += [
        f"{seed} is given twice." for seed in sorted({one for one in numbers if numbers.count(one) > 1})
    ]
    if not numbers and not wrong:
        wrong.append("there is no seed.")
    hint = "Write 0..4 or 0,1,7: whole numbers, 0 or more."
    if isinstance(typed, str) and _LONE.fullmatch(typed):
        wrong = [f"{typed} may mean one seed or a number of seeds."]
        several = f"0..{max(int(typed) - 1, 1)}"
        hint = f"Write --seeds {several} for several seeds, --seed {typed} for this one."
        if request.from_python:
            hint = f"Write seeds={several!r} for several seeds, seeds=[{typed.strip()}] for this one."
    return tuple(numbers), [Problem(path="seeds", text=text, origin=origin, hint=hint) for text in wrong]


def _typed(text: str) -> tuple[list[int], list[str]]:
    numbers: list[int] = []
    wrong: list[str] = []
    for word in text.split(","):
        match = _SPAN.fullmatch(word.strip())
        if match is None:
            wrong.append(f"{word.strip()!r} is neither a number nor a span of numbers.")
            continue
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            wrong.append(f"{word.strip()} ends before it begins.")
        elif last - first >= MOST_SEEDS:
            wrong.append(f"{word.strip()} is more than {MOST_SEEDS} seeds.")
        else:
            numbers += range(first, last + 1)
    return numbers, wrong


def settings_given(request: Request, path: str) -> list[Origin]:
    """Return the origins of a setting in a request."""
    given = [Origin(kind="set", flag="--set", value=text) for text in request.sets if _path(text) == path]
    return [*given, *([Origin(kind="python", flag="settings")] if path in request.settings else [])]


def two_seeds(request: Request) -> list[Problem]:
    """Return a problem for each seed of a request that several seeds contradict."""
    given = [request.origin("seed", request.run["seed"])] if "seed" in request.run else []
    given += settings_given(request, "seed")
    hint = "Leave one of them out."
    return [
        Problem(path="seed", text="is given together with seeds.", origin=origin, hint=hint)
        for origin in given
    ]
