"""The verb ``nascore watch``."""

from __future__ import annotations

from importlib import import_module
from time import sleep
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import asdict

from nascore.cli.options import GIVEN, json_option
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.errors import RunFolderError
from nascore.files import shown_path
from nascore.verbs.watch import progress_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore.verbs.watch import Progress

PERIOD: Final = 1.0
"""Seconds between two readings of the folder."""

RETRIES: Final = 3
"""Readings in a row that may fail while the run replaces its files."""


@click.command(
    "watch",
    cls=Verb,
    examples=("nascore watch runs/first", "nascore watch runs/first --once --json"),
)
@click.argument("run", type=GIVEN)
@click.option("--once", is_flag=True, help="Print the current state, and stop.")
@json_option
def command(run: Path, *, once: bool, as_json: bool) -> None:
    """Show the progress of a run, from its folder alone, until the run ends.

    RUN is the folder of a search, an evaluation or a comparison, whichever process or machine runs it. The
    command shows the status, the job, the phase and its epochs, the accuracy, the number of architectures
    found, and the age of the last line. With --json, it prints one line for each change.
    """
    if once:
        _echo(progress_of(run), as_json=as_json)
    elif as_json:
        for progress in changes(run):
            echo_json(_plain(progress), indent=None)
    else:
        _show(run)


def changes(run: Path) -> Iterator[Progress]:
    """Yield the progress of a run now and after each change, until the run ends.

    Raises:
        RunFolderError: The folder is not a run, or several readings in a row failed.
    """
    before, failed = None, 0
    while True:
        try:
            now = progress_of(run)
        except RunFolderError:
            failed += 1
            if before is None or failed == RETRIES:
                raise
            sleep(PERIOD)
            continue
        failed = 0
        if before is None or _without_age(now) != _without_age(before):
            yield now
        before = now
        if now.ended:
            return
        sleep(PERIOD)


def _show(run: Path) -> None:
    """Show a live view on a terminal, else a line for each change; then print the last state."""
    live = import_module("nascore.cli.live")  # rich takes a moment to import
    if live.is_terminal():
        last = live.show_live(run, rows, PERIOD)
        _echo(last, as_json=False)
        return
    for progress in changes(run):
        echo(_summary(progress), err=True)
        if progress.ended:
            _echo(progress, as_json=False)


def _echo(progress: Progress, *, as_json: bool) -> None:
    if as_json:
        echo_json(_plain(progress))
    else:
        echo(table([*rows(progress)], prose=True))


def rows(progress: Progress) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each figure."""
    yield "run", str(shown_path(progress.path))
    judged = " (judged by the age of the last line, since the run is on another machine)"
    yield "status", f"{progress.status}{judged if progress.by_age else ''}"
    if progress.error:
        yield "error", progress.error
    if progress.job is not None:
        yield "job", str(progress.job)
        yield "epoch", f"{progress.phase} {progress.epoch} of {progress.epochs}"
    if progress.loss is not None:
        yield "loss", f"{progress.loss:.3f}"
    if progress.accuracy is not None:
        yield "accuracy", f"{progress.accuracy:.2%}"
    best = "" if progress.best is None else f", the best with {progress.best:.2%}"
    yield "gallery", f"{progress.gallery} architecture{'s' * (progress.gallery != 1)}{best}"
    yield "last line", f"{progress.age:.0f} s ago"


def _summary(progress: Progress) -> str:
    """Return the progress on one line."""
    return ", ".join(f"{name} {value}" for name, value in rows(progress) if name not in {"run", "last line"})


def _plain(progress: Progress) -> dict[str, Any]:
    return {**asdict(progress), "path": str(shown_path(progress.path))}


def _without_age(progress: Progress) -> dict[str, Any]:
    return {name: value for name, value in asdict(progress).items() if name != "age"}
