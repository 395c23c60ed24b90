"""What is printed of a gallery: its architectures in a table, the front, and a plot."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any

from nascore.cli.axis import Axis, short
from nascore.cli.echo import columns
from nascore.cli.scatter import Point, scatter
from nascore.cli.verb import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nascore.gallery import Entry, Gallery
    from nascore.verbs.gallery import Assessed

BEST, FRONT = "best", "yes"
EQUALLED = "(best)"
"""The best, where another of the same error costs less of what it is seen by: it is not on that front."""

PLOTTED = {"": ".", FRONT: "o", EQUALLED: "*", BEST: "*"}
"""By what an entry is: how the plot shows it, from what lies at the bottom to what lies on top."""

NAMES = {"params": "parameters", "macs": "MACs"}

WIDE = 100
"""Columns beyond which a plot does not gain."""

FINE = 0.01
"""Accuracies that are nearer to each other than this are written with two digits."""

UNKNOWN_WIDTH = 80
"""Columns of a plot that goes into no terminal."""


def marks(gallery: Gallery, front: Iterable[Entry]) -> dict[int, str]:
    """Return by id what an entry is: `best`, `yes` on the front, or empty; `(best)` if it is not on it."""
    known = {entry.id: "" for entry in gallery} | {entry.id: FRONT for entry in front}
    best = gallery.best.id
    return known | {best: BEST if known[best] else EQUALLED}


def gallery_table(entries: Sequence[Entry], marked: Mapping[int, str]) -> str:
    """Return entries as a table; the figures are shortened where the terminal is too narrow for them.

    The columns of the parent and the wave are there if an entry has a parent.
    """
    grown = any(entry.parent is not None for entry in entries)
    text = _table(entries, marked, grown=grown, brief=False)
    across = columns()
    fits = across is None or max(map(len, text.splitlines())) <= across
    return text if fits else _table(entries, marked, grown=grown, brief=True)


def said_of(found: Assessed) -> str:
    """Return the count behind the accuracies, the front, and the hypervolume with its reference point."""
    gallery, name = found.record.gallery, NAMES.get(found.cost, found.cost)
    error, most = found.reference
    ids = ", ".join(str(entry.id) for entry in found.front)
    rows = [
        ("accuracy", measured_on(gallery.entries)),
        ("front", f"{ids}, from the fewest {name} to the lowest error"),
        ("hypervolume", f"{found.hypervolume:.4f} of 1, up to error {error:g} and {most:,.0f} {name}"),
    ]
    return table(rows, prose=True)


def measured_on(entries: Sequence[Entry]) -> str:
    """Return how many images the accuracies are of, and whether they had a say in what was chosen."""
    counts = sorted({entry.count for entry in entries})
    guided = ", which guided the choice" if any(entry.guided for entry in entries) else ""
    return f"of {' or '.join(map(str, counts))} validation images{guided}"


def plot(found: Assessed, marked: Mapping[int, str]) -> str:
    """Return accuracy over cost as a plot, as wide as the terminal."""
    order = list(PLOTTED)
    entries = sorted(found.record.gallery, key=lambda entry: order.index(marked[entry.id]))
    points = [
        Point(x=entry.costs[found.cost], y=entry.accuracy, mark=PLOTTED[marked[entry.id]])
        for entry in entries
    ]
    drawn = scatter(points, width=min(columns() or UNKNOWN_WIDTH, WIDE), label=_share_label(points))
    scale = " (log)" if Axis.of(point.x for point in points).log else ""
    legend = f"accuracy over {NAMES.get(found.cost, found.cost)}{scale}; * best  o front  . others"
    return f"{drawn}\n{legend}"


def _share_label(points: Sequence[Point]) -> Callable[[float], str]:
    """Return how accuracies are written at an axis: with as many digits as tell them apart."""
    shares = [point.y for point in points]
    digits = 1 if max(shares) - min(shares) >= FINE else 2
    return lambda share: f"{share:.{digits}%}" if share <= 1 else ""


def plain(found: Assessed, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return what JSON says of a gallery."""
    error, most = found.reference
    return {
        "run": str(found.record.path),
        "status": found.record.status,
        "cost": found.cost,
        "best": found.record.gallery.best.id,
        "front": [entry.id for entry in found.front],
        "hypervolume": {"share": found.hypervolume, "reference": {"error": error, found.cost: most}},
        "entries": [entry.plain() for entry in entries],
    }


def comma_separated(entries: Iterable[Entry], marked: Mapping[int, str]) -> str:
    """Return entries as CSV with a head; the interval is that of the accuracy, as shares."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    figures = ("accuracy", "low", "high", "count", "guided", "params", "macs", "steps")
    rows.writerow(("id", "parent", "wave", *figures, "front", "best", "description"))
    for entry in entries:
        low, high = entry.interval
        costs = (entry.costs.get("params"), entry.costs.get("macs"))
        counted = (entry.count, int(entry.guided))
        measured = (entry.accuracy, 1 - high, 1 - low, *counted, *costs, entry.steps)
        mark = marked[entry.id]
        stands = (int(mark in (FRONT, BEST)), int(mark in (BEST, EQUALLED)))
        rows.writerow((entry.id, entry.parent, entry.wave, *measured, *stands, entry.description))
    return text.getvalue()


def _table(entries: Iterable[Entry], marked: Mapping[int, str], *, grown: bool, brief: bool) -> str:
    origin = (("from" if brief else "parent"), "wave") if grown else ()
    figures = ("95 %", "params") if brief else ("95 % interval", "parameters")
    heads = ("id", *origin, "accuracy", *figures, "MACs", "front")
    rows = [
        (entry.id, *_origin(entry, grown=grown), *_figures(entry, brief=brief), marked[entry.id])
        for entry in entries
    ]
    return table(rows, heads=heads, keys=int(brief))


def _origin(entry: Entry, *, grown: bool) -> tuple[object, ...]:
    return (entry.parent or "-", entry.wave) if grown else ()


def _figures(entry: Entry, *, brief: bool) -> tuple[str, ...]:
    low, high = (100 * (1 - bound) for bound in reversed(entry.interval))
    interval = f"{low:.1f}-{high:.1f}%" if brief else f"{low:.1f} to {high:.1f}%"
    costs = (entry.costs["params"], entry.costs["macs"])
    return f"{entry.accuracy:.2%}", interval, *(short(one) if brief else f"{one:,.0f}" for one in costs)
