"""The gallery: front, intervals, files."""

from __future__ import annotations

import json

import pytest

from nascore.errors import RunFolderError
from nascore.gallery import Entry, Gallery, wilson


def entry(number, params, error, **more):
    return Entry(
        id=number,
        description=f"architectures/{number:04d}.yaml",
        error=error,
        count=287,
        costs={"params": params, "macs": 10 * params},
        **more,
    )


def test_the_front_holds_what_no_other_beats():
    entries = (entry(1, 4, 0.2), entry(2, 1, 0.5), entry(3, 3, 0.3), entry(4, 3, 0.35), entry(5, 5, 0.2))
    assert [found.id for found in Gallery(entries).front()] == [2, 3, 1]


def test_of_equals_all_stand():
    assert [found.id for found in Gallery((entry(1, 2, 0.1), entry(2, 2, 0.1))).front()] == [1, 2]


def test_the_front_can_be_asked_for_any_cost():
    one = Entry(id=1, description="a", error=0.1, count=10, costs={"params": 2, "macs": 1})
    two = Entry(id=2, description="b", error=0.1, count=10, costs={"params": 1, "macs": 2})
    assert [found.id for found in Gallery((one, two)).front("macs")] == [1]
    assert [found.id for found in Gallery((one, two)).front("params")] == [2]


def test_the_best_has_the_lowest_error_then_the_fewest_parameters():
    assert Gallery((entry(1, 9, 0.1), entry(2, 3, 0.1), entry(3, 1, 0.2))).best.id == 2


def test_a_gallery_comes_back_from_json():
    gallery = (
        Gallery().added(entry(1, 4, 0.25, weights="w", steps=88)).added(entry(2, 9, 0.125, parent=1, wave=1))
    )
    text = gallery.to_json()
    assert Gallery.from_json(text) == gallery
    plain = json.loads(text)
    assert plain["front"] == [1, 2]
    assert plain["entries"][1]["accuracy"] == 0.875
    assert gallery[2].parent == 1


@pytest.mark.parametrize("text", ["", "[]", '{"entries": [{"id": 1}]}', '{"front": []}'])
def test_what_is_no_gallery_says_so(text):
    with pytest.raises(RunFolderError, match="not a valid gallery"):
        Gallery.from_json(text)


def test_wilson_by_hand():
    # p = 0.1, n = 10, z = 2: middle (0.1 + 0.2) / 1.4, half sqrt(0.009 + 0.01) * 2 / 1.4
    low, high = wilson(0.1, 10, deviations=2)
    assert low == pytest.approx(0.3 / 1.4 - 2 / 1.4 * 0.019**0.5)
    assert high == pytest.approx(0.3 / 1.4 + 2 / 1.4 * 0.019**0.5)


def test_wilson_at_the_ends():
    low, high = wilson(0.0, 287)
    assert low == 0
    assert 0.01 < high < 0.014
    assert wilson(1.0, 287) == pytest.approx((1 - high, 1))
    assert wilson(0.5, 0) == (0, 1)
