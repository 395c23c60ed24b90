from itertools import combinations, product
from types import SimpleNamespace

import pytest
from recipe_sample import NEXT_TO_XNAS, TABLE, hooks, part, plain, recipe, registry

from nascore.plugin import Registry
from nascore.recipe import Request, dump_recipe, resolve

SLOTS_VARIED = ("space", "growth", "updater", "trainer", "relaxation", "regularizer")


@pytest.fixture(scope="module")
def installed():
    return registry()


@pytest.mark.parametrize(
    ("names", "brought"),
    [
        ({"updater": ["xnas"]}, ("xnas", "first", "weights-first", "softmax", ())),
        ({"growth": ["petridish"]}, ("uniform", "single-level", "architecture-first", "linear", ("l1",))),
        (
            {"growth": ["petridish"], "updater": ["xnas"]},
            ("xnas", "first", "weights-first", "softmax", ()),
        ),
        ({"updater": ["data"]}, ("data", "first", "architecture-first", "egs", ("l1",))),
        (
            {"growth": ["petridish"], "updater": ["data"]},
            ("data", "single-level", "architecture-first", "egs", ("l1",)),
        ),
        ({}, ("darts", "first", "architecture-first", "softmax", ())),
    ],
)
def test_what_wishes_bring(installed, names, brought):
    found = recipe(installed, names=names)
    assert found.problems == ()
    values = (
        *found.names("updater"),
        found.setting("trainer.estimate"),
        found.setting("trainer.sequence"),
        *found.names("relaxation"),
        found.names("regularizer"),
    )
    assert values == brought


def test_a_wish_that_does_not_fit_is_passed_over_with_its_reason(installed):
    found = recipe(installed, names={"updater": ["xnas"], "growth": ["petridish"]})
    assert [str(passed) for passed in found.declined] == [
        "l1, wished by petridish, is not used: it needs an updater that follows the gradient of theta"
    ]


def test_alternatives_of_a_wish_are_tried_in_order(installed):
    assert recipe(installed, names={"updater": ["data"]}).setting("relaxation.draws") == 4
    assert recipe(installed, names={"updater": ["data"], "space": ["nb201"]}).setting("relaxation.draws") == 1


def test_what_was_named_is_never_passed_over(installed):
    found = recipe(installed, names={"updater": ["xnas"], "relaxation": ["linear"]})
    [problem] = found.refused
    assert str(problem) == (
        "xnas and linear do not fit.\n"
        "     xnas needs a relaxation that gives non-negative weights that sum to 1 over each "
        "segment; linear does not qualify.\n"
        "     Why: its rewards need a distribution.\n"
        "     xnas from --updater; linear from --relaxation. What fits: egs, softmax."
    )
    assert problem.slots == ("updater", "relaxation")


def test_a_doubtful_combination_is_warned_of(installed):
    found = recipe(installed, names={"updater": ["data"], "relaxation": ["softmax"]})
    assert found.refused == ()
    [problem] = found.warned
    assert str(problem).startswith("warning: data and softmax do not fit well.\n")


def test_a_need_depends_on_settings(installed):
    named = {"updater": ["darts"], "space": ["nb201"], "relaxation": ["egs"]}
    assert len(recipe(installed, names=named).refused) == 1
    assert recipe(installed, names=named, sets=["relaxation.draws=1"]).refused == ()


def test_a_check_on_values_sees_the_whole_recipe(installed):
    [problem] = recipe(installed, sets=["trainer.batch=7"]).problems
    assert (problem.path, problem.text) == ("trainer.batch", "is odd.")


def test_an_unknown_component_brings_no_second_error(installed):
    [problem] = recipe(installed, names={"updater": ["xnass"]}, sets=["updater.eta=1"]).problems
    assert problem.hint == "Did you mean xnas?"


def test_an_empty_slot_says_what_there_is():

    alone = Registry.of(own=SimpleNamespace(**hooks([part("mine", "space"), part("wide", "space")])))
    problems = {problem.path: problem for problem in resolve(Request().layers(alone), alone).problems}
    said = "trainer: no trainer is chosen. Write --trainer NAME: none is installed."
    assert str(problems["trainer"]) == said
    assert str(problems["space"]) == (
        "space: no space is chosen, and nascore-darts, which brings the default, is not installed. "
        "pip install nascore-darts, or write --space NAME: mine, wide."
    )
    assert problems["space"].missing == "nascore-darts"


def requests(installed):
    """Every way to name at most two of six slots, lists with one or no component."""
    options = {
        slot: [[name] for name in installed.names(slot)] + ([["none"]] if slot == "regularizer" else [])
        for slot in SLOTS_VARIED
    }
    yield {}
    for count in (1, 2):
        for slots in combinations(SLOTS_VARIED, count):
            for names in product(*(options[slot] for slot in slots)):
                yield dict(zip(slots, names, strict=True))


def test_naming_what_was_brought_changes_nothing(installed):
    for names in requests(installed):
        found = recipe(installed, names=names)
        brought = {slot.name: list(found.names(slot.name)) or ["none"] for slot in TABLE}
        again = recipe(installed, names=brought)
        assert plain(again) == plain(found), names
        assert again.problems == () or found.problems != (), names


def test_a_written_recipe_settles_to_the_same(installed, tmp_path):
    path = tmp_path / "recipe.yaml"
    for names in requests(installed):
        found = recipe(installed, names=names, sets=["updater.lr=0.5"] if names == {} else [])
        path.write_text(dump_recipe(found), encoding="utf-8")
        again = recipe(installed, recipe=path)
        assert plain(again) == plain(found), names
        assert (again.scale[0], len(again.problems)) == ("mini", len(found.problems)), names
        assert dump_recipe(again) == dump_recipe(found)


def test_a_written_recipe_keeps_a_name_that_is_ambiguous(tmp_path):

    both = registry(idea=NEXT_TO_XNAS)
    file = tmp_path / "a b: c.yaml"
    found = recipe(both, names={"updater": ["idea:xnas"], "space": [f"file:{file}"]})
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_recipe(found), encoding="utf-8")
    again = recipe(both, recipe=path)
    assert again.problems == ()
    assert again.part("updater").component is found.part("updater").component
    assert plain(again) == plain(found)
