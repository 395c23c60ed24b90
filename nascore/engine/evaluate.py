"""An evaluation: train one architecture from scratch on all training data, and test it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.description import dump
from nascore.engine.batches import check_batch, on
from nascore.engine.build import begin
from nascore.engine.data import check_facts, checked_data
from nascore.engine.device import computing
from nascore.engine.ending import concluding, within_memory
from nascore.engine.fitting import check_trained
from nascore.engine.making import made
from nascore.engine.measure import accuracy
from nascore.engine.results import costs_of, save_best, save_job
from nascore.engine.training import trained
from nascore.errors import RecipeError
from nascore.gallery import wilson
from nascore.nn.flow import check_gradients

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nascore.contract import DataFacts, Dataset, Observer
    from nascore.description import Description
    from nascore.engine.build import Live
    from nascore.engine.training import Trained
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

JOB = 1


def evaluate(
    description: Description,
    recipe: Recipe,
    registry: Registry,
    *,
    out: Path | None = None,
    observers: Iterable[Observer] = (),
) -> Path:
    """Train a closed description from scratch and test it once; returns the run's folder.

    Args:
        description: The architecture; width, depth and data are the recipe's.
        recipe: A settled recipe, of which the data set and the run's settings play a part.
        registry: What is installed.
        out: The run's folder, new or empty; None: a new one where runs are kept.
        observers: Who watches.

    Raises:
        RecipeError: The description still leaves a choice, or the recipe cannot be built.
        RunFolderError: The folder cannot be made.
        RunFailed: A loss is not finite.
    """
    if description.is_open:
        raise RecipeError("the description still leaves a choice: search first, evaluate what was found.")
    with computing(recipe.run.threads), within_memory():
        dataset: Dataset = made(recipe, "dataset")
        check_facts(recipe, dataset)
        ready = _planned(description, recipe, registry, dataset.facts)
        recipe = checked_data(recipe, dataset, test=True)
        name = f"evaluate-{recipe.part('dataset').name}_s{recipe.run.seed}"
        live = begin(recipe, registry, dataset, name=name, out=out, observers=observers)
        with concluding(live, "evaluate") as result:
            result.update(evaluate_job(live, ready))
    return live.folder.path


def _planned(description: Description, recipe: Recipe, registry: Registry, facts: DataFacts) -> Description:
    """Return the description as it is trained; refuse what could not be, with who asked for it."""
    training = recipe.run.training
    try:
        check_batch("training.batch", training.batch, facts.train)
        ready = check_trained(description, registry.operations(), facts, training)
        check_gradients(ready, registry.operations(), (facts.height, facts.width))
    except RecipeError as error:
        raise type(error)(recipe.placed(error.problems)) from error
    return ready


def evaluate_job(live: Live, description: Description) -> dict[str, Any]:
    """Train, test, and write what was found; returns the figures."""
    folder = live.folder.job(JOB, "train", seed=f"{live.recipe.run.seed}/{JOB}")
    folder.document("description.yaml", dump(description))
    live.watch.tell("job_started", folder.path.name, JOB, JOB)
    costs = costs_of(description, live.catalogue, live.facts)
    done = trained(live, description, live.train(), job=JOB)
    figures = {**_tested(live, done), "steps": done.steps, **costs}
    save_best(live, description, done.network, figures)
    save_job(folder, done.network, figures)
    live.watch.tell("job_finished", folder.path.name, figures)
    return {"architecture": "best/architecture.yaml", **figures}


def _tested(live: Live, done: Trained) -> dict[str, Any]:
    examples = on(live.dataset.test(), live.device)
    # Written before it is looked at, so that no way out of here leaves a look unrecorded.
    live.folder.change("test split opened", images=len(examples.labels))
    share = accuracy(done.network, examples, live.facts, done.streams)
    return {
        "test_accuracy": share,
        "test_count": len(examples.labels),
        "interval": list(wilson(share, len(examples.labels))),
        "test_opened": 1,
    }
