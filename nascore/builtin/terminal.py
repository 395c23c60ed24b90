"""The observer `terminal`: shows a run on stderr, live or as lines."""

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
"""Lines of a terminal that are left to the epochs above the bar."""

WARMING_UP = "warming up: no architecture is derived yet"


def terminal(settings: TerminalSettings) -> Observer:
    """Return the view that the settings ask for, or that suits stderr."""
    live = is_terminal() if settings.form == "auto" else settings.form == "live"
    return LiveView() if live else PlainView()


def is_terminal() -> bool:
    """Say whether stderr is a terminal in which a view can be drawn again and again."""
    # Not rich's own answer: FORCE_COLOR, which asks for colour, would fill logs with control characters.
    return sys.stderr.isatty() and not Console(stderr=True).is_dumb_terminal


class Clock:
    """How long a run has taken, and how long it may still take: estimated from the jobs before."""

    def __init__(self) -> None:
        self._run = self._job = self._phase = monotonic()
        self._number, self._jobs = 1, 1
        self._steps = 0
        self._took: list[float] = []

    def job(self, number: int, jobs: int) -> None:
        """Begin a job."""
        self._number, self._jobs, self._job = number, jobs, monotonic()

    def phase(self, steps: int) -> None:
        """Begin a phase."""
        self._steps, self._phase = steps, monotonic()

    def job_done(self) -> None:
        """Keep how long a job took."""
        self._took.append(monotonic() - self._job)

    def said(self, step: int) -> str:
        """Return the time since the run began, and the time that is left after so many steps of a phase."""
        now = monotonic()
        gone = now - self._phase
        left = gone * (self._steps - step) / max(1, step)
        to_come = max(0, self._jobs - self._number)
        if to_come:
            # A job that has not begun takes as long as those before; the first is measured by itself.
            took = self._took or [now - self._job + left]
            left += to_come * sum(took) / len(took)
        more = "" if self._jobs else " in this job"
        return f"{span(now - self._run)} gone, {'about ' * bool(to_come)}{span(left)} left{more}"


class PlainView(Observer):
    """One line a phase and one an epoch, for logs."""

    def __init__(self) -> None:
        self._job = ""
        self._clock = Clock()

    def run_started(self, folder: Path, recipe: SettledRecipe) -> None:
        """Say where the run is written."""
        del recipe
        click.echo(f"run: {folder}", err=True)

    def job_started(self, name: str, number: int, jobs: int) -> None:
        """Keep which job it is, for the line of its phase."""
        del name
        self._job = place(number, jobs)
        self._clock.job(number, jobs)

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """Say how long the phase is."""
        self._clock.phase(steps)
        click.echo(f"{self._job}{name}: {steps} steps, {steps_per_epoch} an epoch", err=True)

    def epoch_finished(self, report: EpochReport) -> None:
        """Say what the epoch gave, and how much time is left."""
        click.echo(f"{figures(report)}, {self._clock.said(report.step)}", err=True)

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Keep how long the job took."""
        del name, result
        self._clock.job_done()


class LiveView(Observer):
    """Phase, progress with the time left, figures, and what would be derived now.

    Each epoch stays as a line above the bar. The bar and the cell are no result: they are wiped when
    the run is over.
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
        """Yield the view as it is now; of the drawing as much as leaves epochs to be seen above the bar."""
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
        """Begin to show, first of all where the run is written."""
        del recipe
        self._folder = str(folder)
        console = Console(stderr=True)
        self._live = Live(self, console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True)
        self._live.start()

    def job_started(self, name: str, number: int, jobs: int) -> None:
        """Keep which job it is, for the bar of its phase."""
        del name
        self._job = place(number, jobs)
        self._clock.job(number, jobs)

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """Begin a bar."""
        del steps_per_epoch
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(f"{self._job}{name}", total=steps)
        self._clock.phase(steps)
        self._time = self._step = ""
        if self._cell == WARMING_UP:
            self._cell = ""

    def step_finished(self, report: StepReport) -> None:
        """Move the bar."""
        for task in self._progress.task_ids:
            self._progress.update(task, completed=report.step + 1)
        self._time = self._clock.said(report.step + 1)
        self._step = f"step {report.step + 1}: loss {report.loss:.3f}"
        if report.accuracy is not None:
            self._step += f", accuracy {report.accuracy:.1%}"

    def epoch_finished(self, report: EpochReport) -> None:
        """Print what the epoch gave, above the bar; it stays there."""
        if self._live is not None:
            self._live.console.print(Text(f"{self._job}{figures(report)}"))
        learned = report.architecture_loss is not None
        if report.entropy and not learned and not self._cell:
            # The first epoch that learns choices is followed by a drawing; in a growth's search by none.
            self._cell = WARMING_UP
        elif learned and self._cell == WARMING_UP:
            self._cell = ""

    def architecture_changed(self, description: Description) -> None:
        """Draw the best cell so far."""
        self._cell = draw(description)

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Take away what was of this job only."""
        del name, result
        self._cell = ""
        self._clock.job_done()

    def run_ended(self) -> None:
        """Wipe the bar and give the terminal back."""
        if self._live is not None:
            self._live.stop()


def place(number: int, jobs: int) -> str:
    """Return which job it is, to stand before the name of a phase; empty for the only one.

    Of how many is not known (0) where a job makes what later ones begin with.
    """
    if not jobs:
        return f"job {number}, "
    return f"job {number} of {jobs}, " if jobs > 1 else ""


def figures(report: EpochReport) -> str:
    """Return what an epoch gave, in one line."""
    said = [f"{report.phase} {report.epoch + 1}/{report.epochs}: loss {report.loss:.3f}"]
    if report.accuracy is not None:
        said.append(f"accuracy {report.accuracy:.1%}")
    if report.architecture_loss is not None:
        said.append(f"architecture loss {report.architecture_loss:.3f}")
    if report.validation_accuracy is not None:
        said.append(f"validation {report.validation_accuracy:.1%} ({report.validation_count} images)")
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
