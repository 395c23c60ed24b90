"""A settled recipe: the part of each slot, its settings, and their origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from attrs import Factory, evolve, frozen

from nascore.component import MEASURES, SIZED
from nascore.config import settings_of, wrap
from nascore.errors import Origin
from nascore.recipe.sources.layers import Layer, Value
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component
    from nascore.errors import Problem
    from nascore.recipe.sources.layers import Scale
    from nascore.slots import Slot


@frozen(kw_only=True)
class Part:
    """A component in its slot.

    Attributes:
        component: The component.
        settings: An instance of its settings class.
        origins: Where each value that is no default came from, by the setting's dotted path.
        brought: Who named the component.
        provides: Its capabilities with these settings.
        full: Whether other plugins bring components of this name too.
    """

    component: Component
    settings: Any
    origins: Mapping[str, Origin]
    brought: Origin
    provides: frozenset[str]
    full: bool = False

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
        """What a recipe says for it: the name, with the plugin's where the name alone is ambiguous."""
        return f"{self.component.plugin}:{self.name}" if self.full else self.name

    def values(self) -> Iterator[tuple[str, Any, Origin]]:
        """Yield each setting's dotted path, value and origin, nested groups too."""
        default = Origin(kind="default", what="default", who=self.name)
        for path, value in flat(self.settings):
            yield path, value, self.origins.get(path, default)


@frozen(kw_only=True)
class DeclinedWish:
    """A wish that was not taken, and why."""

    slot: str
    wish: str
    by: str
    why: str

    def __str__(self) -> str:
        return f"{self.wish}, wished by {self.by}: passed over, {self.why}"


Row: TypeAlias = tuple[str, Any, Origin]
"""The path of a value (its ``--set`` path; a slot's name for a component), the value, and its origin."""


@frozen(kw_only=True)
class Recipe:
    """What a run is.

    Attributes:
        parts: What fills each slot that was settled, and the run itself under ``run``.
        slots: The slots that were settled.
        scale: The scale and who named it.
        problems: Everything that is wrong (``refused``) or doubtful (``warned``).
        passed: The wishes that were not taken.
        prefix: What one types before groups of the run's settings: ``evaluate.`` where this is the recipe of
            an evaluation behind a search, whose own groups have the same names.
    """

    parts: Mapping[str, tuple[Part, ...]]
    slots: tuple[Slot, ...]
    scale: Scale | None = None
    problems: tuple[Problem, ...] = ()
    passed: tuple[DeclinedWish, ...] = Factory(tuple)
    prefix: str = ""

    @property
    def run(self) -> Any:  # noqa: ANN401 - RunSettings, or what a caller's own run component declares
        """The settings of the run itself."""
        return self.part(RUN).settings

    @property
    def refused(self) -> tuple[Problem, ...]:
        """The problems with which it cannot run."""
        return tuple(problem for problem in self.problems if problem.verdict == "refused")

    @property
    def warned(self) -> tuple[Problem, ...]:
        """The problems with which it runs."""
        return tuple(problem for problem in self.problems if problem.verdict == "warned")

    def warned_of(self, problems: Iterable[Problem]) -> Recipe:
        """Return the recipe with further problems with which it runs, none of them twice."""
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
        """The names of what fills a slot."""
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
        return _inner(parts[0].settings, words) if parts and words else None

    def typed(self, path: str) -> str:
        """Return what one types to reach a setting or a group: those of the run itself have the prefix."""
        if not self.prefix:
            return path
        declared = settings_of(type(self.run)).get(path.partition(".")[0])
        return f"{self.prefix}{path}" if declared is not None and declared.nested else path

    def placed(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems with paths as one types them.

        Each has the origin of the value that it is about, where it names none itself.
        """
        problems = tuple(problems)
        if not problems:  # as nearly always, and all rows take their time
            return []
        origins = {path: origin for path, _value, origin in self.rows()}
        return [
            attrs.evolve(
                problem,
                path=self.typed(problem.path),
                origin=problem.origin or origins.get(problem.path.removeprefix(self.prefix)),
            )
            for problem in problems
        ]

    def rows(self) -> list[Row]:
        """All choices and values, for printing and for comparing two recipes."""
        rows: list[Row] = []
        for slot in self.slots:
            for part in self.parts.get(slot.name, ()):
                rows.append((slot.name, part.name, part.brought))
                rows += [(f"{part.prefix}{path}", value, origin) for path, value, origin in part.values()]
        for part in self.parts.get(RUN, ()):
            rows += part.values()
        return rows


def flat(settings: object, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted path and value of every setting, those of nested groups too."""
    for name, declared in settings_of(type(settings)).items():
        value = getattr(settings, name)
        if declared.nested:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _inner(settings: Any, words: list[str]) -> Any:  # noqa: ANN401 - as declared
    for word in words:
        if not attrs.has(type(settings)) or word not in settings_of(type(settings)):
            return None
        settings = getattr(settings, word)
    return settings


Sizes = dict[str, dict[str, int | None]]


def sizes_of(declared: Mapping[str, Mapping[str, int]]) -> Sizes:
    """Return a size for each scale; None is as the architecture has it.

    Args:
        declared: What a space or a notation declares, by scale.
    """
    return {scale: {name: declared.get(scale, {}).get(name) for name in MEASURES} for scale in SIZED}


def size_of(recipe: Recipe) -> dict[str, int]:
    """Return the size at which `evaluate` trains what a search finds; what is not there stays as searched."""
    scale = "mini" if recipe.scale is not None and recipe.scale[0] == "mini" else "paper"
    size = sizes_of(recipe.part("space").component.sizes)[scale]
    return {name: value for name, value in size.items() if value is not None}


def layer_of(declared: Mapping[str, Mapping[str, int]], by: str) -> Layer:
    """Return the lowest layer of an evaluation: the published size of the architectures of a space.

    Args:
        declared: What the space declares, by scale.
        by: Who declares it.
    """
    published = {name: value for name, value in sizes_of(declared)["paper"].items() if value is not None}
    if not published:
        return Layer()
    node = wrap({"training": published}, Origin(kind="wish", what="published size", who=by))
    return Layer(values=(Value(slot=RUN, component=None, node=node),))


def sized(run: Component, declared: Mapping[str, Mapping[str, int]]) -> Component:
    """Return the run of an evaluation whose size at the scale ``mini`` is that of a space.

    Args:
        run: The component of the run.
        declared: What the space declares, by scale.
    """
    training = {**run.mini.get("training", {}), **sizes_of(declared)["mini"]}
    return evolve(run, mini={**run.mini, "training": training})
