"""The verb ``nascore watch``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import asdict

from nascore.cli.options import GIVEN, json_option
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.files import shown_path
from nascore.run import RUNNING
from nascore.verbs.watch import PERIOD, progress_of, watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore.verbs.watch import Progress

MOST_JOBS: Final = 20
"""Number of jobs of a comparison up to which all are shown; of more, those that run or went wrong."""

_BY_AGE: Final = " (judged by the age of the last line, since the run is on another machine)"


@click.command(
    "watch",
    cls=Verb,
    examples=("nascore watch runs/first", "nascore watch runs/first --once --json"),
)
@click.argument("run", type=GIVEN)
@click.option("--once", is_flag=True, help="Print the present state, and stop.")
@json_option
def command(run: Path, *, once: bool, as_json: bool) -> None:
    """Show the progress of a run, from its folder alone, until the run ends.

    RUN is the folder of a search, an evaluation or a comparison; any process or machine may be running it.
    Shows the status, the job, the phase and its epochs, the accuracy, the number of architectures found, and
    the age of the last line; for a comparison, the status of each job and the figures of the running ones.
    With --json each change is a line.
    """
    if once:
        _echo(progress_of(run), as_json=as_json)
    elif as_json:
        for progress in watch(run, period=PERIOD):
            echo_json(_plain(progress), indent=None)
    else:
        _show(run)


def _show(run: Path) -> None:
    """Show a live view on a terminal, else a line for each change; then print the last state."""
    live = import_module("nascore.cli.live")  # rich takes a moment to import
    if live.is_terminal():
        last = live.show_live(run, rows, PERIOD)
        _echo(last, as_json=False)
        return
    for progress in watch(run, period=PERIOD):
        echo(_summary(progress), err=True)
        if progress.ended:
            _echo(progress, as_json=False)


def _echo(progress: Progress, *, as_json: bool) -> None:
    if as_json:
        echo_json(_plain(progress))
    else:
        echo(table([*rows(progress)], prose=True))


def rows(progress: Progress) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each figure; for a comparison also those of its jobs."""
    yield "run", str(shown_path(progress.path))
    yield "status", f"{progress.status}{_BY_AGE if progress.by_age else ''}"
    if progress.error:
        yield "error", progress.error
    if progress.jobs:
        yield "jobs", _counts(progress)
        for job in progress.jobs:
            if len(progress.jobs) <= MOST_JOBS or job.status not in {"done", "waiting"}:
                yield job.path.name, _of_job(job)
    else:
        yield from _figures(progress)
    yield "last line", f"{progress.age:.0f} s ago"


def _figures(progress: Progress) -> Iterator[tuple[str, str]]:
    if progress.job is not None:
        yield "job", str(progress.job)
        yield "epoch", f"{progress.phase} {progress.epoch} of {progress.epochs}"
    if len(progress.under_way) > 1:
        yield "under way", f"jobs {', '.join(map(str, progress.under_way))}"
    if progress.loss is not None:
        yield "loss", f"{progress.loss:.3f}"
    if progress.accuracy is not None:
        yield progress.metric.title, progress.metric.text(progress.accuracy)
    best = "" if progress.best is None else f", the best with {progress.metric.text(progress.best)}"
    yield "gallery", f"{progress.gallery} architecture{'s' * (progress.gallery != 1)}{best}"


def _counts(progress: Progress) -> str:
    """Return the number of jobs by status: ``3 of 8 done, 2 running``."""
    counts = dict(progress.counts)
    done = f"{counts.pop('done', 0)} of {len(progress.jobs)} done"
    return ", ".join([done, *(f"{count} {status}" for status, count in sorted(counts.items()))])


def _of_job(job: Progress) -> str:
    """Return the status of a job of a comparison on one line, with the figures of its last line."""
    words = [f"{job.status}{_BY_AGE if job.by_age else ''}"]
    if job.phase:
        words += (f"{name} {text}" for name, text in _figures(job))
    elif job.accuracy is not None:
        words.append(f"{job.metric.title} {job.metric.text(job.accuracy)}")
    if job.status == RUNNING:
        words.append(f"last line {job.age:.0f} s ago")
    return ", ".join([*words, *([job.error] if job.error else [])])


def _summary(progress: Progress) -> str:
    """Return the progress on one line; of a comparison, the jobs that are running."""
    if not progress.jobs:
        found = (f"{name} {text}" for name, text in rows(progress) if name not in {"run", "last line"})
        return ", ".join(found)
    running = [
        " ".join([job.path.name, *(f"{name} {text}" for name, text in _figures(job) if name != "gallery")])
        for job in progress.jobs
        if job.status == RUNNING
    ]
    return "; ".join([f"status {progress.status}, jobs {_counts(progress)}", *running])


def _plain(progress: Progress) -> dict[str, Any]:
    plain = {**asdict(progress, recurse=False), "path": str(shown_path(progress.path))}
    jobs = plain.pop("jobs")
    return {**plain, "jobs": [_plain(job) for job in jobs]} if jobs else plain
