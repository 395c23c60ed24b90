"""The eps-hull: oracle 14, its edges, what holds for every pool; and that broken hulls are refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from attrs import evolve
from gallery_samples import ORACLE, ids, pool, pools
from hypothesis import given
from hypothesis import strategies as st
from mutants_gallery import HULLS

from nascore.gallery import Gallery

EPS = 0.025


def refuse_broken_hulls() -> None:
    """Fail where the hull is not that of oracle 14."""
    first = pool(*ORACLE)
    assert ids(first.hull()) == [1, 2, 4]
    assert ids(first.hull(eps=EPS)) == [1, 2, 4]
    # 0.255 is under 0.25 * 1.025, and 0.2049 under 0.2 * 1.025; the hull itself stays.
    second = pool(*ORACLE[:2], (3, 0.255), (4, 0.2), (5, 0.2049))
    assert ids(second.hull()) == [1, 2, 4]
    assert ids(second.hull(eps=EPS)) == [1, 2, 3, 4, 5]
    assert ids(pool(*ORACLE[:2], (3, 0.257), (4, 0.2), (5, 0.2051)).hull(eps=EPS)) == [1, 2, 4]


def test_oracle_14() -> None:
    refuse_broken_hulls()


@pytest.mark.parametrize("mutant", HULLS)
def test_broken_hulls_are_refused(mutant, monkeypatch) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        refuse_broken_hulls()


def test_training_error_would_choose_others() -> None:
    # More parameters fit the training images better; those held back say otherwise.
    assert ids(pool((1, 0.3), (2, 0.2), (3, 0.25)).hull(eps=EPS)) == [1, 2]


@pytest.mark.parametrize(
    ("points", "hull", "wide"),
    [
        ([], [], []),
        ([(3, 0.2)], [1], [1]),
        ([(3, 0.2), (3, 0.2)], [1, 2], [1, 2]),  # equals: both
        ([(3, 0.3), (3, 0.2)], [2], [2]),  # one cost, two errors
        ([(3, 0.204), (3, 0.2)], [2], [2, 1]),
        ([(0, 0.5), (0, 0.5), (0, 0.6)], [1, 2], [1, 2]),  # nothing costs anything
        ([(0, 0.5), (4, 0.1)], [1, 2], [1, 2]),
        ([(1, 0.0), (2, 0.0)], [1], [1, 2]),  # no error at all
        ([(1, 0.5), (2, 0.375), (3, 0.25)], [1, 2, 3], [1, 2, 3]),  # in one line
        ([(1, 0.2), (2, 0.2)], [1], [1, 2]),  # as good, and costs more
        ([(1, 0.2), (2, 0.9)], [1], [1]),
        ([(9, 0.1), (1, 0.6), (5, 0.2)], [2, 3, 1], [2, 3, 1]),  # cheapest first, in whatever order they came
    ],
)
def test_edges(points, hull, wide) -> None:
    assert ids(pool(*points).hull()) == hull
    assert ids(pool(*points).hull(eps=EPS)) == wide


def test_a_negative_eps_is_refused() -> None:
    with pytest.raises(ValueError, match=r"eps: -0\.1 is negative"):
        pool((1, 0.5)).hull(eps=-0.1)


def test_any_cost() -> None:
    costs = ({"params": 1, "macs": 2}, {"params": 2, "macs": 1})
    gallery = Gallery(
        tuple(evolve(one, costs=of) for one, of in zip(pool((1, 0.5), (1, 0.5)), costs, strict=True))
    )
    assert ids(gallery.hull("params")) == [1]
    assert ids(gallery.hull()) == ids(gallery.hull("macs")) == [2]


def by_definition(gallery: Gallery) -> set[int]:
    """The members of the hull, pair by pair: on the front, and under no line between two others."""
    points = {one.id: (Fraction(one.costs["macs"]), Fraction(one.error)) for one in gallery}

    def under(x, y, left, right):
        (x1, y1), (x2, y2) = left, right
        return x1 < x < x2 and y1 + (y2 - y1) * (x - x1) / (x2 - x1) < y

    return {
        one.id
        for one in gallery.front("macs")
        if not any(under(*points[one.id], a, b) for a in points.values() for b in points.values())
    }


@given(pools())
def test_the_hull_is_what_it_is_by_definition(gallery) -> None:
    assert set(ids(gallery.hull())) == by_definition(gallery)


@given(pools(), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_wider_hull_holds_the_narrower(gallery, one, other) -> None:
    narrow, wide = (set(ids(gallery.hull(eps=eps))) for eps in sorted((one, other)))
    assert set(ids(gallery.hull())) <= narrow <= wide
    assert gallery.hull()[-1].error == gallery.best.error


@given(pools(), st.randoms(use_true_random=False), st.integers(1, 9))
def test_neither_order_nor_the_unit_of_cost_counts(gallery, rng, unit) -> None:
    entries = list(gallery)
    rng.shuffle(entries)
    assert ids(Gallery(tuple(entries)).hull(eps=EPS)) == ids(gallery.hull(eps=EPS))
    scaled = pool(*((unit * one.costs["macs"], one.error) for one in gallery))
    assert ids(scaled.hull(eps=EPS)) == ids(gallery.hull(eps=EPS))


@given(pools(most=40))
def test_the_front_is_what_it_is_by_definition(gallery) -> None:
    def beats(one, other):
        mine, its = (one.error, one.costs["macs"]), (other.error, other.costs["macs"])
        return mine != its and mine[0] <= its[0] and mine[1] <= its[1]

    standing = {one.id for one in gallery if not any(beats(other, one) for other in gallery)}
    assert set(ids(gallery.front("macs"))) == standing
    assert [one.costs["macs"] for one in gallery.front("macs")] == sorted(
        one.costs["macs"] for one in gallery.front("macs")
    )
