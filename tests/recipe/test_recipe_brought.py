"""Wishes of the parts that are installed: what they bring, and that naming it changes nothing."""

from collections import Counter
from random import Random

import pytest
from recipe_sample import plain
from recipe_table import CHOICES, asked, installed, settled

from nascore.plugin import discover
from nascore.recipe import Request
from nascore.slots import SLOTS

pytestmark = pytest.mark.needs(
    "nascore-darts",
    "nascore-data",
    "nascore-geonas",
    "nascore-nasbench",
    "nascore-petridish",
    "nascore-xnas",
)

REGISTRY = discover()
TRIED = 500
"""Of 5,760 requests in which each choice is named or left open."""


def partly(registry, tried):
    """Requests that name some choices of the table; what is not named is left to the wishes."""
    draw = Random(0)  # noqa: S311 - nothing secret
    found = installed(registry)
    for _ in range(tried):
        names = {key: draw.choice([None, *found[key]]) for key in CHOICES}
        yield {key: name for key, name in names.items() if name is not None}


def brought(recipe, combination):
    """The same request with all that was brought named as well."""
    names = {slot.name: list(recipe.names(slot.name)) or ["none"] for slot in SLOTS}
    sets = [f"trainer.estimate={combination['estimate']}"] if "estimate" in combination else []
    return Request(scale="mini", names=names, sets=sets)


def test_naming_what_was_brought_changes_nothing():
    left_open = Counter()
    for combination in partly(REGISTRY, TRIED):
        found = settled(asked(combination), REGISTRY, explain=False)
        again = settled(brought(found, combination), REGISTRY, explain=False)
        assert plain(again) == plain(found), combination
        assert [(one.verdict, one.slots) for one in again.problems] == [
            (one.verdict, one.slots) for one in found.problems
        ], combination
        left_open[len(CHOICES) - len(combination)] += 1
    assert min(left_open[number] for number in (0, 1, 2, 3)) > 0


@pytest.mark.parametrize(
    ("combination", "updater", "estimate", "sequence", "relaxation"),
    [
        ({}, "darts", "first", "architecture-first", "softmax"),
        ({"updater": "xnas"}, "xnas", "first", "weights-first", "softmax"),
        ({"updater": "geonas"}, "geonas", "first", "architecture-first", "softmax"),
        ({"updater": "sgd"}, "sgd", "first", "architecture-first", "softmax"),
        ({"growth": "random"}, "uniform", "first", "architecture-first", "softmax"),
        ({"growth": "random", "updater": "xnas"}, "xnas", "first", "weights-first", "softmax"),
        # A wish's settings apply wherever nobody set others, also to what was named.
        ({"updater": "xnas", "estimate": "single-level"}, "xnas", "single-level", "weights-first", "softmax"),
    ],
)
def test_what_the_wishes_bring(combination, updater, estimate, sequence, relaxation):
    recipe = settled(asked(combination), REGISTRY)
    assert recipe.refused == ()
    assert recipe.names("updater") == (updater,)
    assert recipe.setting("trainer.estimate") == estimate
    assert recipe.setting("trainer.sequence") == sequence
    assert recipe.names("relaxation") == (relaxation,)
    assert recipe.names("regularizer") == ()


def test_who_brought_a_part_is_kept():
    recipe = settled(asked({"updater": "xnas", "growth": "random"}), REGISTRY)
    origins = {
        slot: str(recipe.part(slot).chosen_by) for slot in ("updater", "relaxation", "trainer", "space")
    }
    assert origins == {
        "updater": "--updater xnas",
        "relaxation": "wished by xnas",
        "trainer": "wished by xnas",
        "space": "default",
    }
    assert str(settled(asked({"growth": "random"}), REGISTRY).part("updater").chosen_by) == "wished by random"


@pytest.mark.parametrize(
    ("combination", "parts", "passed"),
    [
        (
            {"growth": "petridish"},
            ("sgd", "single-level", "linear", ("l1",)),
            (),
        ),
        (
            {"growth": "petridish", "updater": "xnas"},
            ("xnas", "single-level", "softmax", ()),
            ("alternating", "l1"),
        ),
        ({"growth": "petridish", "updater": "geonas"}, ("geonas", "single-level", "softmax", ()), ("l1",)),
        ({"growth": "petridish", "updater": "darts"}, ("darts", "single-level", "linear", ("l1",)), ()),
        ({"updater": "data"}, ("data", "first", "egs", ()), ()),
        ({"updater": "data", "growth": "petridish"}, ("data", "single-level", "egs", ("l1",)), ()),
    ],
)
def test_wishes_of_several_parts_meet(combination, parts, passed):
    recipe = settled(asked(combination), REGISTRY)
    assert recipe.refused == ()
    found = (
        *recipe.names("updater"),
        recipe.setting("trainer.estimate"),
        *recipe.names("relaxation"),
        recipe.names("regularizer"),
    )
    assert found == parts
    assert tuple(one.wish for one in recipe.declined) == passed


def test_alternatives_of_a_wish_are_tried_in_order():
    draws = {
        space: settled(asked({"updater": "data", "space": space}), REGISTRY).setting("relaxation.draws")
        for space in ("darts", "chain", "nb201")
    }
    assert draws == {"darts": 7, "chain": 7, "nb201": 1}
