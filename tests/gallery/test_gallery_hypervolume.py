"""The hypervolume: by hand, what holds for every pool; and that broken ones are refused."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from gallery_samples import pool, pools
from hypothesis import given
from mutants_gallery import VOLUMES

from nascore.gallery import Gallery


def refuse_broken_volumes() -> None:
    """Fail where the volume is not that of a drawing on squared paper."""
    # Up to error 1 and cost 10: strips from 2 with 0.5, from 4 with 0.3 more, from 5 with nothing more.
    gallery = pool((2, 0.5), (4, 0.2), (5, 0.4))
    assert gallery.hypervolume("macs", (1, 10)) == pytest.approx((8 * 0.5 + 6 * 0.3) / 10)
    # Who is beyond the point counts nothing, however good; half the square is cut off.
    assert gallery.hypervolume("macs", (0.5, 5)) == pytest.approx(1 * 0.3 / 2.5)
    assert pool((2, 0.5), (20, 0.1)).hypervolume("macs", (1, 10)) == pytest.approx(0.4)
    # By itself: 1.1 times the largest cost.
    assert pool((10, 0.5)).hypervolume("macs") == pytest.approx(0.5 / 11)


def test_by_hand() -> None:
    refuse_broken_volumes()


@pytest.mark.parametrize("mutant", VOLUMES)
def test_broken_volumes_are_refused(mutant, monkeypatch) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        refuse_broken_volumes()


def test_edges() -> None:
    assert Gallery().hypervolume() == 0
    assert pool((0, 0.25), (0, 0.5)).hypervolume() == pytest.approx(0.75)  # no cost: the error alone
    assert pool((3, 1.0)).hypervolume() == 0
    assert pool((0, 0.0), (9, 0.5)).hypervolume() == 1
    assert pool((2, 0.5), (2, 0.5)).hypervolume() == pool((2, 0.5)).hypervolume()


@pytest.mark.parametrize("point", [(0, 5), (1, 0), (-1, 5)])
def test_a_point_without_an_area_is_refused(point) -> None:
    with pytest.raises(ValueError, match="is not above 0"):
        pool((2, 0.5)).hypervolume("macs", point)


def squares(gallery: Gallery, errors: int, costs: int) -> Fraction:
    """The share of unit squares, eighths of error by units of cost, that an entry dominates."""
    covered = sum(
        any(8 * one.error <= error and one.costs["macs"] <= cost for one in gallery)
        for error in range(errors)
        for cost in range(costs)
    )
    return Fraction(covered, errors * costs)


@given(pools())
def test_it_is_the_number_of_squares(gallery) -> None:
    for errors, costs in ((8, 10), (5, 4)):
        point = (errors / 8, costs)
        assert gallery.hypervolume("macs", point) == pytest.approx(float(squares(gallery, errors, costs)))


@given(pools(), pools())
def test_more_entries_never_cover_less(one, other) -> None:
    both = pool(*((entry.costs["macs"], entry.error) for entry in (*one, *other)))
    volumes = [gallery.hypervolume("macs", (1, 10)) for gallery in (one, other, both)]
    assert max(volumes[:2]) <= volumes[2] <= min(1, sum(volumes[:2]))
    assert Gallery(both.front("macs")).hypervolume("macs", (1, 10)) == volumes[2]
    assert Gallery(both.hull()).hypervolume("macs", (1, 10)) <= volumes[2]


def test_the_file_says_it_and_is_read_without() -> None:
    gallery = pool((2, 0.5), (4, 0.25))
    plain = json.loads(gallery.to_json())
    assert plain["hypervolume"] == {cost: gallery.hypervolume(cost) for cost in ("params", "macs")}
    # Of an older nascore, and of a newer.
    assert Gallery.from_json(json.dumps({"entries": plain["entries"]})) == gallery
    assert Gallery.from_json(json.dumps({**plain, "colour": "red"})) == gallery
    assert json.loads(Gallery().to_json()) == {"entries": [], "failures": {}, "front": [], "hypervolume": {}}


def test_an_id_that_there_is_not() -> None:
    with pytest.raises(KeyError):
        pool((1, 0.5))[2]
