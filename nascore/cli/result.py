"""Prints the result of a search or an evaluation, or a refusal with a command that works."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, evolve, frozen

from nascore.cli.compare import echo_comparison
from nascore.cli.contributions import echo_ablation
from nascore.cli.gallery import gallery_table, interval_text, marks, measured_on
from nascore.cli.output import echo, echo_json, table, wrapped
from nascore.cli.runs import plain_run
from nascore.comparison import EVALUATE, choice_words
from nascore.description import draw
from nascore.files import shown_path
from nascore.gallery import metric_of
from nascore.plugin import Selection
from nascore.recipe import watched
from nascore.run import RunControl, control_of, resume_command
from nascore.run.signals import handling_signals
from nascore.shell import command_line
from nascore.slots import SLOTS
from nascore.verbs.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nascore.comparison import Planned
    from nascore.component import Component
    from nascore.gallery import Metric
    from nascore.recipe import Recipe, Request
    from nascore.run import OnNan
    from nascore.verbs.reporter import FinishedSearches
    from nascore.verbs.runs import Run


REDUCED = {
    "mini": "scale mini: a laptop check, not a paper's setting",
    "small": "scale small: an hour on one small device, not a paper's setting",
}
"""The line about each scale whose figures are not a paper's."""


def echo_run(run: Run, *, as_json: bool) -> None:
    """Print the result of a search."""
    if as_json:
        echo_json(plain_run(run))
    else:
        echo_result(run)


def echo_evaluation(run: Run, recipe: Recipe | None, *, as_json: bool) -> None:
    """Print the result of an evaluation by a recipe."""
    if as_json:
        echo_json(plain_run(run))
    else:
        assert recipe is not None
        echo_evaluated(run, recipe.training)


def echo_result(run: Run) -> None:
    """Print the gallery, the best cell, the run's folder and the next command."""
    echo(_gallery(run))
    echo(wrapped(f"\n{draw(run.best).rstrip()}\n"))
    echo(f"run: {shown_path(run.path)}")
    if run.result["status"] == "stopped":
        echo(f"stopped: the budget of {run.result['budget']} is spent; this is the best so far")
        echo(f"next: {resume_command(run.path)}")
        return
    echo(f"next: {command_line('nascore', 'evaluate', shown_path(run.path))}")


def echo_searches(searches: FinishedSearches) -> None:
    """Print the folder of several searches and the next command; the reporter has printed their table."""
    path, result = shown_path(searches.path), searches.result
    echo(f"\nrun: {path}")
    if result.get("status") == "stopped":
        jobs = result["jobs"]
        over = jobs["done"] + jobs["failed"]
        echo(f"stopped: the budget of {result['budget']} is spent; {over} of {jobs['planned']} jobs are over")
        echo(f"next: {command_line('nascore', 'resume', path)}")
        return
    echo(f"next: {command_line('nascore', 'compare', path)}")


def echo_evaluated(run: Run, training: Any) -> None:  # noqa: ANN401 - settings of the run, by attribute
    """Print the accuracy, the size that was trained, the run's folder and the next command."""
    result = run.result
    metric = metric_of(result)
    split = "test" if metric.key("test") in result else "validation"
    count = result[f"{split}_count"]
    of = f"of {count} images" if metric.percent else f"on {count} images"
    rows = [
        (f"{split} {metric.title}", f"{metric.text(result[metric.key(split)])} {of}"),
        *_further(result, metric, split),
        ("parameters", f"{result['params']:,.0f}"),
        ("MACs", f"{result['macs']:,.0f} per image"),
        *_sizes(training),
    ]
    echo(table(rows))
    echo(f"\nrun: {shown_path(run.path)}")
    echo(f"next: {command_line('nascore', 'draw', shown_path(run.path))}")


def _further(result: Mapping[str, Any], metric: Metric, split: str) -> Iterator[tuple[str, str]]:
    """Yield the interval of the first metric, and the other metrics of the task."""
    if result["interval"] is not None:
        low, high = result["interval"]
        shown = f"{low:.1%} to {high:.1%}" if metric.percent else interval_text(metric, (low, high))
        yield "95 % interval", shown
    for name, value in result.get("scores", {}).items():
        if name != metric.name:
            yield f"{split} {name.replace('_', ' ')}", f"{value:.4g}"


def _sizes(training: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - settings, by attribute
    """Yield the settings that scaled the architecture to another size than in the search."""
    given = [
        f"training.{name}={value}"
        for name in ("channels", "cells")
        if (value := getattr(training, name)) is not None
    ]
    if given:
        yield "scaled by", ", ".join(given)


def _gallery(run: Run) -> str:
    gallery = run.gallery
    text = gallery_table(gallery.entries, marks(gallery, gallery.front()))
    lines = [text, wrapped(f"{gallery.metric.title}: {measured_on(gallery.entries)}")]
    match run.result:
        case {"jobs": {"done": int(done), "failed": int(failed)}} if failed:
            lines.append(f"{failed} of {done + failed} jobs failed; run.log says why")
    return "\n".join(lines)


@frozen(kw_only=True)
class CommandLine:
    """The part of a command line that is not in its request.

    Attributes:
        verb: The verb that takes the request.
        plugins: The selected plugins.
        out: The folder of the run.
        dry_run: Whether nothing is run.
        seeds: The seeds of several searches.
        sets: Settings of the evaluation, which are not those of the request.
        flags: Flags without a value, beside ``--dry-run``.
    """

    verb: str = "search"
    plugins: Selection = Factory(Selection)
    out: Path | None = None
    dry_run: bool = False
    seeds: str | None = None
    sets: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def command(self, request: Request) -> str:
        """Return the whole command line of a request, as one types it in a POSIX shell.

        Args:
            request: Made from options of the command line: it has no settings from Python.
        """
        fixed = [("recipe", request.recipe), ("preset", request.preset), ("scale", request.scale)]
        plugins = self.plugins
        for flag, typed in (("with", plugins.files), ("without", plugins.without), ("only", plugins.only)):
            fixed += [(flag, one) for one in typed]
        fixed += [*request.run.items(), ("seeds", self.seeds), ("out", self.out)]
        chosen = [(slot.name, name) for slot in SLOTS for name in request.names.get(slot.name, ())]
        options = [*fixed, *chosen, *(("set", text) for text in (*request.sets, *self.sets))]
        words = [word for flag, one in options if one is not None for word in (f"--{flag}", str(one))]
        flags = [*self.flags, *(["dry-run"] if self.dry_run else [])]
        return command_line("nascore", self.verb, *words, *(f"--{flag}" for flag in flags))


@define(kw_only=True)
class CommandReporter(Reporter):
    """Prints warnings and jobs to stderr, and suggests whole command lines.

    Attributes:
        line: The part of the command line that is not in its request.
        as_json: Whether stdout is JSON.
        starts_run: Whether the command starts a run, which is shown in the terminal.
        recipe: The recipe of the first run, once it is resolved.
        control: Decides when the run is saved and when it stops.
    """

    line: CommandLine
    as_json: bool = False
    starts_run: bool = False
    recipe: Recipe | None = None
    control: RunControl = Factory(RunControl)

    def run_component(self, run: Component) -> Component:
        """Return the component of a run; it wishes for the observer of the terminal."""
        return watched(run) if self.starts_run else run

    def resolved(self, recipe: Recipe) -> None:
        """Print at a scale below `paper` that the figures below are not a paper's."""
        self.recipe = recipe
        self.echo_scale()

    def echo_scale(self) -> None:
        """Print at a scale below `paper` that the figures are not a paper's."""
        scale = None if self.recipe is None else self.recipe.scale
        if scale is not None and scale[0] in REDUCED and self.starts_run and not self.as_json:
            echo(REDUCED[scale[0]])

    def warn(self, text: str) -> None:
        """Print a warning to stderr."""
        echo(text, err=True)

    def job_begins(self, number: int, jobs: int, job: Planned) -> None:
        """Print to stderr which job begins."""
        echo(_job_line(number, jobs, job), err=True)

    def job_ends(self, number: int, jobs: int, job: Planned, error: str) -> None:
        """Print to stderr how a job in another process ended."""
        ended = f"failed: {error.partition(chr(10))[0]}" if error else "done"
        echo(f"{_job_line(number, jobs, job)}: {ended}", err=True)

    def compared(self, searches: FinishedSearches) -> None:
        """Print the comparison of several searches."""
        if self.as_json:
            plain = (searches.ablation or searches.comparison).plain()
            echo_json({"runs": [str(shown_path(searches.path))], **plain})
        elif searches.ablation is not None:
            echo_ablation(searches.ablation)
        else:
            echo_comparison(searches.comparison)

    def command(self, request: Request) -> str:
        """Return the command line of a request."""
        # A recipe that `check` names without a flag is named by one in a search.
        return self.line.command(evolve(request, recipe_flag="--recipe"))


def _job_line(number: int, jobs: int, job: Planned) -> str:
    kind = "evaluate " if job.kind == EVALUATE else ""
    names = "".join(f"{word}, " for word in choice_words(job.choice, slots=False))
    return f"{number} of {jobs}: {kind}{names}seed {job.seed}"


@contextmanager
def reporting(
    line: CommandLine,
    *,
    as_json: bool,
    budget: str | None = None,
    checkpoint_every: str | None = None,
    on_nan: OnNan | None = None,
) -> Iterator[CommandReporter]:
    """Give the reporter of a command that starts a run; at a scale below `paper` say so in the last line too.

    Args:
        line: The part of the command line that is not in its request.
        as_json: Whether stdout is JSON.
        budget: How much the run may do; None: all.
        checkpoint_every: Time between two checkpoints; None: the default.
        on_nan: Reaction to a loss that is not finite; None: stop.

    Raises:
        RecipeError: The budget or the time cannot be read.
    """
    control = control_of(budget, checkpoint_every, on_nan)
    reporter = CommandReporter(line=line, as_json=as_json, starts_run=True, control=control)
    with handling_signals(control):
        yield reporter
    reporter.echo_scale()
