"""The verb ``nascore replay``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from attrs import asdict
from click.exceptions import Exit

from nascore.cli.errors import FAILED
from nascore.cli.options import GIVEN, json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json
from nascore.cli.result import CommandLine, reporting
from nascore.files import shown_path
from nascore.run.replayed import TOLERANCE
from nascore.verbs.replay import BIT_EQUAL, ComparisonReplay, Replay, replay_as_requested

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore.plugin import Selection


@click.command(
    "replay",
    cls=Verb,
    examples=(
        "nascore replay runs/first",
        "nascore replay runs/first --threads 2 --tolerance 0.01",
        "nascore replay runs/first --json",
    ),
)
@click.argument("run", type=GIVEN)
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads. Default: those of the run."
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=TOLERANCE,
    metavar="X",
    help=f"Largest allowed difference of a loss; above 1, relative to the loss. Default: {TOLERANCE:g}.",
)
@json_option
@plugins_option
def command(run: Path, *, threads: int | None, tolerance: float, as_json: bool, plugins: Selection) -> None:
    """Run the recipe of a finished run again, and report how the two runs differ.

    RUN is the folder of a search, an evaluation or a comparison. Every finished job of a comparison is run
    again.
    The result is `bit-equal`, `within tolerance` or `diverged`, with the first epoch and quantity that
    differ. The exit code is 1 if the replay diverged. The replay runs in a temporary folder.
    """
    with reporting(CommandLine(verb="replay", plugins=plugins), as_json=as_json) as reporter:
        found = replay_as_requested(
            run, threads=threads, tolerance=tolerance, plugins=plugins, reporter=reporter
        )
        if as_json:
            echo_json(_plain(found))
        else:
            lines = _lines(found) if isinstance(found, Replay) else _lines_of_comparison(found)
            echo("\n".join(lines))
    if found.verdict == "diverged":
        raise Exit(FAILED)


def _plain(found: Replay | ComparisonReplay) -> dict[str, Any]:
    if isinstance(found, ComparisonReplay):
        jobs = [
            {"job": job.folder, "status": job.status, "verdict": job.verdict}
            | ({} if job.replay is None else _plain(job.replay))
            for job in found.jobs
        ]
        first = None if found.first is None else found.first.folder
        return {"run": str(shown_path(found.run)), "verdict": found.verdict, "first": first, "jobs": jobs}
    environment = [asdict(one) for one in found.environment]
    return {"run": str(shown_path(found.run)), **asdict(found.comparison), "environment": environment}


def _lines_of_comparison(found: ComparisonReplay) -> Iterator[str]:
    count = sum(job.verdict == BIT_EQUAL for job in found.jobs)
    yield f"{found.verdict}: {count} of {len(found.jobs)} jobs of {shown_path(found.run)} are bit-equal"
    if found.first is not None and found.first.replay is not None:
        yield f"first divergence: {found.first.folder}, {found.first.replay.comparison.divergence}"
    for job in found.jobs:
        if job.replay is None:
            yield f"\n{job.folder}: {job.verdict}, its status is {job.status}"
        else:
            yield ""
            yield from _lines(job.replay)


def _lines(found: Replay) -> Iterator[str]:
    comparison = found.comparison
    epochs = f"{comparison.epochs} epoch{'s' * (comparison.epochs != 1)}"
    tolerance = f" of {comparison.tolerance:g}" if found.verdict == "within tolerance" else ""
    yield f"{found.verdict}{tolerance}: {epochs} of {shown_path(found.run)} compared"
    if not comparison.fingerprints:
        yield "the run has no fingerprints, as those of earlier versions: only its figures are compared"
    if comparison.divergence is not None:
        yield f"diverged at: {comparison.divergence}"
    elif comparison.first is not None:
        yield f"first difference: {comparison.first}"
    if comparison.largest is not None:
        yield f"largest difference: {comparison.largest.difference:.2g}, {comparison.largest}"
    for difference in found.environment:
        yield str(difference)
