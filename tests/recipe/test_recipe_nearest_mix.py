"""The suggestion that ends a refusal: found, works, and changes what its user misses least."""

from collections import Counter

import pytest
from attrs import evolve
from recipe_table import asked, changed, combinations, expected, installed, settled
from suggested import REGISTRY, line_of, read_back, said, suggestion, suggestions, tried

from nascore.component import Need
from nascore.recipe import Request, resolve
from nascore.recipe.advice.nearest_mix import UnfitError, fitting_components, unfit
from nascore.recipe.sources.run_settings import SEARCH_RUN
from nascore.slots import SLOTS

pytestmark = pytest.mark.needs(
    "nascore-darts",
    "nascore-data",
    "nascore-geonas",
    "nascore-nasbench",
    "nascore-petridish",
    "nascore-xnas",
)


def flags(sets=(), **names):
    return Request(names={slot: typed.split() for slot, typed in names.items()}, sets=sets)


def far(combination):
    """Whether three changes are needed: no command is looked for that far away."""
    three = {"space": "nb201", "updater": "xnas", "estimate": "unrolled", "relaxation": "linear"}
    costly = combination["regularizer"] in {"entropy", "cost"} and combination["growth"] in GROWN
    return costly and three.items() <= combination.items()


GROWN = {"petridish"}


def test_for_every_refused_combination_a_request_is_found_that_is_not_refused():
    check_found(3)


@pytest.mark.slow
def test_for_all_refused_combinations_a_request_is_found_that_is_not_refused():
    check_found(1)


def check_found(step):
    assert len(tried(step)) > 1000 / step
    for combination, found in tried(step):
        assert (found is None) == far(combination), combination
        if found is None:
            continue
        recipe = settled(found.request, REGISTRY, explain=False)
        assert recipe.refused == (), combination
        assert 1 <= len(found.changes) <= 2, combination


def test_a_sound_request_is_found_wherever_the_combination_can_be_cured_by_two_changes():
    verdicts = Counter("warned" if found.recipe.warned else "sound" for _, found in suggestions())
    assert verdicts["sound"] > 100  # the others keep a warning that they had, as of growth random
    worse = [
        combination
        for combination, found in suggestions()
        if found.recipe.warned and not settled(asked(combination), REGISTRY).warned
    ]
    assert worse == []


def test_every_command_that_is_suggested_says_the_request_that_was_found():
    for combination, found in suggestions():
        assert said(read_back(line_of(found))) == said(found.request), combination


def test_growth_and_space_are_kept_where_anything_else_can_be_changed():
    for combination, found in suggestions():
        space = {"chain": "planted"}.get(combination["space"], combination["space"])
        kept = (
            found.recipe.names("space") == (space,),
            found.recipe.names("growth") == (combination["growth"],),
        )
        # Where the two do not fit each other, one goes: growth, the later, unless the space misfits more.
        apart = space == "nb201" and combination["growth"] in GROWN
        assert kept in ({(True, False), (False, True)} if apart else {(True, True)}), combination


@pytest.mark.parametrize(
    ("asks", "changes", "line"),
    [
        # One choice against a rule: it is given back.
        (
            flags(updater="xnas", relaxation="linear"),
            ("linear removed, so xnas brings softmax",),
            "nascore search --updater xnas",
        ),
        # A whole choice is not thrown away for one bad component, nor replaced by a silly one.
        (
            flags(updater="geonas", relaxation="linear", regularizer="l1 entropy"),
            ("l1 removed", "linear removed, so geonas brings softmax"),
            "nascore search --updater geonas --regularizer entropy",
        ),
        # The last of a list: the list is left deliberately empty.
        (
            flags(updater="geonas", regularizer="l1"),
            ("l1 removed",),
            "nascore search --updater geonas --regularizer none",
        ),
        # With a component go its settings.
        (
            flags(["regularizer.l1.weight=0.5", "seed=4"], updater="geonas", regularizer="l1 entropy"),
            ("l1 removed",),
            "nascore search --updater geonas --regularizer entropy --set seed=4",
        ),
        (
            flags(["regularizer.builtin:l1.weight=0.5"], updater="geonas", regularizer="builtin:l1 entropy"),
            ("l1 removed",),
            "nascore search --updater geonas --regularizer entropy",
        ),
        # Of two ways the sound one, though nothing reads a setting that was typed.
        (
            flags(["trainer.epochs=3"], growth="random", relaxation="linear", updater="xnas"),
            ("xnas removed, so random brings uniform",),
            "nascore search --growth random --relaxation linear --set trainer.epochs=3",
        ),
        # A setting that was typed is dropped, and nothing else.
        (
            flags(["trainer.estimate = unrolled", "trainer.epochs=3"], updater="xnas"),
            ("trainer.estimate unset, so it is first",),
            "nascore search --updater xnas --set trainer.epochs=3",
        ),
        (
            flags(["regularizer.l1.target=code"], updater="sgd", regularizer="l1"),
            ("regularizer.l1.target unset, so it is theta",),
            "nascore search --updater sgd --regularizer l1",
        ),
        (
            flags(["updater.exclude_none=false", "updater.clip=2"], updater="xnas"),
            ("updater.exclude_none unset, so it is true",),
            "nascore search --updater xnas --set updater.clip=2",
        ),
    ],
)
def test_what_is_suggested(asks, changes, line):
    found = suggestion(asks)
    assert found.changes == changes
    assert line_of(found) == line


def test_a_component_takes_the_place_of_another_where_nothing_can_be_given_back():
    darts = REGISTRY.get("updater", "darts")
    needs = (Need(terms=("not relaxation.unbiased",), why="of a test"),)
    found = suggestion(Request(), changed(REGISTRY, darts, needs=needs))
    assert found.changes == ("softmax replaced by egs",)
    assert line_of(found) == "nascore search --relaxation egs"


def test_a_setting_that_nobody_gave_is_changed_where_a_default_does_not_fit():
    alternating = REGISTRY.get("trainer", "alternating")
    needs = (Need(terms=("not dataset.halves",), why="of a test", when=lambda own: own.estimate == "first"),)
    found = suggestion(Request(), changed(REGISTRY, alternating, needs=needs))
    assert found.changes == ("trainer.estimate set to unrolled",)


def test_the_later_of_two_slots_gives_way():
    found = suggestion(flags(space="nb201", growth="petridish"), REGISTRY)
    assert found.changes == ("petridish removed, so none comes by default",)


def refused(wanted, registry=REGISTRY):
    recipe = resolve(wanted.layers(registry), registry)
    assert recipe.refused
    return recipe, unfit(recipe, wanted, registry, run=SEARCH_RUN, slots=SLOTS)


@pytest.mark.parametrize(
    "wanted",
    [
        flags(updater="xnass"),
        flags(["updater.eta=many"], updater="xnas"),
        flags(["updater.eta=many"], updater="xnas", relaxation="linear"),
        flags(["trainer.epochs=0", "trainer.estimate=unrolled"], updater="xnas"),
        flags(updater="xnas", relaxation="linear", regularizer="l2"),
        flags(["trainer.warm_up=10"], updater="xnas", relaxation="linear"),
    ],
)
def test_where_something_is_mistaken_nothing_is_suggested(wanted):
    """What was meant is not known yet."""
    assert refused(wanted)[1] is None


def test_a_misfit_is_a_refused_recipe_that_can_look_for_what_works():
    recipe, error = refused(flags(updater="xnas", relaxation="linear"))
    assert isinstance(error, UnfitError)
    assert error.exit_code == 3
    assert error.problems == recipe.problems
    assert error.suggestion().changes == ("linear removed, so xnas brings softmax",)


def test_what_a_warning_calls_sound_is_sound():
    """Wherever one thing is doubtful; of several each hint cures its own."""
    seen = set()
    for one in combinations(**installed(REGISTRY)):
        if expected(one) != "warned":
            continue
        problems = settled(asked(one), REGISTRY).problems
        if len(problems) > 1 or "Sound: " not in problems[0].hint:
            continue
        for way in problems[0].hint.removeprefix("Sound: ").removesuffix(".").split(", or "):
            flag, typed = way.split()
            seen.add(way)
            wanted = asked(one)
            if flag == "--set":
                assert typed.startswith("trainer.estimate=")
                wanted = evolve(wanted, sets=[typed])
            else:
                wanted = evolve(wanted, names={**wanted.names, flag.removeprefix("--"): [typed]})
            assert settled(wanted, REGISTRY, explain=False).problems == (), (one, way)
    assert {"--updater uniform", "--updater sgd", "--set trainer.estimate=first"} <= seen


def test_what_warns_is_no_misfit_to_cure():
    warned = flags(updater="geonas", sets=["trainer.estimate=unrolled"])
    recipe = resolve(warned.layers(REGISTRY), REGISTRY)
    assert recipe.warned
    assert unfit(recipe, warned, REGISTRY, run=SEARCH_RUN, slots=SLOTS) is None


FAR = {
    "space": "nb201",
    "growth": "petridish",
    "updater": "xnas",
    "estimate": "unrolled",
    "relaxation": "linear",
    "regularizer": "cost",
}


def test_where_three_changes_are_needed_there_is_no_command_but_what_fits_by_slot():
    assert suggestion(asked(FAR), REGISTRY) is None
    recipe, error = refused(asked(FAR), REGISTRY)
    assert error.fitting() == fitting_components(recipe, error.context)
    of_evolution = {"evolution", "local-search"}  # fit too, where that plugin is installed
    fitting = tuple(name for name in error.fitting()["growth"] if name not in of_evolution)
    assert fitting == ("none", "random", "sweep")
    assert error.fitting()["updater"] == ("darts", "data", "geonas", "sgd", "uniform")
    assert error.fitting()["relaxation"] == ("egs", "one-hot", "softmax")
