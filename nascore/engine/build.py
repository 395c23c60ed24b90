"""From a recipe to live objects, and to the folder that the run is written to."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from attrs import define

from nascore.component import load
from nascore.description import expand
from nascore.engine.batches import check_batch, halves, on
from nascore.engine.device import device_for
from nascore.engine.streams import Streams
from nascore.engine.watch import Watch
from nascore.errors import Problem, RecipeError, refusal
from nascore.recipe import kept_recipe
from nascore.recipe.guard import guarded
from nascore.run import create, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nascore.component import Component
    from nascore.contract import DataFacts, Dataset, Observer, Relaxation, Trainer, Updater
    from nascore.description import Catalogue, Description
    from nascore.nn import Examples
    from nascore.plugin import Registry
    from nascore.recipe import Recipe
    from nascore.run import RunFolder


@define(kw_only=True)
class Live:
    """A run under way.

    Attributes:
        recipe: What was asked for.
        catalogue: The operations that descriptions may name.
        dataset: The data.
        device: Where networks run.
        folder: Where the run is written.
        watch: Who watches.
    """

    recipe: Recipe
    catalogue: Catalogue
    dataset: Dataset
    device: torch.device
    folder: RunFolder
    watch: Watch

    @property
    def facts(self) -> DataFacts:
        """What is known of the data."""
        return self.dataset.facts

    def streams(self, job: int) -> Streams:
        """Return the random numbers of a job: they depend on its number, and on no other job."""
        return Streams(f"{self.recipe.run.seed}/{job}", self.device)

    def halves(self) -> tuple[Examples, Examples]:
        """Return the two halves of the training images, the same for all jobs of the run."""
        return halves(self.train(), Streams(self.recipe.run.seed)["halves"])

    def train(self) -> Examples:
        """Return all training images, on the device."""
        return on(self.dataset.train(), self.device)


@define(kw_only=True)
class Parts:
    """The parts of a search.

    Attributes:
        description: The space for these data, an open description.
        relaxation: How theta becomes a mixture.
        updater: How theta moves.
        trainer: How steps are made.
    """

    description: Description
    relaxation: Relaxation
    updater: Updater
    trainer: Trainer


def build_search(
    recipe: Recipe, registry: Registry, *, out: Path | None, observers: Iterable[Observer]
) -> tuple[Live, Parts]:
    """Build what a search needs and make the run's folder, with the recipe in it.

    Raises:
        RecipeError: The space leaves nothing to choose, or the device is not there.
        RunFolderError: The folder cannot be made.
    """
    dataset, parts = planned(recipe, registry)
    name = f"{recipe.part('space').name}-{recipe.part('updater').name}_s{recipe.run.seed}"
    return begin(recipe, registry, dataset, name=name, out=out, observers=observers), parts


def planned(recipe: Recipe, registry: Registry) -> tuple[Dataset, Parts]:
    """Build the data set and the parts of a search, and refuse what could not run; writes nothing.

    Raises:
        RecipeError: The device is not there, the space leaves nothing to choose, or a batch is too large.
        DescriptionError: The space's description cannot be built.
    """
    device_for(recipe)
    dataset: Dataset = made(recipe, "dataset")
    parts = Parts(
        description=described(recipe, dataset.facts),
        relaxation=made(recipe, "relaxation"),
        updater=made(recipe, "updater"),
        trainer=made(recipe, "trainer"),
    )
    expand(parts.description, registry.operations())
    if not parts.description.is_open:
        text = "the description leaves nothing to choose."
        raise RecipeError([Problem(path="space", text=text, hint="Train it: nascore evaluate.")])
    half = dataset.facts.train // 2
    demand = parts.trainer.demand
    check_batch("trainer.batch", demand.batch, half if demand.halves else dataset.facts.train)
    check_batch("training.batch", recipe.run.training.batch, half)
    return dataset, parts


def begin(  # noqa: PLR0913 - each by name
    recipe: Recipe,
    registry: Registry,
    dataset: Dataset,
    *,
    name: str,
    out: Path | None,
    observers: Iterable[Observer],
) -> Live:
    """Make the folder of a run and write what is known before it starts.

    Raises:
        RecipeError: The device is not there.
        RunFolderError: The folder cannot be made or written to.
    """
    device = device_for(recipe)
    kept = kept_recipe(recipe, registry)
    folder = create(name, out=out)
    folder.log(f"nascore {version('nascore')}: {name}")
    for file, text in {**kept.files, "recipe.yaml": kept.text}.items():
        folder.text(file, text)
    facts = environment(device=_named(device), threads=recipe.run.threads, brought=kept.brought)
    folder.json("environment.json", facts)
    for note in (*recipe.warned, *recipe.passed):
        folder.log(str(note))
    return Live(
        recipe=recipe,
        catalogue=registry.operations(),
        dataset=dataset,
        device=device,
        folder=folder,
        watch=Watch(observers, folder.log, parts=recipe.parts.get("observer", ())),
    )


def made(recipe: Recipe, slot: str) -> Any:  # noqa: ANN401 - a plugin's class, which the slot's contract describes
    """Build the component that fills a slot; its module is imported now.

    Raises:
        PluginError: It cannot be built: what a plugin raises here is its mistake.
    """
    part = recipe.part(slot)
    return _answer(part.component, "building", lambda: load(part.component.build)(part.settings))


def described(recipe: Recipe, facts: DataFacts) -> Description:
    """Return the description that the space gives for these data.

    Raises:
        PluginError: The space raised.
    """
    space = made(recipe, "space")
    answer: Description = _answer(recipe.part("space").component, "describing", lambda: space.describe(facts))
    return answer


def _answer(component: Component, what: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it gives
    answer, raised = guarded(component, what, call, lambda: None)
    if raised:
        raise refusal(raised)
    return answer


def _named(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
