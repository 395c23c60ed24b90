"""Settings that nothing reads beside another component: who gives one is warned, and nobody else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import nascore.builtin
from nascore.api import Component, hookimpl
from nascore.plugin import Registry
from nascore.recipe import Request, dump_recipe, settled
from nascore.testing.conformance import unreadable

UNREAD = {"ranking.epochs": "growth.epochs decides", "trainer": "it has none", "regularizer": "none"}
WISHES = {"trainer": ("alternating", {"epochs": 7}), "regularizer": ("l1", {"weight": 0.5})}

NAMES = {"space": ["tiny"], "growth": ["mine"], "updater": ["sgd"], "dataset": ["synthetic"]}


def mine(**more):
    given = {"unread": UNREAD, "provides": ("supernet",)} | more
    return Component(
        name="mine",
        slot="growth",
        summary="Mine.",
        build="nascore.builtin.growth:NoGrowth",
        wishes=WISHES,
        **given,
    )


def registry(component):
    plugin = SimpleNamespace(nascore_growths=hookimpl(lambda: [component]))
    return Registry.of(builtin=nascore.builtin, mine=plugin)


def warned(component=None, **asked):
    component = component or mine()
    request = Request(**{"names": NAMES, "scale": "mini"} | asked)
    return {problem.path for problem in settled(request, registry(component)).warned}


def test_what_was_typed_is_warned_of_with_what_decides_instead():
    recipe = settled(
        Request(
            names=NAMES,
            scale="mini",
            sets=["ranking.epochs=3"],
        ),
        registry(mine()),
    )
    (problem,) = recipe.warned
    assert str(problem) == (
        "warning: ranking.epochs: has no effect with growth mine: growth.epochs decides.\n"
        "     from --set ranking.epochs=3"
    )


@pytest.mark.parametrize(
    ("sets", "paths"),
    [
        ([], set()),
        (["ranking.lr=0.1"], set()),
        (["trainer.epochs=3", "trainer.lr=1"], {"trainer.epochs", "trainer.lr"}),
        (["regularizer.l1.weight=0.1"], {"regularizer.l1.weight"}),
        # As it would be without: what was typed is warned of all the same.
        (["ranking.epochs=10"], {"ranking.epochs"}),
    ],
)
def test_a_slot_stands_for_all_its_settings(sets, paths):
    assert warned(sets=sets) == paths
    assert warned(mine(unread={}), sets=sets) == set()


def test_a_component_that_is_named_is_no_setting():
    assert warned(names={**NAMES, "trainer": ["alternating"]}) == set()


def test_a_recipe_that_a_run_wrote_down_holds_every_value_and_is_not_warned_of(tmp_path):
    recipe = settled(Request(names=NAMES, scale="mini"), registry(mine()))
    assert recipe.setting("regularizer.l1.weight") == 0.5
    file = tmp_path / "recipe.yaml"
    file.write_text(dump_recipe(recipe, made_with={"mine": "mine==1.0"}))
    assert warned(names={}, scale=None, recipe=file) == set()
    assert warned(names={}, scale=None, recipe=file, sets=["ranking.epochs=3"]) == {"ranking.epochs"}


def test_a_recipe_that_somebody_wrote_is_warned_of(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(
        "nascore: 2\nscale: mini\nranking: {epochs: 3, lr: 0.1}\nregularizer: {l1: {weight: 0.5}}\n"
    )
    assert warned(recipe=file, scale=None) == {"ranking.epochs", "regularizer.l1.weight"}


@pytest.mark.parametrize("path", ["regularizer.l1.weight", "ranking", "ranking.lr", "observer", "updater.lr"])
def test_the_kit_knows_what_can_be_set(path):
    component = mine(unread={path: "so"})
    assert not list(unreadable(component, registry(component)))


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("ranking.epoch", "ranking.epochs"),
        ("trainer.wings", ""),
        ("trainr", "trainer"),
        ("regularizer.weight", "regularizer.l1.weight"),
    ],
)
def test_the_kit_finds_what_nobody_could_set(path, near):
    component = mine(unread={path: "so"})
    (fault,) = unreadable(component, registry(component))
    assert path in fault
    assert near in fault
