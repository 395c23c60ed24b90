"""Means, intervals and tests by hand, by enumeration, and by another library."""

from __future__ import annotations

from itertools import product
from random import Random
from statistics import fmean

import pytest

from nascore.comparison.significance import (
    Difference,
    holm,
    mean_interval,
    paired,
    quantile,
    seeds_needed,
    two_sided,
    unpaired,
)

# Student's table, 95 % two-sided, as printed in any book.
TABLE = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 30: 2.042, 120: 1.980}


@pytest.mark.parametrize("freedom", TABLE)
def test_quantiles_are_those_of_the_tables(freedom):
    assert quantile(freedom) == pytest.approx(TABLE[freedom], abs=5e-4)
    assert two_sided(quantile(freedom), freedom) == pytest.approx(0.05, abs=1e-9)


def drawing(seed):
    return Random(seed)  # noqa: S311 - nothing secret


def test_the_tail_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    draw = drawing(3)
    for _ in range(300):
        t, freedom = draw.expovariate(0.3), draw.uniform(0.6, 200)
        assert two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-8, abs=1e-11)
    assert two_sided(0, 4) == 1
    assert two_sided(-2, 4) == two_sided(2, 4)


def test_the_interval_of_a_mean_by_hand():
    # Mean 3, standard deviation sqrt(2.5), t of four degrees of freedom.
    low, high = mean_interval([1, 2, 3, 4, 5])
    assert (low + high) / 2 == pytest.approx(3)
    assert high - 3 == pytest.approx(2.776445 * (2.5 / 5) ** 0.5, abs=1e-5)


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5, 0.5]])
def test_values_of_which_student_says_nothing_have_no_interval(values):
    assert mean_interval(values) is None


def test_the_paired_permutation_counts_all_flips():
    draw = drawing(1)
    for _ in range(20):
        first, second = ([draw.random() for _ in range(6)] for _ in range(2))
        differences = [one - other for one, other in zip(first, second, strict=True)]
        flips = [
            sum(sign * one for sign, one in zip(signs, differences, strict=True))
            for signs in product((1, -1), repeat=6)
        ]
        share = fmean(abs(flip) >= abs(sum(differences)) - 1e-9 for flip in flips)
        assert paired(first, second).exact == pytest.approx(share)


def test_five_pairs_cannot_give_a_small_exact_p():
    found = paired([0.9, 0.91, 0.92, 0.93, 0.94], [0.1, 0.12, 0.11, 0.1, 0.13])
    assert found.exact == found.least == 2 / 32
    assert found.p < 1e-6
    assert seeds_needed(1) == 6
    assert seeds_needed(10) == 9


def test_both_tests_agree_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    draw = drawing(2)
    first, second = [draw.gauss(0.9, 0.02) for _ in range(5)], [draw.gauss(0.88, 0.03) for _ in range(5)]
    found, other = paired(first, second), unpaired(first, second[:4])
    assert found.p == pytest.approx(stats.ttest_rel(first, second).pvalue)
    assert found.interval == pytest.approx(tuple(stats.ttest_rel(first, second).confidence_interval()))
    welch = stats.ttest_ind(first, second[:4], equal_var=False)
    assert other.p == pytest.approx(welch.pvalue)
    assert other.interval == pytest.approx(tuple(welch.confidence_interval()))


def test_the_unpaired_permutation_of_two_that_never_meet():
    # Of the 20 ways to deal six values into threes, two are as far apart.
    assert unpaired([0.9, 0.8, 0.7], [0.1, 0.2, 0.3]).exact == pytest.approx(2 / 20)


def test_equal_values_differ_by_nothing():
    found = paired([0.5, 0.75], [0.5, 0.75])
    assert (found.value, found.p, found.exact, found.interval) == (0, 1, 1, None)


def test_a_difference_without_spread_is_left_to_the_permutation():
    for found in (paired([0.5, 0.75, 1.0], [0.25, 0.5, 0.75]), unpaired([0.5] * 3, [0.25] * 3)):
        assert found.value == pytest.approx(0.25)
        assert found.p is None
        assert found.interval is None
    assert paired([0.5, 0.75, 1.0], [0.25, 0.5, 0.75]).exact == 2 / 8


def test_one_seed_says_nothing():
    assert paired([0.9], [0.1]) == Difference(value=pytest.approx(0.8))
    assert unpaired([0.9, 0.8], [0.1]).p is None


def test_many_seeds_are_drawn_and_still_the_same_each_time():
    draw = drawing(5)
    first, second = ([draw.random() for _ in range(40)] for _ in range(2))
    for compare in (paired, unpaired):
        found = compare(first, second)
        assert found == compare(first, second)
        assert found.exact == pytest.approx(found.p, abs=0.02)


def test_chance_alone_is_rarely_told_from_chance():
    """Of a thousand comparisons of nothing with nothing, about one in twenty may be called a difference."""
    draw = drawing(7)
    values = ([[draw.gauss(0, 1) for _ in range(8)] for _ in range(2)] for _ in range(1000))
    found = [paired(*pair) for pair in values]
    assert 30 <= sum(one.p < 0.05 for one in found) <= 70
    assert 25 <= sum(one.exact < 0.05 for one in found) <= 70


def test_holm_by_hand():
    # Sorted: .005 * 4, .01 * 3, .03 * 2, .04 * 1, each no less than the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([]) == []
