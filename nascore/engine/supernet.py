"""A search in one supernet: choose an architecture there, then train it briefly to know what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.description import derive, dump
from nascore.engine.derive import derived, picks_of, prepared
from nascore.engine.jobs import Job, keep_job, open_job, result_of, train_job
from nascore.engine.loop import run_phase
from nascore.engine.measure import accuracy
from nascore.engine.phases import search_phase
from nascore.engine.results import learned, record_epoch, save_job
from nascore.engine.undecided import empty_nodes, undecided, unreached
from nascore.gallery import Gallery
from nascore.run import DERIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nascore.contract import EpochReport
    from nascore.description import Description
    from nascore.engine.build import Live, Parts
    from nascore.engine.phase import Phase
    from nascore.run import RunFolder

SEARCH, TRAIN = 1, 2
"""Numbers of the jobs."""


def search_supernet(live: Live, parts: Parts) -> Iterator[dict[str, Any]]:
    """Run a search in a supernet to its end; yields what the run's result says then.

    The architecture is trained on the first half of the data and measured on the second.

    Raises:
        RunFailed: A loss is not finite.
    """
    guided = parts.updater.gradient is not None
    found = search_job(live, parts)
    del parts  # the supernet and its data must not stay in memory beside what comes next
    fit, held = live.halves()
    ready = prepared(found, live.recipe.run.training, live.facts)
    job = Job(number=TRAIN, jobs=TRAIN, entry=1, description=ready, guided=guided)
    folder = open_job(live, job)
    done = train_job(live, job, folder, fit=fit, held=held)
    yield result_of(keep_job(live, job, folder, Gallery(), done))


def search_job(live: Live, parts: Parts) -> Description:
    """Train weights and choices together; returns the architecture that was chosen, a closed description."""
    folder = live.folder.job(SEARCH, "search", seed=f"{live.recipe.run.seed}/{SEARCH}")
    folder.document("description.yaml", dump(parts.description))
    live.watch.tell("job_started", folder.path.name, SEARCH, TRAIN)
    streams = live.streams(SEARCH)
    phase = search_phase(live, parts, streams)
    epoch_over = _each_epoch(live, parts, phase, folder)
    steps = run_phase(
        phase, parts.trainer, live.watch, validate=_validation(live, phase), epoch_over=epoch_over
    )
    assert phase.search is not None
    picks = picks_of(parts.description, phase.search)
    result = {
        "steps": steps,
        "picks": {name: [list(pick) for pick in kept] for name, kept in picks.items()},
        "groups": learned(phase.search),
    }
    save_job(folder, phase.network, result)
    found = derive(parts.description, picks)
    open_questions = undecided(parts.description, phase.search, picks)
    for text in (*unreached(phase.search), *open_questions, *empty_nodes(found)):
        live.warn(text)
    live.watch.tell("job_finished", folder.path.name, result)
    return found


def _each_epoch(live: Live, parts: Parts, phase: Phase, folder: RunFolder) -> Callable[[EpochReport], None]:
    def epoch_over(report: EpochReport) -> None:
        record_epoch(live, SEARCH, report)
        assert phase.search is not None
        found = derived(parts.description, phase.search)
        # Kept for who stops the search, or whose search is stopped: it is what was learned so far.
        folder.document(DERIVED, dump(found))
        if report.step > phase.warm_up:
            # Before, nothing was learned of the choices: what would be derived is the first of equals.
            live.watch.tell("architecture_changed", found)

    return epoch_over


def _validation(live: Live, phase: Phase) -> Callable[[], tuple[float, int]] | None:
    """Return how the supernet is measured; None where its weights have seen all the data."""
    held, search = phase.batches.get("architecture"), phase.search
    if held is None or search is None:
        return None
    examples = held.examples

    def validate() -> tuple[float, int]:
        share = accuracy(phase.network, examples, live.facts, phase.streams, search.expected())
        return share, len(examples.labels)

    return validate
