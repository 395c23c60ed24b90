"""The verb ``nascore compare``."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import click

from nascore.cli.contributions import echo_ablation, points_text
from nascore.cli.gallery import interval_text
from nascore.cli.options import GIVEN, json_option
from nascore.cli.output import Verb, echo, echo_json, inline, table, wrapped
from nascore.comparison import (
    EVALUATE,
    METHOD,
    images_note,
    is_ablation,
    read_ablation,
    same_images,
    seeds_of,
)
from nascore.gallery import ACCURACY
from nascore.verbs.runs import compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nascore.comparison import Comparison, Pair, Row
    from nascore.gallery import Metric


NONE = "-"
"""Text of a cell without a figure."""

FAILED = "failed"
"""Accuracy of a row whose searches or evaluations all failed."""

LEAST = 0.0001
"""Smallest p that is printed as a number."""

GUIDED = (
    "guided: these images also guided the choice of the architecture, so the accuracy is higher than on "
    "unseen images; nascore search --evaluate measures it on test images"
)
BEST_OF = "best of N: the architecture was chosen as the best of N on these images"


def echo_comparison(found: Comparison) -> None:
    """Print a comparison to stdout, and its warnings to stderr."""
    echo(_rows(found))
    if found.pairs:
        echo(f"\n{_pairs(found)}")
    echo("\n" + "\n".join(map(wrapped, _notes(found))))
    for warning in found.warnings:
        echo(f"warning: {inline(warning)}", err=True)


def _rows(found: Comparison) -> str:
    tested = found.by == "test"
    title = metric_of_rows(found.rows).title
    head = f"test {title}" if tested else title
    search = ("in the search",) if tested else ()
    heads = (" ".join(found.paths), "seeds", head, "95 % interval", *search)
    rows = [_row(row, tested=tested) for row in found.rows]
    return table(rows, heads=(*heads, "parameters", "MACs", "steps", "seconds", "images"), keys=1)


def _row(row: Row, *, tested: bool) -> tuple[object, ...]:
    lost = f" of {len(row.samples) + len(row.lost)}" if row.lost else ""
    mean = FAILED if row.failed else NONE if row.mean is None else row.metric.text(row.mean)
    search = row.in_search()
    in_search = (
        (NONE if search is None else f"{row.metric.text(search[0])}{', guided' * search[1]}",)
        if tested
        else ()
    )
    figures = (_whole(row.average(figure)) for figure in ("params", "macs", "steps"))
    seconds = row.average("seconds")
    return (
        row.label,
        f"{len(row.samples)}{lost}",
        mean,
        NONE if row.interval is None else interval_text(row.metric, row.interval),
        *in_search,
        *figures,
        NONE if seconds is None else f"{seconds:.1f}",
        images_note(row),
    )


def _pairs(found: Comparison) -> str:
    metric = metric_of_rows(found.rows)
    rows = [_pair(pair, metric) for pair in found.pairs]
    heads = (
        "difference",
        "seeds",
        "points" if metric.percent else metric.title,
        "95 % interval",
        "p",
        "exact p",
        "verdict",
    )
    return table(rows, heads=heads, keys=1)


def _pair(pair: Pair, metric: Metric) -> tuple[object, ...]:
    difference = pair.difference
    seeds = f"{pair.seeds}{'' if pair.shared else ', not shared'}"
    if difference is None:
        return f"{pair.first} - {pair.second}", seeds, NONE, NONE, NONE, NONE, pair.verdict
    interval = NONE
    if difference.interval is not None:
        low, high = difference.interval
        interval = f"{points_text(low, metric)} to {points_text(high, metric)}"
    return (
        f"{pair.first} - {pair.second}",
        seeds,
        points_text(difference.value, metric),
        interval,
        _p(pair.p),
        _p(pair.exact),
        pair.verdict,
    )


def _notes(found: Comparison) -> Iterator[str]:
    yield from found.conclusions
    measured = [row for row in found.rows if row.samples]
    same_split = all(same_images(one, other) for one, other in combinations(measured, 2))
    note = "; runs with the same seed have the same data split" if same_split else ""
    yield f"seeds: {seeds_of(found.rows) or 'none'}{note}"
    kinds = {run.kind for row in found.rows for run in row.samples}
    yield f"steps, seconds: of a whole {'training' if kinds == {EVALUATE} else 'search'}, mean over the seeds"
    if found.by == "test":
        yield "parameters, MACs: of the tested networks, mean over the seeds"
        opened = sum(len(row.samples) for row in found.rows)
        times = f"opened {opened} times, once for each architecture, after its search"
        yield f"test split: {times if opened else 'never opened'}"
    searched = [row.in_search() for row in found.rows]
    if any(accuracy is not None and accuracy[1] for accuracy in searched):
        yield GUIDED
    if any(row.measured is not None and row.measured.best_of > 1 for row in found.rows):
        yield BEST_OF
    for text in found.brought:
        yield f"also differs: {text}"
    yield f"method: {METHOD}"


def metric_of_rows(rows: Sequence[Row]) -> Metric:
    """Return the metric of a comparison: that of its first row with runs that count."""
    return next((row.metric for row in rows if row.samples), ACCURACY)


def _whole(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def _p(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.4f}" if value >= LEAST else f"<{LEAST}"


@click.command(
    "compare",
    cls=Verb,
    examples=(
        "nascore compare runs/first",
        "nascore compare runs/first runs/first --json",
    ),
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", type=GIVEN)
@click.option("--against", metavar="ROW", help="Compare all rows with this row only, such as a baseline.")
@json_option
def command(runs: tuple[Path, ...], *, against: str | None, as_json: bool) -> None:
    """Compare runs: means over seeds with intervals, and tests of the differences.

    RUN is the folder of a run or of a comparison; a comparison counts as all its runs. Runs whose recipes
    differ only in the seed make one row. Rows are named by the settings that differ. Of an ablation, the
    contributions of its tricks come first.
    """
    found = compare(*runs, against=against)
    ablation = read_ablation(runs[0]) if len(runs) == 1 and is_ablation(runs[0]) else None
    if as_json:
        of_tricks = {} if ablation is None else {"ablation": ablation.plain()}
        echo_json({"runs": [str(run) for run in runs], **found.plain(), **of_tricks})
        return
    if ablation is not None:
        echo_ablation(ablation)
        echo("")
    echo_comparison(found)
