"""A search: in one supernet, or as growth over architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.description import derive, dump
from nascore.engine.build import build_search
from nascore.engine.derive import derived, empty_nodes, picks_of, prepared, undecided, unreached
from nascore.engine.device import computing
from nascore.engine.forward import accuracy
from nascore.engine.growth import grow
from nascore.engine.initial_architectures import searches_in_supernet
from nascore.engine.jobs import Job, open_job, record_job, result_of, train_job
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import search_phase
from nascore.engine.results import (
    explain_memory_errors,
    learned_choices,
    record_epoch,
    record_result,
    save_job,
)
from nascore.gallery import Gallery
from nascore.run import DERIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from nascore.contract import EpochReport, Observer, Phase
    from nascore.description import Description
    from nascore.engine.build import Built
    from nascore.engine.factory import SearchParts
    from nascore.engine.run_context import RunContext
    from nascore.plugin import Registry
    from nascore.recipe import Recipe
    from nascore.run import RunFolder


SEARCH, TRAIN = 1, 2
"""Numbers of the jobs."""


def search_supernet(context: RunContext, parts: SearchParts) -> Iterator[dict[str, Any]]:
    """Run a search in a supernet to its end; yields what the run's result says then.

    The architecture is trained on the first half of the data and measured on the second.

    Raises:
        RunFailed: A loss is not finite.
    """
    guided = parts.updater.gradient is not None
    found = run_search_job(context, parts)
    del parts  # the supernet and its data must not stay in memory beside what comes next
    fit, held = context.halves()
    ready = prepared(found, context.recipe.run.training, context.facts)
    job = Job(number=TRAIN, jobs=TRAIN, entry=1, description=ready, guided=guided)
    folder = open_job(context, job)
    done = train_job(context, job, folder, fit=fit, held=held)
    yield result_of(record_job(context, job, folder, Gallery(), done))


def run_search_job(context: RunContext, parts: SearchParts) -> Description:
    """Train weights and choices together; returns the architecture that was chosen, a closed description."""
    folder = context.folder.job(SEARCH, "search", seed=f"{context.recipe.run.seed}/{SEARCH}")
    folder.document("description.yaml", dump(parts.description))
    context.observers.notify("job_started", folder.path.name, SEARCH, TRAIN)
    streams = context.streams(SEARCH)
    phase = search_phase(context, parts, streams)
    epoch_over = _each_epoch(context, parts, phase, folder)
    steps = run_phase(
        phase, parts.trainer, context.observers, validate=_validation(context, phase), epoch_over=epoch_over
    )
    assert phase.search is not None
    picks = picks_of(parts.description, phase.search)
    result = {
        "steps": steps,
        "picks": {name: [list(pick) for pick in kept] for name, kept in picks.items()},
        "groups": learned_choices(phase.search),
    }
    save_job(folder, phase.network, result)
    found = derive(parts.description, picks)
    open_questions = undecided(parts.description, phase.search, picks)
    for text in (*unreached(phase.search), *open_questions, *empty_nodes(found)):
        context.warn(text)
    context.observers.notify("job_finished", folder.path.name, result)
    return found


def _each_epoch(
    context: RunContext, parts: SearchParts, phase: Phase, folder: RunFolder
) -> Callable[[EpochReport], None]:
    def epoch_over(report: EpochReport) -> None:
        record_epoch(context, SEARCH, report)
        assert phase.search is not None
        found = derived(parts.description, phase.search)
        # Kept for who stops the search, or whose search is stopped: it is what was learned so far.
        folder.document(DERIVED, dump(found))
        if report.step > phase.warm_up:
            # Before, nothing was learned of the choices: what would be derived is the first of equals.
            context.observers.notify("architecture_changed", found)

    return epoch_over


def _validation(context: RunContext, phase: Phase) -> Callable[[], tuple[float, int]] | None:
    """Return how the supernet is measured; None where its weights have seen all the data."""
    held, search = phase.batches.get("architecture"), phase.search
    if held is None or search is None:
        return None
    examples = held.examples

    def validate() -> tuple[float, int]:
        share = accuracy(phase.network, examples, context.facts, phase.streams, search.expected())
        return share, len(examples.labels)

    return validate


def search(
    recipe: Recipe,
    registry: Registry,
    *,
    out: Path | None = None,
    observers: Iterable[Observer] = (),
    built: Built | None = None,
) -> Path:
    """Search for an architecture; returns the run's folder.

    Args:
        recipe: A settled recipe without refused problems.
        registry: What is installed.
        out: The run's folder, new or empty; None: a new one where runs are kept.
        observers: Who watches.
        built: What was built of this recipe before; None: it is built now.

    Raises:
        RecipeError: The recipe cannot be built.
        RunFolderError: The folder cannot be made.
        RunFailed: A loss is not finite; or, in an outer loop, no architecture could be trained.
    """
    way = search_supernet if searches_in_supernet(recipe) else grow
    with computing(recipe.run.threads), explain_memory_errors():
        context, *parts = build_search(recipe, registry, out=out, observers=observers, built=built)
        with record_result(context, "search") as result:
            # The parts are handed over, not kept: what comes of them must not stay in memory to the end.
            for known in way(context, parts.pop()):
                result.update(known)
    return context.folder.path
