"""A settled recipe: the part of each slot, its settings, and their origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from attrs import Factory, evolve, frozen

from nascore.component import MEASURES, SIZED
from nascore.config import settings_of, unwrap, wrap
from nascore.errors import Origin
from nascore.recipe.sources.layers import Layer, Value
from nascore.recipe.sources.run_settings import EVALUATE_RUN
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component
    from nascore.errors import Problem
    from nascore.recipe.sources.layers import Scale, Stack
    from nascore.slots import Slot


@frozen(kw_only=True)
class Part:
    """A component in its slot.

    Attributes:
        component: The component.
        settings: An instance of its settings class.
        origins: Origin of each value that is not the default, by the setting's dotted path.
        chosen_by: Where the component was named.
        provides: Its capabilities with these settings.
        ambiguous: Whether several plugins bring a component of this name.
    """

    component: Component
    settings: Any
    origins: Mapping[str, Origin]
    chosen_by: Origin
    provides: frozenset[str]
    ambiguous: bool = False

    @property
    def name(self) -> str:
        """The component's name."""
        return self.component.name

    @property
    def slot(self) -> str:
        """The slot that it fills."""
        return self.component.slot

    @property
    def prefix(self) -> str:
        """The start of the ``--set`` paths of its settings."""
        return self.component.prefix

    @property
    def label(self) -> str:
        """Its name in a recipe, with the plugin's where the name alone is ambiguous."""
        return f"{self.component.plugin}:{self.name}" if self.ambiguous else self.name

    def values(self) -> Iterator[tuple[str, Any, Origin]]:
        """Yield dotted path, value and origin of each setting, nested groups too."""
        default = Origin(kind="default", what="default", who=self.name)
        for path, value in flat_settings(self.settings):
            yield path, value, self.origins.get(path, default)


@frozen(kw_only=True)
class DeclinedWish:
    """A wish that was not taken, and the reason."""

    slot: str
    wish: str
    by: str
    why: str

    def __str__(self) -> str:
        return f"{self.wish}, wished by {self.by}, is not used: {self.why}"


Row: TypeAlias = tuple[str, Any, Origin]
"""The path of a value (its ``--set`` path; a slot's name for a component), the value, and its origin."""


@frozen(kw_only=True)
class Recipe:
    """The parts and settings of a run.

    Attributes:
        parts: The parts of each slot, and the run itself under ``run``.
        slots: The slots that were filled.
        scale: The scale and where it was named.
        problems: All problems, ``refused`` or ``warned``.
        declined: The wishes that were not taken.
        evaluation: The settings under ``evaluate`` of a search's files and presets, for the evaluation of the
            architecture that it finds; without those that the scale overrides.
        prefix: The prefix of the run's settings on the command line: ``evaluate.`` in the recipe of an
            evaluation after a search, which has settings of the same names.
    """

    parts: Mapping[str, tuple[Part, ...]]
    slots: tuple[Slot, ...]
    scale: Scale | None = None
    problems: tuple[Problem, ...] = ()
    declined: tuple[DeclinedWish, ...] = Factory(tuple)
    evaluation: Mapping[str, Any] = Factory(dict)
    prefix: str = ""

    @property
    def run(self) -> Any:  # noqa: ANN401 - RunSettings, or what a caller's own run component declares
        """The settings of the run itself."""
        return self.part(RUN).settings

    @property
    def refused(self) -> tuple[Problem, ...]:
        """The problems that refuse the run."""
        return tuple(problem for problem in self.problems if problem.verdict == "refused")

    @property
    def warned(self) -> tuple[Problem, ...]:
        """The problems that are warnings."""
        return tuple(problem for problem in self.problems if problem.verdict == "warned")

    def with_warnings(self, problems: Iterable[Problem]) -> Recipe:
        """Return the recipe with further warnings, none of them twice."""
        known = {(problem.path, problem.text) for problem in self.warned}
        new = (one for one in problems if (one.path, one.text) not in known)
        return attrs.evolve(self, problems=(*self.problems, *new))

    def part(self, slot: str) -> Part:
        """Return the one part of a single-valued slot.

        Raises:
            KeyError: The slot is empty.
        """
        parts = self.parts.get(slot, ())
        if not parts:
            raise KeyError(slot)
        return parts[0]

    def names(self, slot: str) -> tuple[str, ...]:
        """Return the names of the components in a slot."""
        return tuple(part.name for part in self.parts.get(slot, ()))

    def setting(self, path: str) -> Any:  # noqa: ANN401 - as declared
        """Return the value at a ``--set`` path such as ``trainer.epochs``; None where there is none."""
        head, *words = path.split(".")
        many = {slot.name for slot in self.slots if slot.many}
        if head not in self.parts or head == RUN:
            head, words = RUN, path.split(".")
        parts = self.parts.get(head, ())
        if head in many and words:
            parts = tuple(part for part in parts if part.name == words[0])
            words = words[1:]
        return _value_at(parts[0].settings, words) if parts and words else None

    def with_prefix(self, path: str) -> str:
        """Return the ``--set`` path of a setting or a group: groups of the run itself get the prefix."""
        if not self.prefix:
            return path
        declared = settings_of(type(self.run)).get(path.partition(".")[0])
        return f"{self.prefix}{path}" if declared is not None and declared.nested else path

    def with_origins(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems with ``--set`` paths, and with the value's origin where they have none."""
        problems = tuple(problems)
        if not problems:  # the usual case; computing all rows is slow
            return []
        rows = self.rows()
        origins = {path: origin for path, _value, origin in rows}
        maps = [path for path, value, _origin in rows if isinstance(value, dict)]
        found = []
        for problem in problems:
            path = problem.path.removeprefix(self.prefix)
            # A place in a map has the origin of the map.
            path = next((one for one in maps if path.startswith(f"{one}.")), path)
            origin = problem.origin or origins.get(path)
            found.append(attrs.evolve(problem, path=self.with_prefix(problem.path), origin=origin))
        return found

    def rows(self) -> list[Row]:
        """Return all choices and values, to print them and to compare recipes."""
        rows: list[Row] = []
        for slot in self.slots:
            for part in self.parts.get(slot.name, ()):
                rows.append((slot.name, part.name, part.chosen_by))
                rows += [(f"{part.prefix}{path}", value, origin) for path, value, origin in part.values()]
        for part in self.parts.get(RUN, ()):
            rows += part.values()
        return rows


def flat_settings(settings: object, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted path and value of every setting, nested groups too."""
    for name, declared in settings_of(type(settings)).items():
        value = getattr(settings, name)
        if declared.nested:
            yield from flat_settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _value_at(settings: Any, words: list[str]) -> Any:  # noqa: ANN401 - as declared
    for word in words:
        if not attrs.has(type(settings)) or word not in settings_of(type(settings)):
            return None
        settings = getattr(settings, word)
    return settings


Sizes = dict[str, dict[str, int | None]]


def sizes_of(declared: Mapping[str, Mapping[str, int]]) -> Sizes:
    """Return the size for each scale; None keeps the architecture's own.

    Args:
        declared: The sizes that a space or a notation declares, by scale.
    """
    return {scale: {name: declared.get(scale, {}).get(name) for name in MEASURES} for scale in SIZED}


def evaluation_size(recipe: Recipe) -> dict[str, int]:
    """Return the size at which `evaluate` trains an architecture; missing entries stay as searched."""
    scale = "mini" if recipe.scale is not None and recipe.scale[0] == "mini" else "paper"
    size = sizes_of(recipe.part("space").component.sizes)[scale]
    return {name: value for name, value in size.items() if value is not None}


def published_size_layer(declared: Mapping[str, Mapping[str, int]], by: str) -> Layer:
    """Return the lowest layer of an evaluation: the published size of the architectures of a space.

    Args:
        declared: The sizes that the space declares, by scale.
        by: The name of the space.
    """
    published = {name: value for name, value in sizes_of(declared)["paper"].items() if value is not None}
    if not published:
        return Layer()
    node = wrap({"training": published}, Origin(kind="wish", what="published size", who=by))
    return Layer(values=(Value(slot=RUN, component=None, node=node),))


def with_mini_size(run: Component, declared: Mapping[str, Mapping[str, int]]) -> Component:
    """Return the run component of an evaluation, with the size of a space at scale ``mini``.

    Args:
        run: The component of the run.
        declared: The sizes that the space declares, by scale.
    """
    training = {**run.mini.get("training", {}), **sizes_of(declared)["mini"]}
    return evolve(run, mini={**run.mini, "training": training})


def evaluation_settings(recipe: Recipe, stack: Stack) -> dict[str, Any]:
    """Return the settings under ``evaluate`` of the files and presets of a search; empty for an evaluation.

    Settings of a preset that the scale ``mini`` overrides are left out, as in an evaluation by that preset.

    Args:
        recipe: The parts of the search.
        stack: The layers of the search.
    """
    if any(part.name == EVALUATE_RUN.name for part in recipe.parts.get(RUN, ())):
        return {}
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    for settings, values in ((low, stack.below), (high, stack.above)):
        for value in values:
            if value.slot == RUN and value.component == EVALUATE_RUN:
                _update(settings, unwrap(value.node))
    if recipe.scale is not None and recipe.scale[0] == "mini":
        spaces = recipe.parts.get("space", ())
        sizes = spaces[0].component.sizes if spaces else {}
        low = _without(low, with_mini_size(EVALUATE_RUN, sizes).mini)
    _update(low, high)
    return low


def _update(low: dict[str, Any], high: Mapping[str, Any]) -> None:
    for name, value in high.items():
        if isinstance(value, dict) and isinstance(low.get(name), dict):
            _update(low[name], value)
        else:
            low[name] = value


def _without(settings: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that others have too."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and isinstance(others.get(name), dict):
            if inner := _without(value, others[name]):
                found[name] = inner
        elif name not in others:
            found[name] = value
    return found
