"""The lower convex hull of a set of architectures, the entries close to it, and the hypervolume.

All computations use fractions, so no result depends on rounding.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nascore.gallery.entry import Entry


Point: TypeAlias = tuple[Fraction, Fraction]


def eps_hull(entries: Iterable[Entry], cost: str = "macs", eps: float = 0.0) -> tuple[Entry, ...]:
    """Return the entries on the lower hull of error over cost, or close above it, cheapest first.

    This is the pool from which Petridish takes parents (Hu et al., 2019, arXiv 1905.13360; the details are
    those of its code). The hull contains all entries and one more point at twice the largest cost with
    the lowest error, so that it never rises. An entry is selected if its error is at most ``1 + eps``
    times the error of the hull at its cost.

    With `eps` 0 the selected entries are members of the hull, and all of them are on the front: an entry that
    costs more than the cheapest entry with the lowest error is not selected.

    Args:
        entries: The architectures.
        cost: Name of the cost.
        eps: Share of the hull's error by which an entry may lie above the hull, 0 or more.

    Raises:
        ValueError: `eps` is negative.
    """
    if eps < 0:
        raise ValueError(f"eps: {eps} is negative; expected 0 or more.")
    pool = sorted(entries, key=lambda entry: (entry.costs[cost], entry.error, entry.id))
    if not pool:
        return ()
    points = [(Fraction(entry.costs[cost]), Fraction(entry.error)) for entry in pool]
    corners = lower_hull([*points, beyond(points)])
    bottom = next(corner for corner in corners if corner[1] == corners[-1][1])
    return tuple(
        entry
        for entry, (x, y) in zip(pool, points, strict=True)
        if y <= height(corners, x) * (1 + Fraction(eps)) and (eps > 0 or x <= bottom[0])
    )


def beyond(points: Sequence[Point]) -> Point:
    """Return the point that keeps the hull from rising: twice the largest cost, the lowest error."""
    return 2 * max(x for x, _ in points), min(y for _, y in points)


def lower_hull(points: Iterable[Point]) -> list[Point]:
    """Return the corners of the lower convex hull, from left to right (A. M. Andrew, 1979)."""
    corners: list[Point] = []
    for point in sorted(points, reverse=True):  # of points with equal cost, the lowest comes last and is kept
        while corners and (
            corners[-1][0] == point[0] or (len(corners) > 1 and not _below(point, corners[-1], corners[-2]))
        ):
            corners.pop()
        corners.append(point)
    return corners[::-1]


def height(corners: Sequence[Point], x: Fraction) -> Fraction:
    """Return the hull's error at a cost between its first and its last corner."""
    right = bisect_right([corner[0] for corner in corners], x)
    if right == len(corners):
        return corners[-1][1]
    (x1, y1), (x2, y2) = corners[right - 1], corners[right]
    return y1 + (y2 - y1) * (x - x1) / (x2 - x1)


def _below(left: Point, middle: Point, right: Point) -> bool:
    """Return whether a point lies below the line between two others."""
    before = (middle[1] - left[1]) * (right[0] - middle[0])
    after = (right[1] - middle[1]) * (middle[0] - left[0])
    return before < after


MARGIN = Fraction(11, 10)
"""Factor of the largest cost in the reference point: the costliest architecture covers some area too."""

WORST_ERROR = 1.0


def reference_of(entries: Iterable[Entry], cost: str) -> tuple[float, float]:
    """Return the reference point of a pool: error 1 and 1.1 times its largest cost, or cost 1 if all cost 0.

    The error of a metric that is no share has no upper limit: its reference is 1.1 times the largest error.
    The point depends on the pool: use the same point to compare two pools.
    """
    pool = list(entries)
    largest = max((Fraction(entry.costs[cost]) for entry in pool), default=Fraction(0))
    errors = [Fraction(entry.error) for entry in pool if not entry.metric.percent]
    worst = float(max(errors) * MARGIN) or WORST_ERROR if errors else WORST_ERROR
    return worst, float(largest * MARGIN) or 1.0


def hypervolume(entries: Iterable[Entry], cost: str, reference: tuple[float, float]) -> float:
    """Return the share of the rectangle from 0 to the reference point that the entries dominate, 0 to 1.

    This is the exact hypervolume indicator for two minimized objectives (Zitzler and Thiele, PPSN
    1998, "size of the space covered"), divided by the area of the rectangle. Costs count linearly. An entry
    that does not improve on the reference point in both objectives covers nothing.

    Args:
        entries: The architectures; dominated ones add nothing.
        cost: Name of the cost.
        reference: Error and cost of the reference point.

    Raises:
        ValueError: The error or the cost of the reference point is not above 0.
    """
    ceiling, edge = map(Fraction, reference)
    if ceiling <= 0 or edge <= 0:
        raise ValueError(f"reference: {reference} has an error or a cost that is not above 0.")
    covered, lowest = Fraction(0), ceiling
    for x, y in sorted((Fraction(entry.costs[cost]), Fraction(entry.error)) for entry in entries):
        if x < edge and y < lowest:
            # The entry adds a strip: its cost to the edge, lowest error so far to its error.
            covered += (edge - x) * (lowest - y)
            lowest = y
    return float(covered / (ceiling * edge))
