"""The verb ``nascore gallery``."""

from __future__ import annotations

import csv
from io import StringIO
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from nascore.cli.options import GIVEN, json_option
from nascore.cli.output import Verb, columns, echo, echo_json, table
from nascore.cli.plot import Axis, Point, scatter, short
from nascore.config import write_value
from nascore.gallery import ACCURACY
from nascore.verbs.gallery import assess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from nascore.gallery import Entry, Gallery, Metric
    from nascore.verbs.gallery import Assessed


BEST, FRONT = "best", "yes"
EQUALLED = "(best)"
"""Mark of the best entry if another has its error at a lower cost: the best is not on the front."""

PLOTTED = {"": ".", FRONT: "o", EQUALLED: "*", BEST: "*"}
"""Character of the plot for each mark, in drawing order: later ones cover earlier ones."""

NAMES = {"params": "parameters", "macs": "MACs"}

WIDE = 100
"""Largest width of a plot, in columns."""

FINE = 0.01
"""If the accuracies span less than this, axis labels have two decimals."""

UNKNOWN_WIDTH = 80
"""Width of a plot outside a terminal, in columns."""


def marks(gallery: Gallery, front: Iterable[Entry]) -> dict[int, str]:
    """Return marks by id: `best`, `(best)` for a best off the front, `yes` for the front, or empty."""
    known = {entry.id: "" for entry in gallery} | {entry.id: FRONT for entry in front}
    best = gallery.best.id
    return known | {best: BEST if known[best] else EQUALLED}


def gallery_table(entries: Sequence[Entry], marked: Mapping[int, str]) -> str:
    """Return entries as a table; in a narrow terminal the figures are shortened.

    The columns for parent and wave appear only if an entry has a parent; the settings in which entries were
    proposed to differ have a column each.
    """
    grown = any(entry.parent is not None for entry in entries)
    text = _table(entries, marked, grown=grown, brief=False)
    across = columns()
    fits = across is None or max(map(len, text.splitlines())) <= across
    return text if fits else _table(entries, marked, grown=grown, brief=True)


def gallery_summary(found: Assessed) -> str:
    """Return the number of validation images, the front, and the hypervolume with its reference point."""
    gallery, name = found.record.gallery, NAMES.get(found.cost, found.cost)
    error, most = found.reference
    ids = ", ".join(str(entry.id) for entry in found.front)
    extreme = "lowest error" if gallery.metric == ACCURACY else f"best {gallery.metric.title}"
    rows = [
        (gallery.metric.title, measured_on(gallery.entries)),
        ("front", f"{ids}, from the fewest {name} to the {extreme}"),
        ("hypervolume", f"{found.hypervolume:.4f} of 1, up to error {error:g} and {most:,.0f} {name}"),
    ]
    return table(rows, prose=True)


def measured_on(entries: Sequence[Entry]) -> str:
    """Return the number of validation images, and whether they guided the choice."""
    counts = sorted({entry.count for entry in entries})
    guided = ", which guided the choice" if any(entry.guided for entry in entries) else ""
    of = "on" if any(entry.metric != ACCURACY for entry in entries) else "of"
    return f"{of} {' or '.join(map(str, counts))} validation images{guided}"


def plot(found: Assessed, marked: Mapping[int, str]) -> str:
    """Return the metric over cost as a plot, as wide as the terminal."""
    order = list(PLOTTED)
    metric = found.record.gallery.metric
    entries = sorted(found.record.gallery, key=lambda entry: order.index(marked[entry.id]))
    points = [
        Point(x=entry.costs[found.cost], y=entry.score, mark=PLOTTED[marked[entry.id]]) for entry in entries
    ]
    drawn = scatter(points, width=min(columns() or UNKNOWN_WIDTH, WIDE), label=_label(points, metric))
    scale = " (log)" if Axis.of(point.x for point in points).log else ""
    legend = f"{metric.title} over {NAMES.get(found.cost, found.cost)}{scale}; * best  o front  . others"
    return f"{drawn}\n{legend}"


def _label(points: Sequence[Point], metric: Metric) -> Callable[[float], str]:
    """Return the function that formats values at an axis, with enough digits to distinguish them."""
    if not metric.percent:
        return metric.text
    shares = [point.y for point in points]
    digits = 1 if max(shares) - min(shares) >= FINE else 2
    return lambda share: f"{share:.{digits}%}" if share <= 1 else ""


def plain(found: Assessed, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return a gallery as values for JSON."""
    error, most = found.reference
    return {
        "run": str(found.record.path),
        "status": found.record.status,
        "gallery_cut": found.record.gallery_cut,
        "cost": found.cost,
        "best": found.record.gallery.best.id,
        "front": [entry.id for entry in found.front],
        "hypervolume": {"share": found.hypervolume, "reference": {"error": error, found.cost: most}},
        "entries": [entry.plain() for entry in entries],
    }


def comma_separated(entries: Iterable[Entry], marked: Mapping[int, str]) -> str:
    """Return entries as CSV with a header; shares and their intervals are fractions."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    entries = tuple(entries)
    metric = entries[0].metric.name if entries else ACCURACY.name
    figures = (metric, "low", "high", "count", "guided", "params", "macs", "steps")
    paths = paths_of(entries)
    rows.writerow(("id", "parent", "wave", *figures, "front", "best", "description", *paths))
    for entry in entries:
        bounds = entry.score_interval or ("", "")
        costs = (entry.costs.get("params"), entry.costs.get("macs"))
        counted = (entry.count, int(entry.guided))
        measured = (entry.score, *bounds, *counted, *costs, entry.steps)
        mark = marked[entry.id]
        stands = (int(mark in (FRONT, BEST)), int(mark in (BEST, EQUALLED)))
        values = (_value(entry, path, none="") for path in paths)
        rows.writerow((entry.id, entry.parent, entry.wave, *measured, *stands, entry.description, *values))
    return text.getvalue()


def _table(entries: Iterable[Entry], marked: Mapping[int, str], *, grown: bool, brief: bool) -> str:
    entries = tuple(entries)
    paths = paths_of(entries)
    last = [path.rpartition(".")[2] for path in paths]
    values = tuple(name if last.count(name) == 1 else path for name, path in zip(last, paths, strict=True))
    origin = (("from" if brief else "parent"), "wave") if grown else ()
    figures = ("95 %", "params") if brief else ("95 % interval", "parameters")
    metric = (entries[0].metric if entries else ACCURACY).title
    heads = ("id", *values, *origin, metric, *figures, "MACs", "front")
    rows = [
        (
            entry.id,
            *(_value(entry, path) for path in paths),
            *_origin(entry, grown=grown),
            *_figures(entry, brief=brief),
            marked[entry.id],
        )
        for entry in entries
    ]
    return table(rows, heads=heads, keys=int(brief))


def paths_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the paths of the settings in which entries were proposed to differ."""
    return tuple(dict.fromkeys(path for entry in entries for path in entry.values))


def _value(entry: Entry, path: str, *, none: str = "-") -> str:
    return write_value(entry.values[path]) if path in entry.values else none


def _origin(entry: Entry, *, grown: bool) -> tuple[object, ...]:
    return (entry.parent or "-", entry.wave) if grown else ()


def _figures(entry: Entry, *, brief: bool) -> tuple[str, ...]:
    costs = (entry.costs["params"], entry.costs["macs"])
    interval = interval_text(entry.metric, entry.score_interval, brief=brief)
    return (
        entry.metric.text(entry.score),
        interval,
        *(short(one) if brief else f"{one:,.0f}" for one in costs),
    )


def interval_text(metric: Metric, interval: Sequence[float] | None, *, brief: bool = False) -> str:
    """Return an interval of a metric as printed, such as `95.1 to 97.2%`; `unknown` if there is none."""
    if interval is None:
        return "unknown"
    between = "-" if brief else " to "
    if metric.percent:
        low, high = (100 * bound for bound in interval)
        return f"{low:.1f}{between}{high:.1f}%"
    return between.join(map(metric.text, interval))


class _Finite(click.FloatRange):
    """A finite number in a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's own
        """Return the number."""
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return found


ABOVE_0 = _Finite(min=0, min_open=True)


@click.command(
    "gallery",
    cls=Verb,
    examples=(
        "nascore gallery runs/first",
        "nascore gallery runs/first --front --cost macs --plot",
        "nascore gallery runs/first --reference 1 1e6 --json",
        "nascore gallery runs/first --csv",
    ),
)
@click.argument("run", type=GIVEN)
@click.option(
    "--front", "front_only", is_flag=True, help="Only the architectures on the front, cheapest first."
)
@click.option(
    "--cost",
    type=click.Choice(["params", "macs"]),
    default="params",
    show_default=True,
    help="The cost of the front and of the plot.",
)
@click.option(
    "--reference",
    nargs=2,
    type=ABOVE_0,
    metavar="ERROR COST",
    help="Reference point of the hypervolume; use the same one to compare runs. Default: error 1 and 1.1 "
    "times the largest cost.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option(
    "--plot/--no-plot", "plotted", default=None, help="Whether to plot. Default: only in a terminal."
)
def command(  # noqa: PLR0913 - each is a flag
    run: Path,
    *,
    front_only: bool,
    cost: str,
    reference: tuple[float, float] | None,
    as_json: bool,
    as_csv: bool,
    plotted: bool | None,
) -> None:
    """Show the architectures of a run: accuracy with its interval, cost, and place on the front.

    RUN is the folder of a search, which need not be finished. Every architecture in the table can be drawn,
    exported and evaluated by its ID: nascore draw RUN --entry ID. The front holds the architectures that no
    other one beats in both error and cost.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    found = assess(run, cost=cost, reference=reference)
    gallery = found.record.gallery
    marked = marks(gallery, found.front)
    entries = found.front if front_only else gallery.entries
    if as_json:
        echo_json(plain(found, entries))
    elif as_csv:
        echo(comma_separated(entries, marked), nl=False)
    else:
        echo(gallery_table(entries, marked))
        echo(f"\n{gallery_summary(found)}")
        if plotted if plotted is not None else columns() is not None:
            echo(f"\n{plot(found, marked)}")
    if found.unfinished:
        echo(found.unfinished, err=True)
