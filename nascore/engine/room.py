"""Whether the training steps of a run find room in the memory of its device, estimated before the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from attrs import frozen

from nascore.description import expand
from nascore.engine.device import device_for
from nascore.engine.handover import MOST_COUNTED
from nascore.engine.making import made
from nascore.engine.memory import FLOAT, told, total_and_free
from nascore.engine.mixing import draw, fixed_draw
from nascore.engine.phase import Search
from nascore.engine.phases import choices_of
from nascore.engine.streams import Streams
from nascore.errors import Problem, RecipeError
from nascore.nn.activations import activations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts
    from nascore.description import Catalogue, Description
    from nascore.recipe import Recipe

CERTAIN: Final = 0.5
"""Share of the estimate that a step surely needs: what is counted may be up to twice what is kept."""


@frozen(kw_only=True)
class Step:
    """A training step of a network.

    Attributes:
        batch: Images of a batch.
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


def searched_step(
    recipe: Recipe, description: Description, batch: int, facts: DataFacts, catalogue: Catalogue
) -> Step:
    """Return the step of a search; what a first draw of the relaxation leaves out does not count."""
    numbers = max(
        activations(description, catalogue, (facts.height, facts.width), runs)
        for runs in _runs(recipe, description)
    )
    return Step(batch=batch, numbers=numbers, smaller="space.channels or space.cells")


def steps_of_training(
    recipe: Recipe, descriptions: Sequence[Description], facts: DataFacts, catalogue: Catalogue
) -> dict[str, Step]:
    """Return the largest step of closed networks, as the run's group `training` trains them."""
    image = (facts.height, facts.width)
    numbers = max((activations(one, catalogue, image) for one in descriptions[:MOST_COUNTED]), default=0)
    smaller = f"{recipe.typed('training.channels')} or {recipe.typed('training.cells')}"
    return {"training.batch": Step(batch=recipe.run.training.batch, numbers=numbers, smaller=smaller)}


def check_room(steps: Mapping[str, Step], device: torch.device) -> None:
    """Refuse steps that need more than all memory of the device.

    Args:
        steps: By the path of the setting that gives the images of a batch.
        device: Where they are made.

    Raises:
        RecipeError: Some do; names the batch that would fit.
    """
    total, _ = total_and_free(device)
    problems = [
        Problem(path=path, text=f"{_taken(step)}, and there are {told(total)}.", hint=step.hint(total))
        for path, step in steps.items()
        if total is not None and step.size * CERTAIN > total
    ]
    if problems:
        raise RecipeError(problems)


def doubted_room(recipe: Recipe, steps: Mapping[str, Step]) -> Recipe:
    """Return the recipe with a warning for each step that needs more than the memory that is free now.

    Args:
        recipe: A settled recipe, which names the device.
        steps: By the path of the setting that gives the images of a batch.
    """
    return recipe.warned_of(recipe.placed(_doubts(steps, device_for(recipe))))


def _doubts(steps: Mapping[str, Step], device: torch.device) -> Iterator[Problem]:
    _, free = total_and_free(device)
    for path, step in steps.items():
        if free is not None and step.size > free:
            text = f"{_taken(step)}, and {told(free)} are free: the system may end the run without a message."
            yield Problem(path=path, text=text, hint=step.hint(free), verdict="warned")


def _taken(step: Step) -> str:
    return f"a step on {step.batch:,} images keeps about {told(step.size)} of memory for its backward pass"


def _runs(recipe: Recipe, description: Description) -> list[Mapping[str, Tensor] | None]:
    """Return what is run of an open description in a first pass of theta, and in one of the weights."""
    try:
        first, fixed = _drawn(recipe, description)
    except Exception:  # noqa: BLE001 - a plugin's; the run says what is wrong with it
        return [None]
    same = all(torch.equal(first[name], one) for name, one in fixed.items())
    return [fixed] if same else [first, fixed]


def _drawn(recipe: Recipe, description: Description) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    streams = Streams("room")
    relaxation, updater = made(recipe, "relaxation"), made(recipe, "updater")
    state = choices_of(expand(description).layouts, relaxation, streams)
    search = Search(state=state, relaxation=relaxation, updater=updater)
    fixed = fixed_draw(search, streams).runs
    # An updater that follows no gradient has no pass of its own.
    return fixed if updater.gradient is None else draw(search, streams, 1).runs, fixed
