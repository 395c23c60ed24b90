"""The lower convex hull of a set of architectures, and the entries close to it.

Worked out in fractions: whether a point is on a line does not hang on how a division was rounded.
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
    """Return the entries on the lower hull of error over cost, or little above it, cheapest first.

    This is the pool from which Petridish takes parents (Hu et al., 2019, arXiv 1905.13360; the details are
    those of its code). The hull is that of all entries and of one more point at twice the largest cost with
    the lowest error, so that it never rises. An entry is in if its error is at most ``1 + eps``
    times that of the hull at its cost.

    With `eps` 0 these are the hull's own members, all of which are on the front: who costs more than the
    cheapest of the best is out, however good.

    Args:
        entries: The architectures.
        cost: Name of the cost.
        eps: Share of the hull's error by which an entry may lie above it, 0 or more.

    Raises:
        ValueError: `eps` is negative.
    """
    if eps < 0:
        raise ValueError(f"eps: {eps} is not 0 or more.")
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
    for point in sorted(points, reverse=True):  # the lowest of those above each other comes last, and stays
        while corners and (
            corners[-1][0] == point[0] or (len(corners) > 1 and not _below(point, corners[-1], corners[-2]))
        ):
            corners.pop()
        corners.append(point)
    return corners[::-1]


def height(corners: Sequence[Point], x: Fraction) -> Fraction:
    """Return the hull's error at a cost that lies between its first and its last corner."""
    right = bisect_right([corner[0] for corner in corners], x)
    if right == len(corners):
        return corners[-1][1]
    (x1, y1), (x2, y2) = corners[right - 1], corners[right]
    return y1 + (y2 - y1) * (x - x1) / (x2 - x1)


def _below(left: Point, middle: Point, right: Point) -> bool:
    """Say whether a point lies under the line between two others."""
    before = (middle[1] - left[1]) * (right[0] - middle[0])
    after = (right[1] - middle[1]) * (middle[0] - left[0])
    return before < after


MARGIN = Fraction(11, 10)
"""The largest cost is taken times this, so that the costliest architecture covers something too."""

WORST_ERROR = 1.0


def reference_of(entries: Iterable[Entry], cost: str) -> tuple[float, float]:
    """Return the reference point of a pool: error 1 and 1.1 times its largest cost; 1 where all cost 0.

    It hangs on the pool: to compare two pools, give both the same point.
    """
    largest = max((Fraction(entry.costs[cost]) for entry in entries), default=Fraction(0))
    return WORST_ERROR, float(largest * MARGIN) or 1.0


def hypervolume(entries: Iterable[Entry], cost: str, reference: tuple[float, float]) -> float:
    """Return the share of the rectangle from 0 to the reference point that the entries dominate, 0 to 1.

    This is the hypervolume indicator for two objectives that are both made small (Zitzler and Thiele, PPSN
    1998, "size of the space covered"), exact, divided by the rectangle between an architecture that costs
    nothing and never errs and the reference point. Costs count linearly. An entry that is no better than the
    reference point in both covers nothing.

    Args:
        entries: The architectures; those that another beats add nothing.
        cost: Name of the cost.
        reference: Error and cost above which nothing counts.

    Raises:
        ValueError: The reference point is not above 0 in both.
    """
    ceiling, edge = map(Fraction, reference)
    if ceiling <= 0 or edge <= 0:
        raise ValueError(f"reference: {reference} is not above 0 in error and cost.")
    covered, lowest = Fraction(0), ceiling
    for x, y in sorted((Fraction(entry.costs[cost]), Fraction(entry.error)) for entry in entries):
        if x < edge and y < lowest:
            # What is new is a strip: from here to the edge, and from the lowest error so far to this one.
            covered += (edge - x) * (lowest - y)
            lowest = y
    return float(covered / (ceiling * edge))
