"""The covering array: every triple that some row can hold is in it, and it is small."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from nascore.testing.mixes import combined, covering


def triples(rows, strength=3):
    """What a list of rows holds, worked out in another way than by the generator."""
    return {
        (columns, tuple(row[column] for column in columns))
        for row in rows
        for columns in combinations(range(len(row)), strength)
    }


def grid(*sizes, unless=lambda _row: False):
    return [row for row in product(*map(range, sizes)) if not unless(row)]


@pytest.mark.parametrize("strength", [1, 2, 3])
@pytest.mark.parametrize(
    "rows",
    [
        grid(2, 2, 2, 2),
        grid(4, 3, 3, 2, 2),
        grid(3, 3, 3, 3, unless=lambda row: row[0] == row[1]),
        grid(4, 3, 2, 2, unless=lambda row: row[0] == 3 and row[1:] != (0, 0, 0)),
        grid(5),
        grid(3, 2),
        [],
    ],
    ids=["binary", "mixed", "constrained", "a-value-of-one-row", "one-column", "two-columns", "nothing"],
)
def test_it_holds_all_that_can_stand_together_and_nothing_else(rows, strength):
    found = covering(rows, strength=strength)

    assert triples(found, strength) == triples(rows, strength)
    assert set(found) <= set(rows)
    assert len(set(found)) == len(found)


def test_a_triple_that_no_row_holds_is_not_asked_for():
    rows = grid(2, 2, 2, unless=lambda row: row == (1, 1, 1))

    assert sorted(covering(rows)) == rows


@pytest.mark.parametrize(("sizes", "most"), [((2,) * 5, 14), ((3,) * 4, 36), ((4, 3, 3, 2, 2), 46)])
def test_it_is_small(sizes, most):
    """The least that any array can have is the product of the three largest columns: 8, 27 and 36."""
    assert len(covering(grid(*sizes))) <= most


def test_it_is_no_larger_than_the_best_where_that_can_be_tried():
    """For pairs of three columns of two values four rows are enough, and three never are."""
    rows = grid(2, 2, 2)
    wanted = triples(rows, 2)
    best = next(
        size
        for size in range(1, len(rows) + 1)
        if any(triples(few, 2) == wanted for few in combinations(rows, size))
    )

    assert len(covering(rows, strength=2)) == best == 4


def test_the_same_rows_give_the_same_array():
    rows = grid(4, 3, 3, 2)

    assert covering(rows) == covering(list(rows))


def test_a_row_without_what_it_alone_holds_is_missed():
    rows = grid(3, 3, 3)
    found = covering(rows)

    assert all(triples([other for other in found if other != row]) != triples(rows) for row in found)


def test_a_value_counts_by_its_column():
    assert combined(("a", "a"), 1) == {frozenset({(0, "a")}), frozenset({(1, "a")})}
