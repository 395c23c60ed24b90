"""The observer `terminal`: shows the progress of a run on stderr, as a live view or as lines."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from nascore.api import Observer, draw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from rich.console import ConsoleOptions, RenderResult

    from nascore.api import Description, EpochReport, SettledRecipe, StepReport
    from nascore.builtin.components import TerminalSettings

SIXTY = 60
REFRESHES_PER_SECOND = 4
EPOCHS_SEEN = 8
"""Number of lines of a terminal for the epochs above the bar."""

WARMING_UP = "warming up: no architecture is derived yet"


def terminal(settings: TerminalSettings) -> Observer:
    """Return the view that the settings name, or the view that suits stderr."""
    live = is_terminal() if settings.form == "auto" else settings.form == "live"
    return LiveView() if live else PlainView()


def is_terminal() -> bool:
    """Return whether stderr is a terminal that can show a live view."""
    # Not rich's is_terminal: FORCE_COLOR makes it true, and control characters would fill logs.
    return sys.stderr.isatty() and not Console(stderr=True).is_dumb_terminal


class Clock:
    """Measures the elapsed time of a run, and estimates the remaining time from earlier jobs."""

    def __init__(self) -> None:
        self._run = self._job = self._phase = monotonic()
        self._number, self._jobs = 1, 1
        self._steps = 0
        self._durations: list[float] = []

    def job(self, number: int, jobs: int) -> None:
        """Start a job."""
        self._number, self._jobs, self._job = number, jobs, monotonic()

    def phase(self, steps: int) -> None:
        """Start a phase."""
        self._steps, self._phase = steps, monotonic()

    def job_done(self) -> None:
        """Record the duration of the current job."""
        self._durations.append(monotonic() - self._job)

    def summary(self, step: int) -> str:
        """Return the elapsed time of the run, and the remaining time after `step` steps of a phase."""
        now = monotonic()
        elapsed = now - self._phase
        left = elapsed * (self._steps - step) / max(1, step)
        jobs_left = max(0, self._jobs - self._number)
        if jobs_left:
            # Later jobs take the mean time of the finished ones, or the estimate for the first job.
            durations = self._durations or [now - self._job + left]
            left += jobs_left * sum(durations) / len(durations)
        scope = "" if self._jobs else " in this job"
        return f"{span(now - self._run)} gone, {'about ' * bool(jobs_left)}{span(left)} left{scope}"


class PlainView(Observer):
    """Prints one line for each phase and each epoch, for logs."""

    def __init__(self) -> None:
        self._job = ""
        self._clock = Clock()

    def run_started(self, folder: Path, recipe: SettledRecipe) -> None:
        """Print the folder of the run."""
        del recipe
        click.echo(f"run: {folder}", err=True)

    def job_started(self, name: str, number: int, jobs: int) -> None:
        """Store the number of the job for the line of its phase."""
        del name
        self._job = place(number, jobs)
        self._clock.job(number, jobs)

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """Print the number of steps of the phase."""
        self._clock.phase(steps)
        click.echo(f"{self._job}{name}: {steps} steps, {steps_per_epoch} an epoch", err=True)

    def epoch_finished(self, report: EpochReport) -> None:
        """Print the figures of the epoch and the remaining time."""
        click.echo(f"{figures(report)}, {self._clock.summary(report.step)}", err=True)

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Record the duration of the job."""
        del name, result
        self._clock.job_done()


class LiveView(Observer):
    """Shows phase, progress, remaining time, figures, and the architecture derived so far.

    Each epoch stays as a line above the bar. The bar and the architecture disappear at the end of the run.
    """

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
        )
        self._clock = Clock()
        self._folder = ""
        self._job = ""
        self._time = ""
        self._step = ""
        self._cell = ""
        self._live: Live | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the current view; the drawing is cut so that epochs stay visible above the bar."""
        lines = [Text(line) for line in (f"run: {self._folder}", self._time, self._step) if line]
        yield Group(self._progress, *lines)
        height = sum(len(line.wrap(console, options.max_width)) for line in lines)
        room = console.height - height - EPOCHS_SEEN
        blocks = self._cell.rstrip().split("\n\n") if self._cell else []
        for number, block in enumerate(blocks):
            drawn = Text(f"{block}\n" if number + 1 < len(blocks) else block)
            room -= len(drawn.wrap(console, options.max_width))
            if number and room < 0:
                yield Text("...")
                return
            yield drawn

    def run_started(self, folder: Path, recipe: SettledRecipe) -> None:
        """Start the view with the folder of the run."""
        del recipe
        self._folder = str(folder)
        console = Console(stderr=True)
        self._live = Live(self, console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True)
        self._live.start()

    def job_started(self, name: str, number: int, jobs: int) -> None:
        """Store the number of the job for the bar of its phase."""
        del name
        self._job = place(number, jobs)
        self._clock.job(number, jobs)

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """Start a new bar."""
        del steps_per_epoch
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(f"{self._job}{name}", total=steps)
        self._clock.phase(steps)
        self._time = self._step = ""
        if self._cell == WARMING_UP:
            self._cell = ""

    def step_finished(self, report: StepReport) -> None:
        """Advance the bar."""
        for task in self._progress.task_ids:
            self._progress.update(task, completed=report.step + 1)
        self._time = self._clock.summary(report.step + 1)
        self._step = f"step {report.step + 1}: loss {report.loss:.3f}"
        if report.accuracy is not None:
            self._step += f", accuracy {report.accuracy:.1%}"
        elif report.score is not None:
            self._step += f", {report.metric.title} {report.metric.text(float(report.score))}"

    def epoch_finished(self, report: EpochReport) -> None:
        """Print the figures of the epoch above the bar, where they stay."""
        if self._live is not None:
            self._live.console.print(Text(f"{self._job}{figures(report)}"))
        learned = report.architecture_loss is not None
        if report.entropy and not learned and not self._cell:
            # A search draws the architecture after its first epoch of learning; a growth job never does.
            self._cell = WARMING_UP
        elif learned and self._cell == WARMING_UP:
            self._cell = ""

    def architecture_changed(self, description: Description) -> None:
        """Draw the architecture derived so far."""
        self._cell = draw(description)

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Remove the drawing of this job."""
        del name, result
        self._cell = ""
        self._clock.job_done()

    def run_ended(self) -> None:
        """Remove the bar and release the terminal."""
        if self._live is not None:
            self._live.stop()


def place(number: int, jobs: int) -> str:
    """Return the number of a job as a prefix for the name of a phase; empty if it is the only job.

    Args:
        number: Number of the job, from 1.
        jobs: Number of jobs; 0: unknown.
    """
    if not jobs:
        return f"job {number}, "
    return f"job {number} of {jobs}, " if jobs > 1 else ""


def figures(report: EpochReport) -> str:
    """Return the figures of an epoch on one line."""
    texts = [f"{report.phase} {report.epoch + 1}/{report.epochs}: loss {report.loss:.3f}"]
    if report.accuracy is not None:
        texts.append(f"accuracy {report.accuracy:.1%}")
    elif report.score is not None:
        texts.append(f"{report.metric.title} {report.metric.text(report.score)}")
    if report.architecture_loss is not None:
        texts.append(f"architecture loss {report.architecture_loss:.3f}")
    if report.validation_accuracy is not None:
        texts.append(f"validation {report.validation_accuracy:.1%} ({report.validation_count} images)")
    elif report.validation_score is not None:
        value = f"{report.metric.title} {report.metric.text(report.validation_score)}"
        texts.append(f"validation {value} ({report.validation_count} images)")
    if report.entropy:
        mean = sum(report.entropy.values()) / len(report.entropy)
        texts.append(f"entropy {mean:.2f}")
    return ", ".join(texts)


def span(seconds: float) -> str:
    """Return a duration as text: ``45 s``, ``3 min 20 s``, ``1 h 05 min``."""
    minutes, rest = divmod(round(seconds), SIXTY)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, SIXTY)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
