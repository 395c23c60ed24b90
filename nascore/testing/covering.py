"""Covering arrays: few rows that together hold every choice of three (or two) values that any row can hold.

What goes wrong between parts goes wrong between two or three of them: a row for every triple finds it in a
small part of the time that all combinations take (Kuhn, Wallace, Gallo 2004, IEEE TSE 30(6): of the failures
that they looked at, 90 % and more came of three values or fewer).
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    Values: TypeAlias = frozenset[tuple[int, Hashable]]

Row = TypeVar("Row", bound="Sequence[Hashable]")
TRIPLES = 3


def covering(rows: Sequence[Row], *, strength: int = TRIPLES) -> list[Row]:
    """Return rows that hold whatever so many values, each of another column, stand together in some row.

    Greedy: always the row that holds most of what is missing still, of equals the first. So the same rows
    give the same array, and what no row holds is not asked for.

    Args:
        rows: All rows that are allowed, of one length.
        strength: How many values; with 1, every value stands in some row.
    """
    missing = {values for row in rows for values in held(row, strength)}
    # What a row holds of what is missing only falls: the best is found without looking at the others again.
    queue = [(-len(held(row, strength)), place) for place, row in enumerate(rows)]
    heapify(queue)
    chosen = []
    while missing:
        _, place = heappop(queue)
        new = held(rows[place], strength) & missing
        if queue and (-len(new), place) > queue[0]:
            heappush(queue, (-len(new), place))
            continue
        chosen.append(rows[place])
        missing -= new
    return chosen


def held(row: Sequence[Hashable], strength: int = TRIPLES) -> set[Values]:
    """Return every set of so many values of a row, each with its column; fewer where the row is shorter."""
    return {frozenset(values) for values in combinations(enumerate(row), min(strength, len(row)))}
