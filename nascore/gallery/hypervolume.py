"""How much of the plane of error and cost a pool of architectures covers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.gallery.entry import Entry

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
