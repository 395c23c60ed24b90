"""``nascore runs``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nascore.cli.options import json_option
from nascore.cli.verb import Verb, echo_json, table
from nascore.verbs.runs import runs

if TYPE_CHECKING:
    from nascore.run import Record


@click.command("runs", cls=Verb, examples=("nascore runs", "nascore runs runs --json"))
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@json_option
def command(folder: Path | None, *, as_json: bool) -> None:
    """List the runs in DIR, or where runs are kept: NASCORE_RUNS, or runs/."""
    found = runs(folder)
    if as_json:
        echo_json([{"path": str(one.path), "status": one.status, "result": one.result} for one in found])
        return
    if not found:
        click.echo("no runs yet", err=True)
        return
    click.echo(table([_row(one) for one in found], heads=("run", "kind", "status", "seed", "accuracy")))


def _row(record: Record) -> tuple[object, ...]:
    result = record.result or {}
    shares = (
        f"{result[f'{split}_accuracy']:.2%} of {result[f'{split}_count']} {split} images"
        for split in ("test", "validation")
        if f"{split}_accuracy" in result
    )
    return record.path, result.get("kind", ""), record.status, result.get("seed", ""), next(shares, "")
