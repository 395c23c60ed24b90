"""The parts of a search: the components that fill a recipe's slots, built and called under guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import define, field, frozen

from nascore.capability import undeclared
from nascore.component import Give
from nascore.errors import PluginError, Problem
from nascore.plugin.guard import call_component

if TYPE_CHECKING:
    from nascore.contract import GrowthPolicy, Regularizer, Relaxation, Trainer, Updater
    from nascore.description import Description
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part


UNDECLARED: Final = "A mistake of the plugin: its methods and its `provides` contradict each other."
"""What to do about optional methods that are not declared."""


def build_component(recipe: Recipe, slot: str) -> Any:  # noqa: ANN401 - a plugin's class, which the slot's contract describes
    """Build the component that fills a slot; its module is imported now.

    Raises:
        PluginError: It cannot be built, or its optional methods are not those that it declares.
    """
    return _made(recipe.part(slot))


def build_components(recipe: Recipe, slot: str) -> tuple[Any, ...]:
    """Build all components that fill a slot, in the order of the recipe.

    Raises:
        PluginError: One cannot be built.
    """
    return tuple(map(_made, recipe.parts.get(slot, ())))


def _made(part: Part) -> Any:  # noqa: ANN401 - the same
    built = call_component(part.component, "building", lambda: part.component.builder()(part.settings))
    sometimes = {item.capability for item in part.component.provides if isinstance(item, Give)}
    faults = list(undeclared(built, part.slot, part.provides, sometimes))
    if faults:
        raise PluginError(
            [
                Problem(
                    path=part.slot,
                    text=f"{part.label} {fault}.",
                    hint=UNDECLARED,
                    slots=(part.slot,),
                    of_plugin=True,
                )
                for fault in faults
            ]
        )
    return built


FLOAT: Final = 4
"""Bytes of a 32-bit float, as which images and weights are kept."""


@frozen(kw_only=True)
class Step:
    """A training step of a network.

    Attributes:
        batch: Images in a batch.
        numbers: What is kept of each for the backward pass, in 32-bit floats.
        smaller: The settings that make the network smaller, for messages.
    """

    batch: int
    numbers: int
    smaller: str

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return self.batch * self.numbers * FLOAT

    def hint(self, room: int) -> str:
        """Return with which settings the step would take no more than so many bytes."""
        fits = room // (self.numbers * FLOAT)
        fewer = f"set fewer {self.smaller}, or smaller images"
        return f"Set {fits:,} or less, or {fewer}." if fits else f"No batch is small enough: {fewer}."


@define(kw_only=True)
class SearchParts:
    """The parts of a search.

    Attributes:
        description: The space for these data; an open description where the search is one in a supernet.
        relaxation: How theta becomes a mixture.
        updater: How theta moves.
        trainer: How steps are made.
        regularizers: What is penalised.
        declared: Capabilities that the relaxation declares with its settings.
        stateful: Which regularizers declare that they have a state, by their place.
        growth: The outer loop.
        seeds: The closed descriptions that the outer loop begins with; none for a search in a supernet.
        steps: The training steps that are known before, by the setting that gives the images of a batch.
    """

    description: Description
    relaxation: Relaxation
    updater: Updater
    trainer: Trainer
    growth: GrowthPolicy
    seeds: tuple[Description, ...] = ()
    regularizers: tuple[Regularizer, ...] = ()
    declared: frozenset[str] = frozenset()
    stateful: frozenset[int] = frozenset()
    steps: dict[str, Step] = field(factory=dict)


def stateful_places(recipe: Recipe) -> frozenset[int]:
    """Return the places of the regularizers that declare that they have a state."""
    parts = recipe.parts.get("regularizer", ())
    return frozenset(place for place, part in enumerate(parts) if "stateful" in part.provides)


def build_search_parts(
    recipe: Recipe, description: Description, growth: GrowthPolicy, seeds: tuple[Description, ...] = ()
) -> SearchParts:
    """Build the parts of a search, each anew: what one search has left in them plays no part in the next.

    Raises:
        PluginError: One cannot be built.
    """
    return SearchParts(
        description=description,
        relaxation=build_component(recipe, "relaxation"),
        updater=build_component(recipe, "updater"),
        trainer=build_component(recipe, "trainer"),
        growth=growth,
        seeds=seeds,
        regularizers=build_components(recipe, "regularizer"),
        declared=recipe.part("relaxation").provides,
        stateful=stateful_places(recipe),
    )
