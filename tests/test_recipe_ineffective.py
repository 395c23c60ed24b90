"""Settings that nothing reads beside another component: who gives one is warned, and nobody else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import nascore.builtin
from nascore.api import Component, hookimpl
from nascore.plugin import Registry
from nascore.recipe import Request, dump_recipe, settled
from nascore.testing.declared import unreadable

UNREAD = {"training.epochs": "growth.epochs decides", "trainer": "it has none", "regularizer": "none"}
WISHES = {"trainer": ("alternating", {"epochs": 7}), "regularizer": ("l1", {"weight": 0.5})}


def mine(**more):
    given = {"unread": UNREAD, "provides": ("supernet",)} | more
    return Component(
        name="mine",
        slot="growth",
        summary="Mine.",
        build="nascore.builtin.growth:Nothing",
        wishes=WISHES,
        **given,
    )


def registry(component):
    plugin = SimpleNamespace(nascore_growths=hookimpl(lambda: [component]))
    return Registry.of(builtin=nascore.builtin, mine=plugin)


def warned(component=None, **asked):
    component = component or mine()
    names = {"space": ["tiny"], "growth": ["mine"], "updater": ["sgd"], "dataset": ["synthetic"]}
    request = Request(**{"names": names, "scale": "mini"} | asked)
    return {problem.path for problem in settled(request, registry(component)).warned}


def test_what_was_typed_is_warned_of_with_what_decides_instead():
    recipe = settled(
        Request(
            names={"space": ["tiny"], "growth": ["mine"], "updater": ["sgd"], "dataset": ["synthetic"]},
            scale="mini",
            sets=["training.epochs=3"],
        ),
        registry(mine()),
    )
    (problem,) = recipe.warned
    assert str(problem) == (
        "warned: training.epochs: nothing reads it with growth mine: growth.epochs decides.\n"
        "     from --set training.epochs=3"
    )


@pytest.mark.parametrize(
    ("sets", "paths"),
    [
        ([], set()),
        (["training.lr=0.1"], set()),
        (["trainer.epochs=3", "trainer.lr=1"], {"trainer.epochs", "trainer.lr"}),
        (["regularizer.l1.weight=0.1"], {"regularizer.l1.weight"}),
        # As it would be without: what was typed is warned of all the same.
        (["training.epochs=10"], {"training.epochs"}),
    ],
)
def test_a_slot_stands_for_all_its_settings(sets, paths):
    assert warned(sets=sets) == paths
    assert warned(mine(unread={}), sets=sets) == set()


def test_a_component_that_is_named_is_no_setting():
    names = {"space": ["tiny"], "growth": ["mine"], "updater": ["sgd"], "dataset": ["synthetic"]}
    assert warned(names={**names, "trainer": ["alternating"]}) == set()


@pytest.mark.parametrize("scale", ["mini", "paper"])
def test_a_recipe_that_was_written_down_warns_of_what_was_changed_alone(tmp_path, scale):
    installed = registry(mine())
    names = {"space": ["tiny"], "growth": ["mine"], "updater": ["sgd"], "dataset": ["synthetic"]}
    recipe = settled(Request(names=names, scale=scale), installed)
    assert recipe.setting("trainer.epochs") == (7 if scale == "paper" else 5)
    file = tmp_path / "recipe.yaml"
    file.write_text(dump_recipe(recipe))
    assert warned(names={}, scale=None, recipe=file) == set()
    assert "weight: 0.5" in file.read_text()
    file.write_text(file.read_text().replace("weight: 0.5", "weight: 0.25"))
    assert warned(names={}, scale=None, recipe=file) == {"regularizer.l1.weight"}


@pytest.mark.parametrize(
    ("path", "near"), [("training.epoch", "training.epochs"), ("trainer.wings", ""), ("trainr", "trainer")]
)
def test_the_kit_finds_what_nobody_could_set(path, near):
    component = mine(unread={path: "so"})
    (fault,) = unreadable(component, registry(component))
    assert path in fault
    assert near in fault
    component = mine()
    assert not list(unreadable(component, registry(component)))
