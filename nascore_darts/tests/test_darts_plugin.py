"""What the plugin declares, and its preset."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nascore.builtin
import nascore_darts
from nascore.plugin import Registry
from nascore.recipe import EVALUATE_RUN, Request, settled
from nascore.slots import SLOTS

ON_DIGITS = {"dataset": ["digits"]}
"""The preset is for CIFAR-10, which is not here."""

EVALUATED = tuple(slot for slot in SLOTS if slot.name == "dataset")


@pytest.fixture(scope="module")
def registry():
    return Registry.of(builtin=nascore.builtin, darts=nascore_darts)


def values(recipe):
    return {path: value for path, value, _ in recipe.rows()}


def test_the_plugin_loads(registry):
    assert [(plugin.status, plugin.reason) for plugin in registry.plugins] == [("ready", ""), ("ready", "")]
    assert (
        registry.get("space", "darts").paper == registry.get("updater", "darts").paper == "arXiv 1806.09055"
    )
    assert set(registry.translators()) == {"genotype"}
    assert set(registry.presets()) == {"darts-cifar10"}


def test_the_plugin_imports_no_torch():
    code = "import sys, nascore_darts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_defaults_are_the_papers_and_mini_is_not(registry):
    names = {"space": ["darts"], "updater": ["darts"]}
    paper = values(settled(Request(names=names, scale="paper"), registry))
    mini = values(settled(Request(names=names), registry))
    keys = (
        "space.channels",
        "space.cells",
        "updater.lr",
        "updater.beta1",
        "updater.beta2",
        "updater.weight_decay",
    )
    assert [paper[key] for key in keys] == [16, 8, 3e-4, 0.5, 0.999, 1e-3]
    assert [mini[key] for key in keys] == [4, 3, 0.1, 0.5, 0.999, 1e-3]


def test_the_preset_is_the_papers_search_and_evaluation(registry):
    recipe = settled(Request(preset="darts-cifar10", names=ON_DIGITS), registry)
    found = values(recipe)
    expected = {
        "trainer.estimate": "unrolled",
        "trainer.sequence": "architecture-first",
        "trainer.epochs": 50,
        "trainer.batch": 64,
        "trainer.lr": 0.025,
        "trainer.lr_min": 0.001,
        "trainer.weight_decay": 3e-4,
        "trainer.clip": 5,
        "relaxation.noise": 1e-3,
        "ranking.channels": None,
        "ranking.cells": None,
        "ranking.epochs": 20,
    }
    assert {key: found[key] for key in expected} == expected
    # Without nascore-vision the trick of the evaluation is missing, which the search does not need.
    assert {problem.path for problem in recipe.problems} <= {"dataset", "evaluate.trick"}
    assert recipe.refused == ()
    request = Request(preset="darts-cifar10", names=ON_DIGITS)
    found = values(settled(request, registry, run=EVALUATE_RUN, slots=EVALUATED))
    expected = {
        "training.channels": 36,
        "training.cells": 20,
        "training.epochs": 600,
        "training.batch": 96,
        "training.drop_path": 0.2,
        "training.auxiliary": 0.4,
    }
    assert {key: found[key] for key in expected} == expected


def test_every_value_of_the_preset_has_its_source(registry):
    lines = registry.presets()["darts-cifar10"].read().splitlines()
    settings = [
        line
        for line in lines
        if line.startswith("  ") and line.strip() not in {"trick:", "cutout:"} and "name:" not in line
    ]
    assert len(settings) > 25
    assert all(
        "[code]" in line or "[paper]" in line or "the same" in line or "ours" in line for line in settings
    )


def test_the_preset_shrinks(registry):
    found = values(settled(Request(preset="darts-cifar10", scale="mini", names=ON_DIGITS), registry))
    assert (found["space.channels"], found["ranking.epochs"], found["trainer.estimate"]) == (
        4,
        10,
        "unrolled",
    )


def test_single_level_is_warned_of(registry):
    names = {"space": ["darts"], "updater": ["darts"]}
    recipe = settled(Request(names=names, sets=["trainer.estimate=single-level"]), registry)
    (problem,) = recipe.problems
    assert problem.verdict == "warned"
    assert "overfits" in str(problem)
    assert not settled(Request(names=names, sets=["trainer.estimate=unrolled"]), registry).problems
