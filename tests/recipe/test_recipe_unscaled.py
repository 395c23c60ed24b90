"""Sizes that are typed for an architecture which cannot have them are warned of, and others are not."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from edge_files import CHAIN
from tiny import CLOSED

from nascore.cli import main
from nascore.description import dump, load, untie
from nascore.recipe import Request
from nascore.verbs.evaluate import resolve_evaluation

CELLS = """\
nascore: 1
channels: 4
in_channels: 3
classes: 10
cells:
  cell:
    inputs: [in0]
    nodes:
      x: {from: in0, op: skip_connect}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell, repeat: 2}
    head: {from: -1, op: classifier, width: classes}
"""


def asked(tmp_path, text, **settings):
    file = tmp_path / "network.yaml"
    file.write_text(text, encoding="utf-8")
    values = {path.replace("__", "."): value for path, value in settings.items()}
    request = Request(names={"dataset": ["synthetic"]}, scale="mini", settings=values)
    return resolve_evaluation(file, request)


def warned(tmp_path, text, **settings):
    return [problem.path for problem in asked(tmp_path, text, **settings).recipe.warned]


def test_cells_of_a_network_in_which_nothing_repeats(tmp_path):
    """As where each use of a cell has grown by itself."""
    grown = dump(untie(load(CELLS)))
    assert warned(tmp_path, grown, training__cells=6) == ["training.cells"]
    (problem,) = asked(tmp_path, grown, training__cells=6).recipe.warned
    assert "its depth is fixed" in str(problem)
    assert "from" in str(problem)
    assert warned(tmp_path, CELLS, training__cells=6) == []


@pytest.mark.parametrize("value", [0.4, 0])
def test_an_auxiliary_head_where_the_reduction_never_rises(tmp_path, value):
    expected = ["training.auxiliary"] if value else []
    assert warned(tmp_path, CELLS, training__auxiliary=value) == expected
    reduced = CELLS.replace("repeat: 2}", "repeat: 2}\n    p: {from: -1, op: max_pool_3x3, reduction: 2}")
    assert warned(tmp_path, reduced, training__auxiliary=value) == []


def test_what_nobody_typed_is_no_mistake(tmp_path):
    assert warned(tmp_path, dump(untie(load(CELLS)))) == []
    assert warned(tmp_path, CLOSED) == []


def searched(tmp_path, *words):
    """Search in a chain of layers that do not repeat; return what stderr says."""
    file = tmp_path / "chain.yaml"
    file.write_text(CHAIN, encoding="utf-8")
    small = {"dataset.count": 64, "ranking.epochs": 1, "ranking.batch": 8, "ranking.channels": 2}
    sets = [word for path, value in small.items() for word in ("--set", f"{path}={value}")]
    typed = ["search", "--space", f"file:{file}", "--dataset", "synthetic", "--scale", "mini", *sets, *words]
    result = CliRunner().invoke(main, typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stderr


SUPERNET = ("--updater", "uniform", "--set", "trainer.epochs=1", "--set", "trainer.warm_up=0")
RANDOM = ("--growth", "random", "--updater", "uniform", "--set", "growth.count=1")
TEXT = "cells: no node of this network repeats"


@pytest.mark.parametrize("words", [SUPERNET, RANDOM], ids=["supernet", "random"])
def test_a_search_warns_of_cells_that_its_space_cannot_have(words, tmp_path):
    out, typed = tmp_path / "run", ("--set", "ranking.cells=6")
    said = searched(tmp_path, *words, *typed, "--out", str(out))
    assert said.count(TEXT) == 1
    assert said.startswith(f"warning: ranking.{TEXT}")  # before anything is trained
    (kept,) = json.loads((out / "result.json").read_text(encoding="utf-8"))["warnings"]
    assert kept in said
    assert (out / "run.log").read_text(encoding="utf-8").count(TEXT) == 1
    assert searched(tmp_path, *words, *typed, "--dry-run").count(TEXT) == 1
    assert "ranking.cells" not in searched(tmp_path, *words, "--out", str(tmp_path / "without"))


@pytest.mark.parametrize("typed", ["ranking.cells", "training.cells"])
def test_of_several_searches_and_of_what_follows_it_is_said_once(typed, tmp_path):
    out = tmp_path / "run"
    words = (*SUPERNET, "--seeds", "0..1", "--evaluate", "--set", f"{typed}=6")
    small = ("--set", "training.epochs=1", "--set", "training.channels=2")
    assert searched(tmp_path, *words, *small, "--dry-run").count(TEXT) == 1
    assert searched(tmp_path, *words, *small, "--out", str(out)).count(TEXT) == 1
    kept = {path.parent.name: path.read_text(encoding="utf-8") for path in out.glob("jobs/*/result.json")}
    warned_of = {name for name, text in kept.items() if TEXT in text}
    follow = {name for name in kept if "-evaluate-" in name}
    assert (len(kept), len(follow)) == (4, 2)
    assert warned_of == (follow if typed.startswith("training") else kept.keys() - follow)


@pytest.mark.needs("nascore-petridish")
@pytest.mark.parametrize("value", [0.4, 0])
def test_what_grows_has_no_auxiliary_head(value, tmp_path):
    said = searched(
        tmp_path,
        *("--growth", "petridish", "--updater", "sgd"),
        *("--set", f"ranking.auxiliary={value}", "--dry-run"),
    )
    assert said.count("ranking.auxiliary: growing") == (value > 0)


def test_a_search_that_cannot_be_built_tells_its_warnings_and_where_its_mistake_stands(tmp_path):
    words = ("--space", "tiny", "--growth", "random", "--updater", "sgd", "--dataset", "synthetic")
    more = ("--scale", "mini", "--set", "ranking.batch=5000", "--out", str(tmp_path / "run"))
    refused = CliRunner().invoke(main, ["search", *words, *more])
    assert refused.exit_code == 3
    assert "ranking.batch: a batch of 5000" in refused.stderr
    assert "from --set ranking.batch=5000" in refused.stderr
    assert "random and sgd do not fit well" in refused.stderr
    assert not (tmp_path / "run").exists()
