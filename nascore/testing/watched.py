"""What an observer is told in a run, in the order in which the engine tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.builtin.settings import TinySettings
from nascore.builtin.spaces import Tiny
from nascore.contract import DataFacts, EpochReport, StepReport
from nascore.description import choose, derive, expand
from nascore.recipe import Request, settled

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.description import Description
    from nascore.plugin import Registry

Event = tuple[str, tuple[Any, ...]]
"""Name of a method, and what it is called with."""

STEPS: Final = 4
STEPS_PER_EPOCH: Final = 2
RESULT: Final = {"status": "done", "validation_accuracy": 0.5, "interval": [0.4, 0.6], "params": 100}


def events(registry: Registry, folder: Path) -> list[Event]:
    """Return what a search tells, but for its end: two jobs, of which the second has fewer figures.

    Args:
        registry: What is installed.
        folder: The run's folder.
    """
    parts = {"space": ["builtin:tiny"], "updater": ["builtin:uniform"], "dataset": ["builtin:synthetic"]}
    recipe = settled(Request(names={**parts, "observer": ["none"]}, scale="mini"), registry)
    told: list[Event] = [("run_started", (folder, recipe))]
    for number, (job, phase) in enumerate((("001-search", "search"), ("002-train", "train")), start=1):
        searching = phase == "search"
        told += [("job_started", (job, number, 2)), ("phase_started", (phase, STEPS, STEPS_PER_EPOCH))]
        for step in range(STEPS):
            told.append(("step_finished", (_step(step, searching=searching),)))
            if (step + 1) % STEPS_PER_EPOCH == 0:
                told.append(("epoch_finished", (_epoch(phase, step + 1, searching=searching),)))
                if searching:
                    told.append(("architecture_changed", (architecture(),)))
        told.append(("job_finished", (job, dict(RESULT))))
    return [*told, ("run_finished", (folder, dict(RESULT)))]


def architecture() -> Description:
    """Return a closed description."""
    facts = DataFacts(channels=1, height=8, width=8, classes=3, train=60, test=12, mean=(0.5,), std=(0.25,))
    space = Tiny(TinySettings()).describe(facts)
    groups = expand(space).layouts
    strength = {name: [[1.0] * len(one.ops) for _ in one.rows] for name, one in groups.items()}
    return derive(space, choose(space, strength))


def _step(step: int, *, searching: bool) -> StepReport:
    if not searching:
        return StepReport(step=step, loss=1.5)
    return StepReport(step=step, loss=1.5, architecture_loss=1.4, accuracy=0.5, lr=0.025)


def _epoch(phase: str, step: int, *, searching: bool) -> EpochReport:
    return EpochReport(
        phase=phase,
        epoch=step // STEPS_PER_EPOCH - 1,
        epochs=STEPS // STEPS_PER_EPOCH,
        step=step,
        loss=1.5,
        accuracy=0.5 if searching else None,
        architecture_loss=1.4 if searching else None,
        validation_accuracy=0.5 if searching else None,
        validation_count=30 if searching else None,
        lr=0.025 if searching else None,
        entropy={"cell": 1.2} if searching else {},
        seconds=0.1,
    )
