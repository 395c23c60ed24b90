"""Whole searches with every relaxation and penalty: they run, repeat, and can be told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from command_line import done

import nascore

SETTINGS = {
    "dataset.count": 64,
    "dataset.size": 8,
    "dataset.classes": 4,
    "trainer.epochs": 2,
    "trainer.batch": 8,
    "trainer.warm_up": 0,
    "ranking.channels": 2,
    "ranking.cells": 2,
    "ranking.epochs": 1,
    "ranking.batch": 8,
}


def searched(out, *, settings=None, updater="sgd", **parts):
    return nascore.search(
        space="tiny",
        updater=updater,
        dataset="synthetic",
        scale="mini",
        settings={**SETTINGS, **(settings or {})},
        out=out,
        **parts,
    )


def learned(run):
    job = next((Path(run.path) / "jobs").glob("*search"))
    return json.loads((job / "result.json").read_text())["groups"]["cell"]


def weights(run):
    return (run.path / "best" / "weights.safetensors").read_bytes()


MIXES = [
    ("softmax", ["entropy"], {}),
    ("softmax", ["l1", "cost"], {"regularizer.cost.target": 20_000}),
    ("one-hot", ["l1"], {"regularizer.l1.target": "code"}),
    ("one-hot", ["entropy", "cost"], {"regularizer.entropy.toward": "even"}),
    ("linear", ["l1"], {"regularizer.l1.target": "mixture"}),
]


@pytest.mark.parametrize(("relaxation", "regularizer", "settings"), MIXES)
def test_each_runs_and_its_recipe_repeats_it_bit_for_bit(tmp_path, relaxation, regularizer, settings):
    run = searched(tmp_path / "one", relaxation=relaxation, regularizer=regularizer, settings=settings)
    again = nascore.search(recipe=run.path / "recipe.yaml", out=tmp_path / "two")
    files = [(one.path / "recipe.yaml").read_bytes() for one in (run, again)]
    assert files[0] == files[1]
    assert list(yaml.safe_load(files[0])["regularizer"]) == regularizer
    assert learned(run) == learned(again)
    assert weights(run) == weights(again)
    assert any(each for row in learned(run)["theta"] for each in row)


@pytest.mark.needs("nascore-darts")
def test_darts_takes_a_penalty_too(tmp_path):
    plain, decided = (
        searched(tmp_path / str(count), updater="darts", regularizer=["entropy"] * count) for count in (0, 1)
    )
    assert learned(plain)["theta"] != learned(decided)["theta"]


def test_the_weight_is_a_switch(tmp_path):
    plain = searched(tmp_path / "plain")
    off, on = (
        searched(tmp_path / str(weight), regularizer="l1", settings={"regularizer.l1.weight": weight})
        for weight in (0, 0.01)
    )
    assert learned(off) == learned(plain)
    assert weights(off) == weights(plain)
    assert learned(on)["theta"] != learned(plain)["theta"]


def test_a_strong_penalty_on_cost_finds_what_costs_least(tmp_path):
    settings = {"regularizer.cost.weight": 100}
    groups = learned(searched(tmp_path / "run", regularizer="cost", settings=settings))
    column = groups["columns"].index("conv_3x3")
    assert all(row[column] < 0.01 for row in groups["mixture"])


def test_from_the_command_line(tmp_path):
    sets = [word for path, value in SETTINGS.items() for word in ("--set", f"{path}={value}")]
    words = ["search", "--space", "tiny", "--updater", "sgd", "--dataset", "synthetic", "--scale", "mini"]
    l1 = ["--regularizer", "l1", "--set", "regularizer.l1.weight=0.01"]
    out = tmp_path / "run"
    done(*words, *sets, *l1, "--out", out)
    assert yaml.safe_load((out / "recipe.yaml").read_text())["regularizer"] == {
        "l1": {"weight": 0.01, "target": "theta", "average": False, "per_use": False}
    }
    same = searched(tmp_path / "same", regularizer="l1", settings={"regularizer.l1.weight": 0.01})
    assert learned(nascore.load_run(out)) == learned(same)
