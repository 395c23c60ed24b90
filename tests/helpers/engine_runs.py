"""Small recipes, for tests that run the engine as a whole."""

from __future__ import annotations

import nascore.builtin
from nascore.plugin import Registry
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, Request, settled
from nascore.slots import SLOTS

SMALL = {
    "trainer.epochs": 2,
    "trainer.batch": 8,
    "trainer.warm_up": 0,
    "dataset.count": 48,
    "dataset.size": 8,
    "dataset.classes": 3,
    "ranking.epochs": 2,
    "ranking.batch": 8,
    "ranking.channels": 4,
    "ranking.cells": 2,
}
REGISTRY = Registry.of(builtin=nascore.builtin)
NAMES = {"space": ["tiny"], "updater": ["uniform"], "dataset": ["synthetic"]}
GROWN = {**NAMES, "growth": ["random"]}


def recipe_of(*, names=NAMES, run=SEARCH_RUN, slots=SLOTS, seed=0, **settings):
    given = {**SMALL, **{path.replace("__", "."): value for path, value in settings.items()}}
    if run is EVALUATE_RUN:
        given = {path.replace("ranking.", "training."): value for path, value in given.items()}
        given = {path: value for path, value in given.items() if not path.startswith("trainer.")}
    request = Request(scale="mini", names=names, run={"seed": seed, "device": "cpu"}, settings=given)
    return settled(request, REGISTRY, run=run, slots=slots)


def growth_of(**settings):
    return recipe_of(**{"names": GROWN, "growth__count": 4, **settings})


def evaluation_of(**settings):
    slots = tuple(slot for slot in SLOTS if slot.name == "dataset")
    return recipe_of(names={"dataset": ["synthetic"]}, run=EVALUATE_RUN, slots=slots, **settings)
