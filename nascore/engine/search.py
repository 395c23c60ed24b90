"""A search: choose an architecture in a supernet, then train it briefly to know what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.description import derive, dump
from nascore.engine.build import build_search
from nascore.engine.derive import derived, picks_of, prepared
from nascore.engine.device import computing
from nascore.engine.ending import concluding
from nascore.engine.loop import run_phase
from nascore.engine.measure import accuracy
from nascore.engine.phases import search_phase
from nascore.engine.results import costs_of, learned, record_epoch, save_best, save_job
from nascore.engine.training import trained
from nascore.gallery import Entry, Gallery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from torch.nn import Module

    from nascore.contract import EpochReport, Observer
    from nascore.description import Description
    from nascore.engine.build import Live, Parts
    from nascore.engine.phase import Phase
    from nascore.engine.streams import Streams
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

SEARCH, TRAIN = 1, 2
"""Numbers of the jobs of a search without growth."""


def search(
    recipe: Recipe, registry: Registry, *, out: Path | None = None, observers: Iterable[Observer] = ()
) -> Path:
    """Search for an architecture; returns the run's folder.

    Args:
        recipe: A settled recipe without refused problems.
        registry: What is installed.
        out: The run's folder, new or empty; None: a new one where runs are kept.
        observers: Who watches.

    Raises:
        RecipeError: The recipe cannot be built.
        RunFolderError: The folder cannot be made.
        RunFailed: A loss is not finite.
    """
    with computing(recipe.run.threads):
        live, *parts = build_search(recipe, registry, out=out, observers=observers)
        with concluding(live, "search") as result:
            # Handed over, not kept: the supernet and its data must not stay in memory beside what comes next.
            found = search_job(live, parts.pop())
            entry = train_job(live, found)
            result.update(_result(entry))
    return live.folder.path


def search_job(live: Live, parts: Parts) -> Description:
    """Train weights and choices together; returns the architecture that was chosen, a closed description."""
    folder = live.folder.job(SEARCH, "search", seed=f"{live.recipe.run.seed}/{SEARCH}")
    folder.text("description.yaml", dump(parts.description))
    streams = live.streams(SEARCH)
    phase = search_phase(live, parts, streams)
    epoch_over = _each_epoch(live, parts, phase)
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
    live.watch.tell("job_finished", folder.path.name, result)
    return derive(parts.description, picks)


def train_job(live: Live, found: Description) -> Entry:
    """Train the architecture on the first half of the data, measure it on the second, and keep it."""
    training = live.recipe.run.training
    description = prepared(found, training, live.facts)
    folder = live.folder.job(TRAIN, "train", seed=f"{live.recipe.run.seed}/{TRAIN}")
    folder.text("description.yaml", dump(description))
    fit, held = live.halves()

    def validate(network: Module, streams: Streams) -> tuple[float, int]:
        return accuracy(network, held, live.facts, streams), len(held.labels)

    done = trained(live, description, fit, job=TRAIN, validate=validate)
    share, count = validate(done.network, done.streams)
    entry = Entry(
        id=1,
        description="architectures/0001.yaml",
        weights=f"jobs/{folder.path.name}/weights.safetensors",
        error=1 - share,
        count=count,
        costs=costs_of(description, live.catalogue, live.facts),
        steps=done.steps,
    )
    live.folder.text(entry.description, dump(description))
    save_best(live, description, done.network, _figures(entry))
    save_job(folder, done.network, _figures(entry))
    live.folder.text("gallery.json", Gallery((entry,)).to_json())
    live.watch.tell("job_finished", folder.path.name, _figures(entry))
    return entry


def _each_epoch(live: Live, parts: Parts, phase: Phase) -> Callable[[EpochReport], None]:
    def epoch_over(report: EpochReport) -> None:
        record_epoch(live, SEARCH, report)
        assert phase.search is not None
        live.watch.tell("architecture_changed", derived(parts.description, phase.search))

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


def _figures(entry: Entry) -> dict[str, Any]:
    low, high = entry.interval
    return {
        "validation_accuracy": entry.accuracy,
        "validation_count": entry.count,
        "interval": [1 - high, 1 - low],
        "steps": entry.steps,
        **entry.costs,
    }


def _result(entry: Entry) -> dict[str, Any]:
    files = {"architecture": "best/architecture.yaml", "gallery": "gallery.json"}
    return {**files, "best": entry.id, **_figures(entry)}
