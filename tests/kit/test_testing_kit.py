"""How checks are collected, excused and told, and what settings and random numbers they look at."""

from __future__ import annotations

import random
from typing import Literal
from unittest import SkipTest

import numpy as np
import pytest
import torch
from attrs import Factory, frozen

import nascore.builtin
from nascore.api import Count, setting
from nascore.errors import PluginError
from nascore.plugin import Registry
from nascore.testing import (
    Conformance,
    GrowthConformance,
    NotConformingError,
    NotExaminedError,
    RelaxationConformance,
    UpdaterConformance,
    checks_of,
    examined,
)
from nascore.testing.conformance import extremes
from nascore.testing.part import moved, seeded, states

REGISTRY = Registry.of(builtin=nascore.builtin)


class Kit(Conformance):
    slot = "relaxation"
    component = "softmax"
    registry = REGISTRY

    def test_holds(self):
        """It holds.

        And more.
        """

    def test_fails(self):
        """It never fails."""
        self.hold(holds=False, text="fails here")

    def test_raises(self):
        """It never raises."""
        raise ZeroDivisionError("by zero")


def test_outcomes_are_sentences():
    outcomes = list(examined(Kit))
    assert [one.check for one in outcomes] == ["holds", "fails", "raises"]
    assert [one.promise for one in outcomes] == ["It holds.", "It never fails.", "It never raises."]
    assert [one.failure for one in outcomes] == [
        "",
        "softmax fails here.",
        "softmax raised ZeroDivisionError: by zero.",
    ]


def test_some_checks_alone():
    assert [one.check for one in examined(Kit, ["test_fails"])] == ["fails"]


def test_a_check_is_not_overridden_in_silence():
    with pytest.raises(TypeError, match=r"Silent\.test_fails overrides a check of the kit"):
        type("Silent", (Kit,), {"test_fails": lambda _self: None})


def test_a_check_with_a_reason_is_excused_and_not_run():
    class Excused(Kit):
        @pytest.mark.xfail(reason="it cannot")
        def test_fails(self):
            raise AssertionError

    outcomes = {one.check: one for one in examined(Excused)}
    assert outcomes["fails"].excused == "it cannot"
    assert outcomes["fails"].failure == ""
    assert checks_of(Excused) == ("test_holds", "test_fails", "test_raises")


def test_a_check_with_nothing_to_look_at_is_no_pass():
    class Unseen(Kit):
        def test_more(self):
            """It does more."""
            raise NotExaminedError("it does nothing")

    (outcome,) = examined(Unseen, ["test_more"])
    assert (outcome.failure, outcome.excused, outcome.unseen) == ("", "", "it does nothing")
    assert not outcome.looked
    assert issubclass(NotExaminedError, SkipTest)  # so that pytest skips it


@pytest.mark.parametrize(
    ("base", "name", "unseen"),
    [
        (
            GrowthConformance,
            "random",
            {"comes_to_an_end", "closes_every_choice"},
        ),
        (UpdaterConformance, "uniform", {"finds_what_is_useful", "heeds_penalties"}),
        (UpdaterConformance, "sgd", {"heeds_penalties"}),
    ],
)
def test_what_a_part_does_not_do_is_not_passed(base, name, unseen):
    class Checked(base):
        component = name
        registry = REGISTRY

    outcomes = list(examined(Checked, [f"test_{check}" for check in unseen]))
    assert all(one.unseen and not one.failure for one in outcomes)


def test_a_component_that_is_not_there():
    class Missing(RelaxationConformance):
        component = "softmx"
        registry = REGISTRY

    with pytest.raises(PluginError, match=r"no relaxation is called softmx\. Did you mean softmax\?"):
        Missing.declared()
    assert all("softmx raised PluginError" in one.failure for one in examined(Missing))


def test_a_failure_is_an_assertion():
    with pytest.raises(AssertionError, match="softmax fails here"):
        Kit().test_fails()
    assert issubclass(NotConformingError, AssertionError)


def test_settings_of_a_class_are_those_it_is_examined_with():
    class Noisy(RelaxationConformance):
        component = "softmax"
        registry = REGISTRY
        settings = {"noise": 0.5}  # noqa: RUF012 - as an author writes it

    assert Noisy.made().noise == 0.5
    assert Noisy.made(noise=0.25).noise == 0.25
    assert Noisy.typed() == ("relaxation.noise=0.5",)


@frozen(kw_only=True)
class Inner:
    rate: float = setting(0.5, "A rate.", gt=0, lt=1)


@frozen(kw_only=True)
class Everything:
    count: int = setting(3, "A number.", gt=0, le=8)
    form: Literal["a", "b"] = setting("a", "A form.")
    on: bool = setting(default=True, help="A switch.")
    size: Count | None = setting(None, "A size.", ge=1, le=10**12)  # noqa: RUF009 - it declares a field
    inner: Inner = setting(Factory(Inner), "More.")  # noqa: RUF009 - the same


def test_extremes_are_bounds_and_choices_one_at_a_time():
    tried = dict(extremes(Everything(), largest=1e9))
    assert list(tried) == [
        "count=1",
        "count=8",
        "form=a",
        "form=b",
        "on=False",
        "on=True",
        "size=1",
        "size=None",
        "inner.rate=1e-06",
        "inner.rate=0.999999",
    ]
    assert tried["count=8"] == Everything(count=8)
    assert tried["inner.rate=1e-06"].inner.rate == 1e-6


@pytest.mark.parametrize(
    ("name", "draw"),
    [("torch", lambda: torch.rand(1)), ("numpy", np.random.rand), ("random", random.random)],
)
def test_whoever_draws_globally_is_seen_and_put_back(name, draw):
    outside = states()
    with seeded():
        before = states()
        draw()
        assert moved(before) == [name]
    assert moved(outside) == []
