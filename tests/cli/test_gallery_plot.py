"""The plot in the terminal: where points stand, what is written at the axes, and how wide it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nascore.cli.plot import Axis, Point, scatter, short


def test_a_plot_by_hand() -> None:
    points = [Point(x=0, y=0, mark="."), Point(x=20, y=10, mark="*"), Point(x=10, y=5, mark="o")]
    assert scatter(points, width=25, rows=5).splitlines() == [
        "10 +                    *",
        "   |",
        " 5 +          o",
        "   |",
        " 0 +.",
        "   ++---------+---------+",
        "    0        10        20",
    ]


def test_what_comes_later_lies_on_top() -> None:
    points = [Point(x=1, y=1, mark=mark) for mark in ".o*"]
    drawn = scatter(points, width=30)
    assert drawn.count("*") == 1
    assert "o" not in drawn


@pytest.mark.parametrize(
    ("values", "log"),
    [((1, 9), False), ((1, 10), True), ((0, 1000), False), ((5, 5), False), ((35_422, 3_349_342), True)],
)
def test_a_tenfold_is_drawn_by_ratio(values, log) -> None:
    assert Axis.of(values).log is log


def test_equal_ratios_are_equally_far() -> None:
    axis = Axis.of((1e4, 1e6))
    assert [axis.cell(value, 21) for value in (1e4, 1e5, 1e6)] == [0, 10, 20]
    linear = Axis.of((0, 100))
    assert [linear.cell(value, 21) for value in (0, 10, 100)] == [0, 2, 20]


@pytest.mark.parametrize(
    ("values", "most", "ticks"),
    [
        ((0.55, 0.86), 6, [0.6, 0.7, 0.8]),
        ((0, 20), 4, [0, 5, 10, 15, 20]),
        ((35_422, 402_000), 5, [5e4, 1e5, 2e5]),
        ((1e4, 1e7), 5, [1e4, 1e5, 1e6, 1e7]),  # the twos and fives are left out
    ],
)
def test_round_values_are_written(values, most, ticks) -> None:
    assert Axis.of(values).ticks(most) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (999, "999"),
        (35_422, "35.4k"),
        (999_499, "999k"),
        (999_999, "1M"),
        (3_349_342, "3.35M"),
        (574e6, "574M"),
        (2e9, "2G"),
        (5e15, "5000T"),
    ],
)
def test_three_digits(value, text) -> None:
    assert short(value) == text


@given(
    st.lists(st.tuples(st.floats(0, 1e12), st.floats(0, 1)), min_size=1, max_size=30),
    st.integers(30, 200),
)
def test_no_plot_is_wider_than_asked_for_and_every_row_is_there(points, width) -> None:
    drawn = scatter([Point(x=x, y=y, mark="*") for x, y in points], width=width, rows=8)
    lines = drawn.splitlines()
    assert len(lines) == 10
    assert max(map(len, lines)) <= max(width, 40)
    assert 1 <= drawn.count("*") <= len(set(points))
    assert all(32 <= ord(letter) < 127 for letter in drawn.replace("\n", ""))
