"""Builds and checks the components of a recipe, and creates the folder of the run."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from attrs import Factory, define, evolve, frozen

from nascore.engine.batches import (
    check_batch,
    validation_count,
)
from nascore.engine.data_checks import check_data, check_facts, data_fingerprint
from nascore.engine.device import ambient, arithmetic, device_for
from nascore.engine.executors import idle_executor
from nascore.engine.factory import build_component, build_search_parts, build_task
from nascore.engine.handover import bound_warnings
from nascore.engine.memory import (
    MOST_COUNTED,
    check_memory,
    search_step_memory,
    training_step_memory,
    with_memory_warnings,
)
from nascore.engine.network_checks import (
    check_first_candidates,
    check_networks,
    check_parts,
    collect_problems,
    describe_space,
)
from nascore.engine.observers import Observers
from nascore.engine.proposals import first_proposals, searches_in_supernet, second_proposals
from nascore.engine.proxy import build_dataset
from nascore.engine.rehearsal import rehearse_search, rehearse_training
from nascore.engine.results import record_failed_start
from nascore.engine.run_context import RunContext
from nascore.errors import Problem, RecipeError
from nascore.nn.shapes import check_gradients
from nascore.plugin import Selection
from nascore.recipe import ORIGINS, plain_origins, saved_recipe
from nascore.recipe.settling.executor import plain_executor, without_executor
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import GalleryFile, RunControl, RunFolder, create, environment
from nascore.slots import EXECUTOR, RUN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nascore.contract import (
        DataFacts,
        Dataset,
        Observer,
    )
    from nascore.description import Catalogue, Description
    from nascore.engine.factory import SearchParts
    from nascore.plugin import Registry
    from nascore.recipe import Recipe


@define(kw_only=True)
class Built:
    """A search whose components are built, but which has not begun.

    Attributes:
        recipe: The recipe, with the warnings of the built components.
        dataset: The data set.
        parts: The other components; None once a search has taken them, since no search may start from the
            state that another one left in them.
    """

    recipe: Recipe
    dataset: Dataset
    parts: SearchParts | None

    def with_checked_data(self) -> Built:
        """Read the training images; return the search with warnings of doubtful data.

        Raises:
            PluginError: With every contradiction between the data and its facts, and every unusable value.
        """
        return evolve(self, recipe=check_data(self.recipe, self.dataset))


@frozen(kw_only=True)
class Begun:
    """How a run is saved and stopped, and where it resumes.

    Attributes:
        control: Decides when it is saved and when it stops.
        folder: The folder of a run that was stopped, opened again; None: a new one is made.
        plugins: The selection of plugins, for other processes.
        accepted: Accepted differences to the beginning of a resumed run.
    """

    control: RunControl = Factory(RunControl)
    folder: RunFolder | None = None
    plugins: Selection = Factory(Selection)
    accepted: tuple[str, ...] = ()


def build(recipe: Recipe, registry: Registry) -> Built:
    """Build the components of a search; reads the facts but no image, and writes nothing.

    Raises:
        RecipeError: See :func:`build_parts`.
    """
    dataset, parts = build_parts(recipe, registry)
    recipe = with_size_warnings(recipe, parts, dataset.facts, registry.operations())
    recipe = recipe.with_warnings(idle_executor(recipe))
    return Built(recipe=recipe, dataset=dataset, parts=parts)


def build_search(  # noqa: PLR0913 - each by name
    recipe: Recipe,
    registry: Registry,
    *,
    out: Path | None,
    observers: Iterable[Observer],
    built: Built | None = None,
    begun: Begun | None = None,
) -> tuple[RunContext, SearchParts]:
    """Build the components of a search and create the folder of the run, with the recipe in it.

    Args:
        recipe: A settled recipe without refused problems.
        registry: The installed components.
        out: The folder of the run; None: a new one.
        observers: Observers of the run.
        built: The search of this recipe if it was built before, with checked data; its components are taken.
        begun: The control of the run, and the folder of a stopped run that is resumed.

    Raises:
        RecipeError: See :func:`build_parts`.
        RunFolderError: The folder cannot be created.
    """
    if built is None or built.parts is None:
        built = build(recipe, registry).with_checked_data()
    recipe, dataset, parts = built.recipe, built.dataset, built.parts
    assert parts is not None
    context = begin(
        recipe, registry, dataset, name=name_of(recipe), out=out, observers=observers, begun=begun
    )
    built.parts = None
    return context, parts


def name_of(recipe: Recipe, settings: Iterable[str] = ()) -> str:
    """Return the name of a run: space, updater if the run uses it, growth unless `none`, and seed.

    Args:
        recipe: The recipe.
        settings: Settings that the name contains too.
    """
    growth = recipe.part("growth")
    uses_updater = growth.provides & {"supernet", "grows", "searches"}
    names = [recipe.part("space").name, *([recipe.part("updater").name] if uses_updater else [])]
    names += [*([] if growth.name == "none" else [growth.name]), *settings]
    return f"{'-'.join(names)}_s{recipe.run.seed}"


@ambient()
def build_parts(recipe: Recipe, registry: Registry) -> tuple[Dataset, SearchParts]:
    """Build and check the data set and the other components of a search; writes nothing.

    Raises:
        RecipeError: The device does not exist, the space leaves nothing to choose, or a batch is too large.
        DescriptionError: The description of the space cannot be built.
    """
    device_for(recipe)
    dataset = build_dataset(recipe)
    check_facts(recipe, dataset)
    catalogue, facts = registry.operations(), dataset.facts
    description, growth = describe_space(recipe, facts, catalogue), build_component(recipe, "growth")
    first = first_proposals(recipe, growth, description, catalogue, facts)
    second = second_proposals(recipe, growth, description, first, catalogue, facts)
    parts = build_search_parts(recipe, description, growth, first=first, second=second)
    check_parts(parts)
    images = _training_count(recipe, parts, facts)
    with collect_problems() as check:
        check(_check_batches, recipe, parts, images)
        check(check_networks, recipe, parts, facts, catalogue)
        check(rehearse_training, recipe, facts)
        for searched in _searched_descriptions(recipe, parts)[:1]:
            check(rehearse_search, recipe, searched, facts, catalogue, images)
        check(_check_memory, recipe, parts, facts, catalogue)
    for one in parts.seeds or (parts.description,):
        check_gradients(one, catalogue, (facts.height, facts.width))
    return dataset, parts


def with_size_warnings(recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue) -> Recipe:
    """Return the recipe with the warnings of its built components.

    A warning names a size that the final architecture cannot have, a target or limit of costs that does not
    hold for the architecture that `evaluate` trains, or a step that needs more memory than is free.
    """
    recipe = unused_size_warnings(recipe, parts.seeds or (parts.description,), catalogue, grow=parts.grows)
    recipe = recipe.with_warnings(bound_warnings(recipe, parts, facts, catalogue))
    return with_memory_warnings(recipe, parts.steps)


def _training_count(recipe: Recipe, parts: SearchParts, facts: DataFacts) -> int:
    """Return the number of images for training weights, before a trainer splits them in halves.

    Raises:
        RecipeError: There is nothing to choose, or no image is left for validation.
    """
    if searches_in_supernet(recipe):
        if not parts.description.is_open:
            text = "the description leaves nothing to choose."
            raise RecipeError([Problem(path="space", text=text, hint="Train it: nascore evaluate.")])
        return facts.train
    held = validation_count(facts.train)
    if not held:
        text = f"{facts.train} training images are too few to hold some back for validation."
        raise RecipeError([Problem(path="dataset", text=text, hint="A growth run needs at least five.")])
    return facts.train - held


def _check_batches(recipe: Recipe, parts: SearchParts, images: int) -> None:
    training, demand = recipe.training, parts.trainer.demand
    supernet = searches_in_supernet(recipe)
    with collect_problems() as check:
        if supernet or parts.opened is not None:
            check(check_batch, "trainer.batch", demand.batch, images // 2 if demand.halves else images)
        check(
            check_batch, f"{recipe.training_group}.batch", training.batch, images // 2 if supernet else images
        )


def _check_memory(recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue) -> None:
    """Record the memory of the training steps of a run, and refuse steps that do not fit."""
    batch = parts.trainer.demand.batch
    steps = [
        search_step_memory(recipe, searched, batch, facts, catalogue)
        for searched in _searched_descriptions(recipe, parts)[:MOST_COUNTED]
    ]
    if steps:
        parts.steps["trainer.batch"] = max(steps, key=lambda step: step.size)
    found = parts.seeds[:MOST_COUNTED]
    if not parts.grows:
        found = tuple(
            check_first_candidates(one, catalogue, facts, recipe) for one in found or (parts.description,)
        )
    parts.steps |= training_step_memory(recipe, found, facts, catalogue)
    check_memory(parts.steps, device_for(recipe))


def _searched_descriptions(recipe: Recipe, parts: SearchParts) -> tuple[Description, ...]:
    """Return the open descriptions that a run searches, as far as they are known; none if all are closed.

    Of the second wave, only the first is known to be one of the run.
    """
    if searches_in_supernet(recipe):
        return (parts.description,)
    first = tuple(seed for seed in parts.seeds if seed.is_open)
    return first or (() if parts.opened is None else (parts.opened.description,))


def begin(  # noqa: PLR0913 - each by name
    recipe: Recipe,
    registry: Registry,
    dataset: Dataset,
    *,
    name: str,
    out: Path | None,
    observers: Iterable[Observer],
    begun: Begun | None = None,
) -> RunContext:
    """Create the folder of a run, and write the recipe, the environment and the warnings.

    Raises:
        RecipeError: The device does not exist.
        RunFolderError: The folder cannot be created or written to.
    """
    device = device_for(recipe)
    begun = begun or Begun()
    folder = begun.folder
    begun.control.waiting = True  # until the run has begun: its folder would have no name in the error
    try:
        if folder is None:
            folder = create(name, out=out)
            _write_beginning(folder, recipe, registry, dataset, name, device)
        else:
            folder.log(f"nascore {version('nascore')}: {name} resumes")
        return RunContext(
            recipe=recipe,
            catalogue=registry.operations(),
            executions=registry.executions(),
            dataset=dataset,
            task=build_task(recipe),
            device=device,
            folder=folder,
            gallery=GalleryFile.reopened(folder) if folder.resumed else GalleryFile(folder),
            observers=Observers(observers, folder.log, parts=recipe.parts.get("observer", ())),
            control=begun.control,
            plugins=begun.plugins,
            accepted=begun.accepted,
        )
    except BaseException as error:
        begun.control.waiting = False
        if folder is not None:
            record_failed_start(folder, recipe.part(RUN).name, error)
        raise


def _write_beginning(  # noqa: PLR0913, PLR0917 - all that a run says of itself
    folder: RunFolder, recipe: Recipe, registry: Registry, dataset: Dataset, name: str, device: torch.device
) -> None:
    """Write the recipe with its files and origins, the environment and the warnings."""
    folder.log(f"nascore {version('nascore')}: {name}")
    alike = without_executor(recipe)
    saved = saved_recipe(alike, registry)
    for file, text in saved.files.items():
        folder.text(file, text)
    folder.json(ORIGINS, plain_origins(alike))
    folder.document("recipe.yaml", saved.text)
    facts = dataset.facts
    versions = environment(
        kind=recipe.part(RUN).name,
        image=[facts.channels, facts.height, facts.width],
        device=device_name(device),
        threads=recipe.run.threads,
        **arithmetic(),
        brought=saved.plugins,
        data=data_fingerprint(dataset.train()),
        **_executor(recipe),
    )
    folder.json("environment.json", versions)
    for note in (*recipe.warned, *recipe.declined):
        folder.log(str(note))


def _executor(recipe: Recipe) -> dict[str, Any]:
    """Return the executor of a growth run for its environment, if it is not the default one."""
    parts = recipe.parts.get(EXECUTOR, ())
    chosen = any(part.chosen_by.kind != "default" for part in parts)
    return {"executor": plain_executor(recipe)} if chosen and not searches_in_supernet(recipe) else {}


def device_name(device: torch.device) -> str:
    """Return the name under which a run records its device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
