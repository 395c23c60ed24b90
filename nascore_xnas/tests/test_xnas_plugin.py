"""What the plugin declares, and its presets."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

import nascore.builtin
import nascore_xnas
from nascore.api import DataFacts, RecipeError, dump
from nascore.builtin.components import TinySettings
from nascore.builtin.spaces import Tiny
from nascore.plugin import Registry
from nascore.recipe import EVALUATE_RUN, Request, settled
from nascore_xnas.updater import step_size

TINY = {"space": ["tiny"], "updater": ["xnas"]}


@pytest.fixture(scope="module")
def registry():
    return Registry.of(builtin=nascore.builtin, xnas=nascore_xnas)


def values(recipe):
    return {path: value for path, value, _ in recipe.rows()}


def test_the_plugin_loads(registry):
    assert [(plugin.status, plugin.reason) for plugin in registry.plugins] == [("ready", ""), ("ready", "")]
    assert registry.get("updater", "xnas").paper == "arXiv 1906.08031"
    assert set(registry.presets()) == {"xnas-1500", "xnas-cifar10", "xnas-plain"}


def test_the_plugin_imports_no_torch():
    code = "import sys, nascore_xnas; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_wishes_settle_the_search(registry):
    recipe = settled(Request(names=TINY), registry)
    found = values(recipe)
    assert recipe.part("relaxation").name == "softmax"
    assert (found["trainer.estimate"], found["trainer.sequence"]) == ("first", "weights-first")
    assert not recipe.problems


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("trainer.estimate=unrolled", "rewards are measured for each sample"),
        ("updater.exclude_none=false", "never keeps"),
    ],
)
def test_what_the_theorem_does_not_cover_is_refused(registry, asked, reason):
    with pytest.raises(RecipeError, match=reason):
        settled(Request(names=TINY, sets=[asked]), registry)


def test_a_file_that_never_keeps_something_is_no_other_space(registry, tmp_path):
    file = tmp_path / "tiny.yaml"
    facts = DataFacts(channels=1, height=8, width=8, classes=4, train=8, test=8, mean=(0.5,), std=(0.5,))
    file.write_text(dump(Tiny(TinySettings()).describe(facts)), encoding="utf-8")
    asked = Request(names={**TINY, "space": [f"file:{file}"]}, sets=["updater.exclude_none=false"])
    with pytest.raises(RecipeError, match="never keeps") as error:
        settled(asked, registry)
    assert "updater.exclude_none=true." in str(error.value)
    assert "space.path" not in str(error.value)
    file.write_text(file.read_text(encoding="utf-8").replace(", never: [none]", ""), encoding="utf-8")
    assert not settled(asked, registry).problems


def test_without_wipe_out_none_may_take_part(registry):
    sets = ["updater.exclude_none=false", "updater.wipe_out=false"]
    assert not settled(Request(names=TINY, sets=sets), registry).problems


def test_single_level_is_warned_of(registry):
    (problem,) = settled(Request(names=TINY, sets=["trainer.estimate=single-level"]), registry).problems
    assert problem.verdict == "warned"
    assert "an estimate on images that" in str(problem)


def test_the_preset_is_the_papers_search(registry):
    # Its space is of another plugin, which need not be here.
    assert "  name: darts" in registry.presets()["xnas-cifar10"].read().splitlines()
    names = {"space": ["tiny"], "dataset": ["digits"]}
    found = values(settled(Request(preset="xnas-cifar10", names=names), registry))
    expected = {
        "relaxation.noise": 0,
        "updater.eta": None,
        "updater.clip": 1,
        "updater.wipe_out": True,
        "updater.exclude_none": True,
        "updater.granularity": "sample",
        "trainer.estimate": "first",
        "trainer.sequence": "weights-first",
        "trainer.epochs": 50,
        "trainer.batch": 96,
        "trainer.lr": 0.025,
        "trainer.lr_min": 0.001,
        "trainer.momentum": 0.9,
        "trainer.weight_decay": 3e-4,
        "trainer.clip": 5,
        "trainer.warm_up": 0,
    }
    assert {key: found[key] for key in expected} == expected


def test_the_step_sizes_that_the_preset_states_are_those_of_the_theorem():
    rounds = 25_000 // 96 * 96 * 50
    assert step_size(7, rounds * 6, 1.0) == pytest.approx(7.2e-4, rel=5e-3)
    assert step_size(7, rounds * 2, 1.0) == pytest.approx(1.25e-3, rel=5e-3)
    assert math.isclose(step_size(8, 25_000 * 50 * 6, 1.0), 7.45e-4, rel_tol=1e-3)


def test_the_other_preset_is_the_training_of_darts(registry):
    found = values(settled(Request(preset="xnas-plain"), registry, run=EVALUATE_RUN, slots=()))
    expected = {
        "training.channels": 36,
        "training.cells": 20,
        "training.epochs": 600,
        "training.batch": 96,
        "training.lr": 0.025,
        "training.lr_min": 0,
        "training.momentum": 0.9,
        "training.nesterov": False,
        "training.weight_decay": 3e-4,
        "training.clip": 5,
        "training.label_smoothing": 0,
        "training.drop_path": 0.2,
        "training.auxiliary": 0.4,
    }
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("name", ["xnas-1500", "xnas-cifar10", "xnas-plain"])
def test_every_value_of_a_preset_has_its_source(registry, name):
    lines = registry.presets()[name].read().splitlines()
    settings = [
        line
        for line in lines
        if line.startswith("  ")
        and line.strip()[:-1] not in {"trick", "cutout", "auto-augment"}
        and "name:" not in line
    ]
    assert len(settings) >= 13
    marks = ("[code]", "[paper]", "[darts]", "[recalled]", "[note]", "[readme]", "ours:")
    assert all(any(mark in line for mark in marks) for line in settings)
