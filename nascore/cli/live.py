"""What a run shows while it goes on, on stderr: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from nascore.contract import Observer
from nascore.description import draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from nascore.contract import EpochReport, StepReport
    from nascore.description import Description
    from nascore.recipe import Recipe

SIXTY = 60
REFRESHES_PER_SECOND = 4


@contextmanager
def watching() -> Iterator[Observer]:
    """Give the observer that suits stderr, for as long as a run lasts."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainView()
        return
    view = LiveView()
    # What the view shows is no result: it is wiped when the run is over.
    with Live(view, console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True):
        yield view


class PlainView(Observer):
    """One line a phase and one an epoch, for logs."""

    def __init__(self) -> None:
        self._steps = 0
        self._began = 0.0

    def run_started(self, folder: Path, recipe: Recipe) -> None:
        """Say where the run is written."""
        del recipe
        click.echo(f"run: {folder}", err=True)

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """Say how long the phase is."""
        self._steps, self._began = steps, monotonic()
        click.echo(f"{name}: {steps} steps, {steps_per_epoch} an epoch", err=True)

    def epoch_finished(self, report: EpochReport) -> None:
        """Say what the epoch gave, and how much time is left."""
        left = (monotonic() - self._began) * (self._steps - report.step) / max(1, report.step)
        click.echo(f"{figures(report)}, {span(left)} left", err=True)


class LiveView(Observer):
    """Phase, progress with the time left, figures, and what would be derived now."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        )
        self._folder = ""
        self._last = ""
        self._step = ""
        self._cell = ""

    def __rich__(self) -> Group:
        """Return the view as it is now."""
        parts = [f"run: {self._folder}", self._last, self._step, self._cell]
        return Group(self._progress, *(Text(part) for part in parts if part))

    def run_started(self, folder: Path, recipe: Recipe) -> None:
        """Show where the run is written."""
        del recipe
        self._folder = str(folder)

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """Begin a bar."""
        del steps_per_epoch
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(name, total=steps)
        self._last = self._step = ""

    def step_finished(self, report: StepReport) -> None:
        """Move the bar."""
        for task in self._progress.task_ids:
            self._progress.update(task, completed=report.step + 1)
        self._step = f"step {report.step + 1}: loss {report.loss:.3f}"
        if report.accuracy is not None:
            self._step += f", accuracy {report.accuracy:.1%}"

    def epoch_finished(self, report: EpochReport) -> None:
        """Show what the epoch gave."""
        self._last = figures(report)

    def architecture_changed(self, description: Description) -> None:
        """Draw the best cell so far."""
        self._cell = draw(description)

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Take away what was of this job only."""
        del name, result
        self._cell = ""


def figures(report: EpochReport) -> str:
    """Return what an epoch gave, in one line."""
    said = [f"{report.phase} {report.epoch + 1}/{report.epochs}: loss {report.loss:.3f}"]
    if report.accuracy is not None:
        said.append(f"accuracy {report.accuracy:.1%}")
    if report.architecture_loss is not None:
        said.append(f"architecture loss {report.architecture_loss:.3f}")
    if report.validation_accuracy is not None:
        said.append(f"validation {report.validation_accuracy:.1%} of {report.validation_count}")
    if report.entropy:
        mean = sum(report.entropy.values()) / len(report.entropy)
        said.append(f"entropy {mean:.2f}")
    return ", ".join(said)


def span(seconds: float) -> str:
    """Return a length of time as it is read: ``45 s``, ``3 min 20 s``, ``1 h 05 min``."""
    minutes, rest = divmod(round(seconds), SIXTY)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, SIXTY)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
