"""A search: in one supernet, or as growth over architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.description import derive, dump
from nascore.engine.build import build_search
from nascore.engine.derive import derived, empty_nodes, picks_of, prepared, undecided, unreached
from nascore.engine.device import computing
from nascore.engine.forward import measure
from nascore.engine.growth import grow
from nascore.engine.jobs import Job, figures_of, open_job, record_job, result_of, train_job
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import search_phase
from nascore.engine.proposals import searches_in_supernet
from nascore.engine.results import (
    explain_errors,
    learned_choices,
    record_epoch,
    record_result,
    save_job,
)
from nascore.engine.tricks import evaluated_network
from nascore.gallery import Gallery
from nascore.run import DERIVED, DESCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from nascore.contract import EpochReport, Observer, Phase, Score
    from nascore.description import Description
    from nascore.engine.build import Begun, Built
    from nascore.engine.factory import SearchParts
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.run_context import RunContext
    from nascore.plugin import Registry
    from nascore.recipe import Recipe


SEARCH, TRAIN = 1, 2
"""Numbers of the jobs of a search in a supernet."""


def search_supernet(context: RunContext, parts: SearchParts) -> Iterator[dict[str, Any]]:
    """Run a search in a supernet, then train its architecture; yields the result of the run.

    The architecture is trained on the first half of the training images and measured on the second.

    Raises:
        RunFailed: A loss is not finite.
    """
    guided = parts.updater.gradient is not None
    found = run_search_job(context, parts)
    del parts  # the supernet and its data must not stay in memory during the training
    job = Job(
        number=TRAIN,
        jobs=TRAIN,
        entry=1,
        description=prepared(found, context.recipe.training, context.facts),
        guided=guided,
    )
    progress = open_job(context, TRAIN, job.kind, jobs=TRAIN)
    network = None
    if progress.result is None:
        fit, held = context.halves()
        network = train_job(context, job, progress, fit=fit, held=held)
        context.control.jobs += 1
    gallery = record_job(context, progress, Gallery(), network)
    if network is not None:
        context.observers.notify("job_finished", progress.name, figures_of(gallery.best))
    yield result_of(gallery)


def run_search_job(context: RunContext, parts: SearchParts) -> Description:
    """Train weights and architecture parameters; returns the derived architecture, a closed description."""
    job = open_job(context, SEARCH, "search", jobs=TRAIN)
    if job.result is None:
        _search(context, parts, job)
        context.observers.notify("job_finished", job.name, job.result)
        context.control.jobs += 1
    result: dict[str, Any] = job.result or {}
    for text in result.get("warnings", ()):
        context.warn(text)
    picks = {name: [(row, column) for row, column in kept] for name, kept in result["picks"].items()}
    return derive(parts.description, picks)


def _search(context: RunContext, parts: SearchParts, job: JobProgress) -> None:
    job.folder.document(DESCRIPTION, dump(parts.description))
    streams = context.streams(SEARCH)
    phase = search_phase(context, parts, streams)
    steps = run_phase(
        phase,
        parts.trainer,
        context.observers,
        validate=_validation(context, phase),
        epoch_over=_each_epoch(context, parts, phase, job),
        job=job,
    )
    assert phase.search is not None
    picks = picks_of(parts.description, phase.search)
    open_questions = undecided(parts.description, phase.search, picks)
    found = derived(parts.description, phase.search, picks)
    job.warnings += [*unreached(phase.search), *open_questions, *empty_nodes(found)]
    result = {
        "steps": steps,
        "picks": {name: [list(pick) for pick in kept] for name, kept in picks.items()},
        "groups": learned_choices(phase.search),
    }
    save_job(job, phase.network, result)


def _each_epoch(
    context: RunContext, parts: SearchParts, phase: Phase, job: JobProgress
) -> Callable[[EpochReport], None]:
    def epoch_over(report: EpochReport) -> None:
        record_epoch(job, report)
        assert phase.search is not None
        found = derived(parts.description, phase.search)
        # A search that is stopped leaves the architecture so far.
        job.folder.try_document(DERIVED, dump(found))
        if report.step > phase.warm_up:
            # During the warm-up all candidates are equal, so the derived architecture means nothing.
            context.observers.notify("architecture_changed", found)

    return epoch_over


def _validation(context: RunContext, phase: Phase) -> Callable[[], tuple[Score, ...]] | None:
    """Return a function that measures the supernet; None if its weights are trained on all images."""
    held, search = phase.batches.get("architecture"), phase.search
    if held is None or search is None:
        return None
    examples = held.examples

    def validate() -> tuple[Score, ...]:
        mixture = search.expected()
        network = evaluated_network(phase, mixture)
        return measure(network, examples, context.facts, phase.streams, mixture, task=context.task)

    return validate


def search(  # noqa: PLR0913 - each by name
    recipe: Recipe,
    registry: Registry,
    *,
    out: Path | None = None,
    observers: Iterable[Observer] = (),
    built: Built | None = None,
    begun: Begun | None = None,
) -> Path:
    """Search for an architecture; returns the run's folder.

    Args:
        recipe: A settled recipe without refused problems.
        registry: The installed components.
        out: The folder of the run, new or empty; None: a new one in the folder of runs.
        observers: Observers of the run.
        built: The search of this recipe if it was built before; None: it is built now.
        begun: The control of the run, and the folder of a stopped run that is resumed.

    Raises:
        RecipeError: The recipe cannot be built.
        RunFolderError: The folder cannot be created.
        RunFailed: A loss is not finite; or, in an outer loop, no architecture could be trained.
    """
    run = search_supernet if searches_in_supernet(recipe) else grow
    with computing(recipe.run.threads), explain_errors():
        context, *parts = build_search(
            recipe, registry, out=out, observers=observers, built=built, begun=begun
        )
        with record_result(context, "search") as result:
            # The only reference to the parts is passed on, so that they do not stay in memory to the end.
            for figures in run(context, parts.pop()):
                result.update(figures)
    return context.folder.path
