"""A settled recipe: the part of each slot, its settings, and their origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from attrs import Factory, evolve, frozen

from nascore.component import MEASURES, SCALES
from nascore.config import settings_of, wrap
from nascore.errors import Origin
from nascore.recipe.sources.layers import Layer, Value
from nascore.recipe.sources.run_settings import EVALUATE_RUN, TRAINING, training_group
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component
    from nascore.errors import Problem
    from nascore.recipe.sources.layers import Scale
    from nascore.recipe.sources.run_settings import TrainingSettings
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
        evaluation: Of a search, the settings and tricks that were given for the evaluation of its
            architecture, as paths with value and origin; without those that the scale overrides.
    """

    parts: Mapping[str, tuple[Part, ...]]
    slots: tuple[Slot, ...]
    scale: Scale | None = None
    problems: tuple[Problem, ...] = ()
    declined: tuple[DeclinedWish, ...] = Factory(tuple)
    evaluation: tuple[Row, ...] = ()

    @property
    def run(self) -> Any:  # noqa: ANN401 - RunSettings, or what a caller's own run component declares
        """The settings of the run itself."""
        return self.part(RUN).settings

    @property
    def training_group(self) -> str:
        """The group of settings with which this run trains closed networks: `ranking` in a search."""
        return training_group(self.run)

    @property
    def training(self) -> TrainingSettings:
        """The settings with which this run trains closed networks."""
        settings: TrainingSettings = getattr(self.run, self.training_group)
        return settings

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

    def with_origins(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems with the origin of the value where they have none."""
        problems = tuple(problems)
        if not problems:  # the usual case; computing all rows is slow
            return []
        rows = self.rows()
        origins = {path: origin for path, _value, origin in rows}
        maps = [path for path, value, _origin in rows if isinstance(value, dict)]
        found = []
        for problem in problems:
            # A place in a map has the origin of the map.
            path = next((one for one in maps if problem.path.startswith(f"{one}.")), problem.path)
            found.append(attrs.evolve(problem, origin=problem.origin or origins.get(path)))
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
    return {scale: {name: declared.get(scale, {}).get(name) for name in MEASURES} for scale in SCALES}


def scale_name(scale: Scale | None) -> str:
    """Return the name of a scale; `paper` for no scale."""
    return "paper" if scale is None else scale[0]


def evaluation_size(recipe: Recipe) -> dict[str, int]:
    """Return the size at which `evaluate` trains an architecture; missing entries stay as searched."""
    size = sizes_of(recipe.part("space").component.sizes)[scale_name(recipe.scale)]
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
    node = wrap({TRAINING: published}, Origin(kind="wish", what="published size", who=by))
    return Layer(values=(Value(slot=RUN, component=EVALUATE_RUN, node=node),))


def with_scaled_sizes(run: Component, declared: Mapping[str, Mapping[str, int]]) -> Component:
    """Return the run component of an evaluation, with the sizes of a space at the scales below ``paper``.

    Args:
        run: The component of the run.
        declared: The sizes that the space declares, by scale.
    """
    sizes = sizes_of(declared)

    def scaled(settings: Mapping[str, Any], scale: str) -> dict[str, Any]:
        return {**settings, TRAINING: {**settings.get(TRAINING, {}), **sizes[scale]}}

    return evolve(run, mini=scaled(run.mini, "mini"), small=scaled(run.small, "small"))
