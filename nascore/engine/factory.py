"""Builds the components of a recipe, and holds those of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import define, field, frozen

from nascore.capability import undeclared
from nascore.component import Give
from nascore.errors import PluginError, Problem
from nascore.nn.classification import CLASSIFICATION
from nascore.plugin.guard import call_component
from nascore.slots import TASK

if TYPE_CHECKING:
    from nascore.contract import GrowthPolicy, Proposal, Regularizer, Relaxation, Task, Trainer, Updater
    from nascore.description import Description
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part


UNDECLARED: Final = "This is a fault of the plugin: its methods and its `provides` contradict each other."
"""Hint for optional methods that are not declared."""


def build_component(recipe: Recipe, slot: str) -> Any:  # noqa: ANN401 - a plugin's class, which the slot's contract describes
    """Build the component of a slot; imports its module.

    Raises:
        PluginError: It cannot be built, or its optional methods differ from those that it declares.
    """
    return build_component_of(recipe.part(slot))


def build_components(recipe: Recipe, slot: str) -> tuple[Any, ...]:
    """Build all components of a slot, in the order of the recipe.

    Raises:
        PluginError: A component cannot be built.
    """
    return tuple(map(build_component_of, recipe.parts.get(slot, ())))


def build_task(recipe: Recipe) -> Task:
    """Build the task of a recipe; a classification if its slots have no task.

    Raises:
        PluginError: It cannot be built.
    """
    task: Task = build_component(recipe, TASK) if recipe.parts.get(TASK) else CLASSIFICATION
    return task


def build_component_of(part: Part) -> Any:  # noqa: ANN401 - the same
    """Build the component of a part; see :func:`build_component`."""
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
"""Bytes of a 32-bit float, the type of images and weights."""


@frozen(kw_only=True)
class Step:
    """The memory of a training step.

    Attributes:
        batch: Images in a batch.
        numbers: Number of 32-bit floats per image that the backward pass needs.
        smaller: The settings that make the network smaller, for messages.
        recompute: Whether the features inside of cells are computed again in the backward pass.
    """

    batch: int
    numbers: int
    smaller: str
    recompute: bool = False

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return self.batch * self.numbers * FLOAT

    def hint(self, room: int) -> str:
        """Return the settings with which the step fits in `room` bytes, as a sentence."""
        batch = room // (self.numbers * FLOAT)
        smaller = f"set fewer {self.smaller}, or smaller images"
        if not self.recompute:
            smaller += "; execution.recompute=true needs less memory and more time"
        return f"Set {batch:,} or less, or {smaller}." if batch else f"No batch is small enough: {smaller}."


@define(kw_only=True)
class SearchParts:
    """The components of a search.

    Attributes:
        description: The space for these data; an open description if the search is in a supernet.
        relaxation: Maps theta to a mixture.
        updater: Updates theta.
        trainer: Makes training steps.
        regularizers: Penalties on theta and mixture.
        declared: Capabilities that the relaxation declares for its settings.
        stateful: Indices of the regularizers that declare a state.
        growth: The outer loop.
        first: The proposals of the first wave of the outer loop; none for a search in a supernet.
        second: Proposals of a second wave, made before the run for the checks; none if the run has one wave.
        grows: Whether the policy declares that it proposes open descriptions.
        steps: The memory of training steps that are known before the run, by the path of their batch setting.
    """

    description: Description
    relaxation: Relaxation
    updater: Updater
    trainer: Trainer
    growth: GrowthPolicy
    first: tuple[Proposal, ...] = ()
    second: tuple[Proposal, ...] = ()
    grows: bool = False
    regularizers: tuple[Regularizer, ...] = ()
    declared: frozenset[str] = frozenset()
    stateful: frozenset[int] = frozenset()
    steps: dict[str, Step] = field(factory=dict)

    @property
    def seeds(self) -> tuple[Description, ...]:
        """The initial descriptions of the outer loop, which are closed unless the policy `searches`."""
        return tuple(proposal.description for proposal in self.first)

    @property
    def opened(self) -> Proposal | None:
        """The first open description that a growth run searches, as a proposal; None if it searches none."""
        proposals = (*self.first, *self.second)
        return next((proposal for proposal in proposals if proposal.description.is_open), None)


def policy_grows(recipe: Recipe) -> bool:
    """Return whether the growth policy declares that it proposes open descriptions."""
    return "grows" in recipe.part("growth").provides


def policy_searches(recipe: Recipe) -> bool:
    """Return whether the growth policy declares that each open description it proposes is searched."""
    return "searches" in recipe.part("growth").provides


def stateful_places(recipe: Recipe) -> frozenset[int]:
    """Return the indices of the regularizers that declare a state."""
    parts = recipe.parts.get("regularizer", ())
    return frozenset(place for place, part in enumerate(parts) if "stateful" in part.provides)


def build_search_parts(
    recipe: Recipe,
    description: Description,
    growth: GrowthPolicy,
    *,
    first: tuple[Proposal, ...] = (),
    second: tuple[Proposal, ...] = (),
) -> SearchParts:
    """Build new components of a search, so that no state of another search remains in them.

    Raises:
        PluginError: A component cannot be built.
    """
    return SearchParts(
        description=description,
        relaxation=build_component(recipe, "relaxation"),
        updater=build_component(recipe, "updater"),
        trainer=build_component(recipe, "trainer"),
        growth=growth,
        first=first,
        second=second,
        grows=policy_grows(recipe),
        regularizers=build_components(recipe, "regularizer"),
        declared=recipe.part("relaxation").provides,
        stateful=stateful_places(recipe),
    )
