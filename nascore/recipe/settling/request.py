"""A request: the flags of a command or the arguments of a call; turns them into layers and a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, evolve, frozen

from nascore.config import Node, wrap
from nascore.errors import Origin, Problem, did_you_mean, refusal
from nascore.files import given_path
from nascore.recipe.settling.settle import DEFAULT_SCALE, resolve
from nascore.recipe.sources.files import Files, read_scale
from nascore.recipe.sources.layers import Layer, SlotChoice, Value
from nascore.recipe.sources.names import name_component
from nascore.recipe.sources.run_settings import SEARCH_RUN
from nascore.recipe.sources.set_option import Sets
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.recipe.settling.recipe import Recipe
    from nascore.slots import Slot


@frozen(kw_only=True)
class Request:
    """The flags of a command, or the arguments of a call.

    Attributes:
        recipe: A recipe file.
        recipe_flag: The flag of the recipe; empty where it was named without one.
        preset: A preset's name.
        scale: ``mini``, ``small`` or ``paper``.
        names: The components of each slot: ``{"updater": ["darts"]}``; ``["none"]`` empties a list.
        run: Settings of the run with a flag or an argument of their own: ``{"seed": 3}``.
        sets: ``PATH=VALUE`` texts.
        settings: Values from Python by the same paths.
        prefix: An optional prefix of these paths: that of an evaluation after a search.
        from_python: Whether it is a call from Python.
    """

    recipe: Path | None = None
    recipe_flag: str = "--recipe"
    preset: str | None = None
    scale: str | None = None
    names: Mapping[str, Sequence[str]] = Factory(dict)
    run: Mapping[str, Any] = Factory(dict)
    sets: Sequence[str] = ()
    settings: Mapping[str, Any] = Factory(dict)
    prefix: str = ""
    from_python: bool = False

    def origin(self, name: str, value: object) -> Origin:
        """Return the origin of a flag or an argument of this request.

        Args:
            name: Its name without dashes.
            value: Its value.
        """
        if self.from_python:
            return Origin(kind="python", flag=name, value=repr(value))
        return Origin(kind="flag", flag=f"--{name}", value=str(value))

    def layers(self, registry: Registry, *, slots: Sequence[Slot] = SLOTS) -> list[Layer]:
        """Return all layers, lowest first; each holds its problems.

        Args:
            registry: The installed components.
            slots: The slot table.
        """
        return [*self.file_layers(registry, slots=slots), *self.flag_layers(registry, slots=slots)]

    def file_layers(self, registry: Registry, *, slots: Sequence[Slot] = SLOTS) -> list[Layer]:
        """Return the layers of preset, recipe and scale; see :meth:`layers`."""
        files = Files(registry=registry, slots=tuple(slots))
        layers: list[Layer] = []
        if self.preset is not None:
            layers += files.preset(self.preset, self.origin("preset", self.preset))
        if self.recipe is not None:
            origin = self.origin("recipe", str(self.recipe))
            if not self.from_python:
                origin = evolve(origin, flag=self.recipe_flag)
            layers += files.recipe(given_path(self.recipe), origin)
        if self.scale is not None:
            origin = self.origin("scale", self.scale)
            scale, problems = read_scale(Node(value=self.scale, origin=origin))
            layers.append(Layer(scale=scale, problems=problems))
        elif not layers:
            layers.append(DEFAULT_SCALE)
        return layers

    def flag_layers(self, registry: Registry, *, slots: Sequence[Slot] = SLOTS) -> list[Layer]:
        """Return the layers of flags and settings, which override those of :meth:`file_layers`.

        A value that one command or call gives twice must be equal: neither overrides the other.
        """
        named = self._named(registry, slots)
        sets = Sets(registry=registry, slots=tuple(slots), prefix=self.prefix)
        sets.note_arguments(named.values)
        sets.add_run_settings(
            {name: wrap(value, self.origin(name, value)) for name, value in self.run.items()}
        )
        sets.add_texts(self.sets)
        sets.add_values(self.settings)
        return [named, sets.layer()]

    def _named(self, registry: Registry, slots: Sequence[Slot]) -> Layer:
        chosen: dict[str, tuple[SlotChoice, ...]] = {}
        values: list[Value] = []
        problems: list[Problem] = []
        by_name = {slot.name: slot for slot in slots}
        for slot, names in self.names.items():
            if slot not in by_name:
                text, hint = f"no slot is called {slot}.", did_you_mean(slot, by_name)
                problems.append(Problem(path=slot, text=text, hint=hint))
            if slot not in by_name or not names:
                continue
            wanted = [] if list(names) == ["none"] and by_name[slot].many else names
            named = [name_component(slot, name, self.origin(slot, name), registry) for name in wanted]
            chosen[slot] = tuple(one.choice for one in named)
            values += [value for one in named for value in one.values]
            problems += _too_many(by_name[slot], chosen[slot])
        return Layer(chosen=chosen, values=tuple(values), problems=tuple(problems))


def settled(
    request: Request, registry: Registry, *, run: Component = SEARCH_RUN, slots: Sequence[Slot] = SLOTS
) -> Recipe:
    """Return the recipe of a request; it can run.

    Args:
        request: The request.
        registry: The installed components.
        run: The component of the run itself.
        slots: The slots to fill.

    Raises:
        RecipeError: The recipe is refused; has all problems, warnings too.
        PluginError: The recipe is refused, and other plugins would solve all problems.
    """
    recipe = resolved(request, registry, run=run, slots=slots)
    if recipe.refused:
        raise refusal(recipe.problems)
    return recipe


def resolved(
    request: Request, registry: Registry, *, run: Component = SEARCH_RUN, slots: Sequence[Slot] = SLOTS
) -> Recipe:
    """Return the recipe of a request with all its problems; see :func:`settled`."""
    return resolve(request.layers(registry, slots=table_of(slots)), registry, run=run, slots=slots)


def table_of(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """Return the slots that files may name: a preset serves both search and evaluate."""
    return tuple(slots) + tuple(slot for slot in SLOTS if slot not in slots)


def _too_many(slot: Slot, choices: Sequence[SlotChoice]) -> list[Problem]:
    components = [choice.component for choice in choices if choice.component is not None]
    if not slot.many and len(choices) > 1:
        text = f"holds one component, not {len(choices)}."
        hint = "Remove one of them, or compare them: nascore search with commas, nascore.search_several."
    elif len(set(components)) < len(components):
        text, hint = "the same component is named twice.", "Remove one of them."
    else:
        return []
    return [Problem(path=slot.name, text=text, origin=choices[-1].origin, hint=hint)]
