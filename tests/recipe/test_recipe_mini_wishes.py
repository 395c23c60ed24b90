"""What a component wishes instead at the scale `mini`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import nascore.builtin
from nascore.api import Component, hookimpl
from nascore.plugin import Registry
from nascore.recipe import Request, settled
from nascore.testing.conformance import unwishable

WISHES = {"relaxation": "one-hot", "regularizer": ("l1", {"weight": 0.1})}


def mine(**more):
    return Component(
        name="mine",
        slot="updater",
        summary="Mine.",
        build="nascore.builtin.updaters:Uniform",
        provides=("learns",),
        wishes=WISHES,
        **more,
    )


def registry(component):
    plugin = SimpleNamespace(nascore_updaters=hookimpl(lambda: [component]))
    return Registry.of(builtin=nascore.builtin, mine=plugin)


def filled(component, scale, **names):
    names = {"space": ["tiny"], "updater": ["mine"], "dataset": ["synthetic"], **names}
    recipe = settled(Request(names=names, scale=scale), registry(component))
    return (
        recipe.part("relaxation").name,
        recipe.names("regularizer"),
        recipe.setting("regularizer.l1.weight"),
    )


@pytest.mark.parametrize(
    ("wishes", "brought"),
    [
        ({}, ("one-hot", ("l1",), 0.1)),
        ({"regularizer": []}, ("one-hot", (), None)),
        ({"regularizer": ("l1", {"weight": 0.2})}, ("one-hot", ("l1",), 0.2)),
        ({"regularizer": "entropy", "relaxation": "softmax"}, ("softmax", ("entropy",), None)),
        ({"regularizer": ["entropy", "l1"]}, ("one-hot", ("entropy", "l1"), 1e-3)),
    ],
)
def test_at_mini_they_take_the_place_of_the_others(wishes, brought):
    component = mine(mini_wishes=wishes)
    assert filled(component, "mini") == brought
    assert filled(component, "paper") == ("one-hot", ("l1",), 0.1)


def test_what_is_named_stands():
    component = mine(mini_wishes={"relaxation": "softmax", "regularizer": []})
    assert filled(component, "mini", relaxation=["one-hot"], regularizer=["entropy"])[:2] == (
        "one-hot",
        ("entropy",),
    )


def test_mistaken_ones_are_told():
    (fault,) = unwishable(mine(mini_wishes={"toy": "bear"}), registry(mine()))
    assert fault == "the updater mine: it wishes for toy, and no slot is called that."
    *_, plugin = registry(mine(mini_wishes={"updater": "uniform"})).plugins
    assert "wishes for its own slot" in plugin.reason
