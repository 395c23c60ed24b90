"""The evaluation: trains one architecture and measures it, by default on the test images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.description import dump, fingerprint
from nascore.engine.batches import check_batch, validation_count
from nascore.engine.build import begin
from nascore.engine.data_checks import check_data, check_facts, data_fingerprint
from nascore.engine.device import computing, device_for
from nascore.engine.factory import build_component
from nascore.engine.forward import measure
from nascore.engine.initial_weights import with_initial_weights
from nascore.engine.jobs import open_job
from nascore.engine.memory import check_memory, training_step_memory, with_memory_warnings
from nascore.engine.network_checks import check_first_candidates, collect_problems
from nascore.engine.rehearsal import rehearse_training
from nascore.engine.results import costs_of, explain_errors, record_result, save_best, save_job
from nascore.engine.training import TRAIN, train_network
from nascore.errors import Problem, RecipeError
from nascore.gallery import figures_of_scores
from nascore.nn.shapes import check_gradients
from nascore.recipe.sources.run_settings import VALIDATION
from nascore.run import CHANGES, DESCRIPTION, GIVEN, OPENED, lines_of, openings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import DataFacts, Dataset, Observer, Score
    from nascore.description import Catalogue, Description
    from nascore.engine.build import Begun
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.run_context import RunContext
    from nascore.engine.streams import Streams
    from nascore.engine.training import TrainedNetwork
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

JOB = 1
NAMED: Final = 3
"""Number of runs that a warning names."""


def evaluate(  # noqa: PLR0913 - each by name
    description: Description,
    recipe: Recipe,
    registry: Registry,
    *,
    out: Path | None = None,
    observers: Iterable[Observer] = (),
    near: Iterable[Path] = (),
    begun: Begun | None = None,
) -> Path:
    """Train a closed description, by default from scratch, and measure it once; returns the run's folder.

    Args:
        description: The architecture; the recipe sets width, depth and data.
        recipe: A settled recipe; only its data set and the settings of the run are used.
        registry: The installed components.
        out: The folder of the run, new or empty; None: a new one in the folder of runs.
        observers: Observers of the run.
        near: Runs, such as the search that found the architecture, whose parent folders may contain earlier
            evaluations of it.
        begun: The control of the run, and the folder of a stopped run that is resumed.

    Raises:
        RecipeError: The description is open, or the recipe cannot be built.
        RunFolderError: The folder cannot be created.
        RunFailed: A loss is not finite.
    """
    if description.is_open:
        raise RecipeError("the description is open: search first, then evaluate the architecture found.")
    with computing(recipe.run.threads), explain_errors():
        dataset: Dataset = build_component(recipe, "dataset")
        check_facts(recipe, dataset)
        ready = _planned(description, recipe, registry, dataset.facts)
        steps = training_step_memory(recipe, [ready], dataset.facts, registry.operations())
        recipe = with_memory_warnings(recipe, steps)
        recipe, weights = _with_weights(recipe, ready, registry)
        recipe = check_data(recipe, dataset, test=opens_test(recipe))
        name = f"evaluate-{recipe.part('dataset').name}_s{recipe.run.seed}"
        context = begin(recipe, registry, dataset, name=name, out=out, observers=observers, begun=begun)
        context.weights = weights
        with record_result(context, "evaluate") as result:
            if not context.folder.resumed:
                context.folder.document(GIVEN, dump(description))
            # Of the argument too: the same architecture in another width or depth.
            fingerprints = sorted({fingerprint(description), fingerprint(ready)})
            result.update(evaluate_job(context, ready, fingerprints, near))
    return context.folder.path


def opens_test(recipe: Recipe) -> bool:
    """Return whether the evaluation of a recipe opens the test images; else it holds training images back."""
    return bool(recipe.run.measure != VALIDATION)


def check_evaluation(
    recipe: Recipe, descriptions: Iterable[Description], catalogue: Catalogue, facts: DataFacts
) -> list[Description]:
    """Return architectures in the form in which an evaluation trains them.

    Args:
        recipe: The recipe of the evaluation.
        descriptions: Closed descriptions, or open ones whose architectures will be evaluated.
        catalogue: The operations.
        facts: Facts of the data set.

    Raises:
        RecipeError: With every reason why one of them cannot be trained.
    """
    ready: list[Description] = []
    with collect_problems() as check:
        check(_check_count, recipe, facts)
        check(rehearse_training, recipe, facts)
        for one in descriptions:
            check(lambda one=one: ready.append(check_first_candidates(one, catalogue, facts, recipe)))
        check(check_memory, training_step_memory(recipe, ready, facts, catalogue), device_for(recipe))
    return ready


def _check_count(recipe: Recipe, facts: DataFacts) -> None:
    """Refuse a batch that is larger than the number of images for training.

    Raises:
        RecipeError: It is larger, or no image is left for validation.
    """
    images = facts.train
    if not opens_test(recipe):
        held = validation_count(images)
        if not held:
            text = f"{images} training images are too few to hold some back for validation."
            raise RecipeError([Problem(path="measure", text=text, hint="Validation needs at least five.")])
        images -= held
    check_batch("training.batch", recipe.training.batch, images)


def _planned(description: Description, recipe: Recipe, registry: Registry, facts: DataFacts) -> Description:
    """Return the description in the form in which it is trained, with origins for its problems.

    Raises:
        RecipeError: It cannot be trained.
    """
    try:
        (ready,) = check_evaluation(recipe, (description,), registry.operations(), facts)
        check_gradients(ready, registry.operations(), (facts.height, facts.width))
    except RecipeError as error:
        raise type(error)(recipe.with_origins(error.problems)) from error
    return ready


def _with_weights(
    recipe: Recipe, description: Description, registry: Registry
) -> tuple[Recipe, Mapping[str, Tensor]]:
    """Return the recipe and the initial weights of its file, with origins for problems.

    Raises:
        RecipeError: The file does not fit.
    """
    try:
        return with_initial_weights(recipe, description, registry.operations())
    except RecipeError as error:
        raise type(error)(recipe.with_origins(error.problems)) from error


def evaluate_job(
    context: RunContext, description: Description, fingerprints: Sequence[str], near: Iterable[Path]
) -> dict[str, Any]:
    """Train, measure, and write the results; returns the figures.

    Args:
        context: The run.
        description: The architecture in the form in which it is trained.
        fingerprints: Its fingerprints, before and after scaling.
        near: Runs whose parent folders may contain earlier evaluations of it.
    """
    job = open_job(context, JOB, TRAIN, jobs=JOB)
    if job.result is None:
        job.folder.document(DESCRIPTION, dump(description))
        costs = costs_of(description, context.catalogue, context.facts)
        done, measured = _trained(context, description, fingerprints, near, job)
        figures = {**measured, "steps": done.steps, **costs}
        save_best(context, description, done.network, figures)
        save_job(job, done.network, figures)
        context.observers.notify("job_finished", job.name, figures)
        context.control.jobs += 1
    result: dict[str, Any] = dict(job.result or {})
    for text in result.pop("warnings", ()):
        context.warn(text)
    return {"architecture": "best/architecture.yaml", **result}


def _trained(
    context: RunContext,
    description: Description,
    fingerprints: Sequence[str],
    near: Iterable[Path],
    job: JobProgress,
) -> tuple[TrainedNetwork, dict[str, Any]]:
    """Return the trained network and its scores, on the test images or on those that are held back."""
    if opens_test(context.recipe):
        done = train_network(context, description, context.train(), job=job)
        return done, _tested(context, done, fingerprints, near, job)
    fit, held = context.fit_and_validation()
    measured: list[tuple[Score, ...]] = []

    def validate(network: Module, streams: Streams) -> tuple[Score, ...]:
        measured[:] = [measure(network, held, context.facts, streams, task=context.task)]
        return measured[0]

    done = train_network(context, description, fit, job=job, validate=validate)
    if not measured:  # the last epoch was over before the run was resumed
        validate(done.network, done.streams)
    return done, figures_of_scores(measured[0], VALIDATION)


def _tested(
    context: RunContext,
    done: TrainedNetwork,
    fingerprints: Sequence[str],
    near: Iterable[Path],
    job: JobProgress,
) -> dict[str, Any]:
    examples = context.test()
    data = data_fingerprint(context.dataset.test())
    before = openings(context.folder.path, fingerprints, data, near=near)
    if before.found:
        job.warnings.append(_seen_before(before.found))
    if before.unread:
        job.warnings.append(_unread(before.unread))
    # Recorded before the test, so that a run that fails here cannot hide a test.
    if not _opened_before(context):
        context.folder.change(OPENED, images=len(examples), architecture=list(fingerprints), data=data)
    scores = measure(done.network, examples, context.facts, done.streams, task=context.task)
    return {**figures_of_scores(scores, "test"), "test_opened": len(before.found) + 1}


def _opened_before(context: RunContext) -> bool:
    """Say whether this run opened the test images before it went on."""
    changes = lines_of(context.folder / CHANGES) if context.folder.resumed else ()
    return any(line.get("event") == OPENED for line in changes)


def _seen_before(before: Sequence[Path]) -> str:
    times = "once" if len(before) == 1 else f"{len(before)} times"
    return (
        f"this architecture was tested on these images {times} before ({_named(before)}): "
        "the best of several tests does not estimate the accuracy on unseen images"
    )


def _unread(runs: Sequence[Path]) -> str:
    which = "a run" if len(runs) == 1 else f"{len(runs)} runs"
    place = f"{CHANGES} of {which} ({_named(runs)})"
    return f"{place} cannot be read: a test of this architecture there is not counted"


def _named(runs: Sequence[Path]) -> str:
    folders = [str(path) for path in dict.fromkeys(runs)]
    return ", ".join(folders[:NAMED]) + (f" and {len(folders) - NAMED} more" if len(folders) > NAMED else "")
