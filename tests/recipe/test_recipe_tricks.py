"""Tricks in a recipe: the combinations that are refused, and the order that is shown."""

from __future__ import annotations

from types import ModuleType

import pytest

import nascore.builtin
from nascore.api import Component, RecipeError, hookimpl
from nascore.plugin import Registry
from nascore.recipe import Request, settled
from nascore.verbs.dry_run import Checked


class Nothing:
    def __init__(self, settings):
        self.settings = settings


def toys():
    made = ModuleType("toys")

    @hookimpl
    def nascore_tricks():
        for name, provides in {
            "adam": ("optimizer",),
            "lion": ("optimizer",),
            "line": ("schedule", "sets-rate"),
            "curve": ("schedule", "sets-rate"),
            "rise": ("schedule",),
            "teacher": ("loss",),
            "mix": ("examples",),
            "groups": ("parameters",),
            "sums": ("gradients",),
        }.items():
            yield Component(name=name, slot="trick", summary="A toy.", build=Nothing, provides=provides)

    @hookimpl
    def nascore_trainers():
        yield Component(name="plain", slot="trainer", summary="A toy.", build=Nothing)

    made.nascore_tricks, made.nascore_trainers = nascore_tricks, nascore_trainers
    return made


def recipe(*tricks, trainer="alternating", sets=()):
    registry = Registry.of(builtin=nascore.builtin, toys=toys())
    names = {"space": ["tiny"], "updater": ["sgd"], "dataset": ["synthetic"], "trainer": [trainer]}
    request = Request(names={**names, "trick": list(tricks)}, scale="mini", sets=sets)
    return settled(request, registry)


@pytest.mark.parametrize(
    ("tricks", "subject"), [(("adam", "lion"), "the optimizer"), (("line", "curve"), "the learning rate")]
)
def test_two_tricks_that_set_the_same_are_refused(tricks, subject):
    with pytest.raises(RecipeError, match=f"{' and '.join(tricks)} each set {subject}"):
        recipe(*tricks)


def test_a_trick_that_scales_the_rate_fits_one_that_sets_it():
    assert recipe("line", "rise").names("trick") == ("line", "rise")


@pytest.mark.parametrize("trick", ["adam", "teacher", "groups", "sums"])
def test_unrolled_refuses_what_changes_its_step(trick):
    with pytest.raises(RecipeError, match="unrolled looks one step of plain SGD ahead"):
        recipe(trick, sets=("trainer.estimate=unrolled",))


def test_unrolled_takes_mixed_images():
    assert recipe("mix", "rise", sets=("trainer.estimate=unrolled",)).names("trick") == ("mix", "rise")


def test_a_trainer_without_tricks_is_refused():
    with pytest.raises(RecipeError, match="weights steps without tricks would ignore it"):
        recipe("mix", trainer="plain")
    recipe(trainer="plain")


def test_check_shows_the_order():
    checked = Checked(
        recipe=recipe("rise", "mix", "teacher", "line"), supernet=None, trained=None, evaluated=None, size={}
    )
    assert checked.tricks == {"each batch": ["mix"], "learning rate": ["rise", "line"], "loss": ["teacher"]}
