"""The verb ``nascore runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nascore.cli.options import GIVEN, json_option
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.comparison import spans
from nascore.files import shown_path
from nascore.gallery import ACCURACY, metric_of
from nascore.run import Record
from nascore.verbs.runs import runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.gallery import Metric
    from nascore.verbs.runs import Run


@click.command("runs", cls=Verb, examples=("nascore runs", "nascore runs runs --json"))
@click.argument("folder", metavar="[DIR]", required=False, type=GIVEN)
@json_option
def command(folder: Path | None, *, as_json: bool) -> None:
    """List the runs in DIR, by default NASCORE_RUNS or runs/.

    If DIR is a comparison, list its runs.
    """
    found = runs(folder)
    if as_json:
        echo_json([plain_record(one) for one in found])
        return
    if not found:
        echo("no runs yet", err=True)
        return
    metrics = {metric_of(one.result).title for one in found if one.result}
    heads = ("run", "kind", "status", "seed", "accuracy" if metrics <= {ACCURACY.title} else "score")
    echo(table([_row(one) for one in found], heads=heads, prose=True))
    for one in found:
        if one.fault:
            echo(one.fault, err=True)
    by_age = sum(one.activity is not None and one.activity.by_age for one in found)
    if by_age:
        text = "on another machine: running or killed is judged by the age of the last line"
        echo(f"{by_age} of {len(found)} {text}", err=True)
    unchecked = sum(not one.checked and not one.fault for one in found)
    if unchecked:
        echo(f"{unchecked} of {len(found)} have no checksums: their files were read unchecked", err=True)


def plain_record(record: Record) -> dict[str, object]:
    """Return a run for JSON."""
    plain: dict[str, object] = {
        "path": str(record.path),
        "status": record.status,
        "result": record.result,
        "checked": record.checked,
    }
    if record.activity is not None:
        plain["by_age"] = record.activity.by_age
    if record.gallery:
        plain["gallery"] = [entry.plain() for entry in record.gallery]
    if record.gallery_cut:
        plain["gallery_cut"] = True
    return {**plain, "fault": record.fault} if record.fault else plain


def plain_run(run: Run) -> dict[str, object]:
    """Return a finished run for JSON."""
    return plain_record(
        Record(path=shown_path(run.path), result=dict(run.result), gallery=run.gallery, checked=run.checked)
    )


def _row(record: Record) -> tuple[object, ...]:
    result = record.result or {}
    kind, seed = result.get("kind", ""), result.get("seed", "")
    match result:
        case {"seeds": [int(), *_] as seeds, "jobs": {"done": int(done), "planned": int(jobs)}}:
            return record.path, kind, record.status, spans(seeds), f"{done} of {jobs} jobs"
    metric = metric_of(result)
    scores = (
        _score(result, metric, split) for split in ("test", "validation") if metric.key(split) in result
    )
    return record.path, kind, record.status, seed, next(scores, "")


def _score(result: Mapping[str, Any], metric: Metric, split: str) -> str:
    """Return a score with its images: `97.50% of 360 test images`, `mean absolute error 2.1 on 90 images`."""
    count, text = result.get(f"{split}_count"), metric.text(result[metric.key(split)])
    if metric != ACCURACY:
        text = f"{metric.title} {text}"
    return text if count is None else f"{text} {'of' if metric == ACCURACY else 'on'} {count} {split} images"
