"""`nascore search` and `nascore evaluate` as they are typed: what they print, write and repeat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from nascore.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

TINY = {
    "dataset.count": 256,
    "dataset.size": 8,
    "trainer.epochs": 2,
    "trainer.warm_up": 0,
    "ranking.channels": 2,
    "ranking.cells": 3,
    "ranking.epochs": 1,
}

CHAIN = """\
nascore: 1
channels: 4
in_channels: 3
classes: 10
affine: false
pool_norm: true
groups:
  first: {ops: [conv_3x3, skip_connect]}
  second: {ops: [halved, sep_conv_3x3]}
  third: {ops: [max_pool_3x3, conv_3x3, dil_conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: first}
    l1: {from: -1, choose: second, width: 2, reduction: 2}
    l2: {from: -1, choose: third, width: 2}
    head: {from: -1, op: classifier, width: classes}
"""

OPERATION = """\
from nascore.api import Operation, hookimpl


def halved(c_in, c_out, stride):
    from torch import nn

    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))


@hookimpl
def nascore_operations():
    yield Operation(name="halved", build=halved)
"""


def search(out: Path, *words: str, seed: int = 0, scale: str = "mini") -> Result:
    sets = [word for path, value in TINY.items() for word in ("--set", f"{path}={value}")]
    data = ["--dataset", "synthetic", "--scale", scale]
    result = CliRunner().invoke(
        main, ["search", *data, "--seed", str(seed), "--out", str(out), *sets, *words], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result


def metrics(folder: Path) -> list[dict]:
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


@pytest.mark.needs("nascore-darts")
def test_a_seed_repeats_every_bit_and_another_does_not(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    for out, seed in ((first, 1), (again, 1), (other, 2)):
        search(out, "--space", "darts", "--updater", "darts", seed=seed)

    for file in ("best/architecture.yaml", "best/weights.safetensors", "best/model.py", "recipe.yaml"):
        assert (first / file).read_bytes() == (again / file).read_bytes(), file
    assert metrics(first) == metrics(again)
    weights = "best/weights.safetensors"
    assert (first / weights).read_bytes() != (other / weights).read_bytes()


@pytest.mark.needs("nascore-darts")
def test_ends_with_gallery_cell_path_and_next_command(tmp_path: Path) -> None:
    out = tmp_path / "run"
    said = search(out, "--space", "darts", "--updater", "darts")

    lines = said.stdout.splitlines()
    assert lines[0] == lines[-1] == "scale mini: a laptop check, not a paper's setting"
    assert lines[1].split()[:2] == ["ID", "ACCURACY"]
    assert lines[-3:-1] == [f"run: {out}", f"next: nascore evaluate {out}"]
    assert any(line.endswith("validation images, which guided the choice") for line in lines)
    assert any("normal" in line for line in lines)
    assert "search: " in said.stderr
    assert " left" in said.stderr


@pytest.mark.needs("nascore-darts")
def test_a_scale_that_is_not_mini_says_nothing_of_it(tmp_path: Path) -> None:
    said = search(
        tmp_path / "run",
        "--space",
        "tiny",
        "--updater",
        "darts",
        "--set",
        "trainer.batch=32",
        "--set",
        "ranking.batch=32",
        scale="paper",
    )

    assert "scale mini" not in said.output


@pytest.mark.needs("nascore-darts")
def test_an_out_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")

    result = CliRunner().invoke(main, ["search", "--space", "tiny", "--out", str(tmp_path)])

    assert result.exit_code == 5
    assert "not empty" in result.stderr


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize("estimate", ["first", "unrolled"])
def test_a_hand_written_chain_with_an_operation_from_a_file(estimate: str, tmp_path: Path) -> None:
    (tmp_path / "chain.yaml").write_text(CHAIN, encoding="utf-8")
    (tmp_path / "ops.py").write_text(OPERATION, encoding="utf-8")
    out = tmp_path / "run"

    search(
        out,
        *("--with", str(tmp_path / "ops.py")),
        *("--space", f"file:{tmp_path / 'chain.yaml'}"),
        *("--updater", "darts", "--set", f"trainer.estimate={estimate}"),
    )

    found = (out / "best" / "architecture.yaml").read_text(encoding="utf-8")
    assert "choose" not in found
    job = json.loads((out / "jobs" / "0001-search" / "result.json").read_text(encoding="utf-8"))
    assert {name: len(picks) for name, picks in job["picks"].items()} == {"first": 1, "second": 1, "third": 1}
    assert any(value != 0 for group in job["groups"].values() for row in group["theta"] for value in row)


@pytest.mark.needs("nascore-darts")
def test_a_recipe_of_a_run_repeats_it(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    search(first, "--space", "tiny", "--updater", "darts", seed=3)

    recipe = str(first / "recipe.yaml")
    result = CliRunner().invoke(main, ["search", "--recipe", recipe, "--out", str(again)])

    assert result.exit_code == 0, result.output
    weights = "best/weights.safetensors"
    assert (first / weights).read_bytes() == (again / weights).read_bytes()


@pytest.mark.needs("nascore-darts")
def test_evaluate_takes_data_and_scale_of_the_run(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "final"
    search(run, "--space", "tiny", "--updater", "darts")
    sets = ["--set", "training.epochs=1", "--set", "training.channels=2", "--set", "training.cells=1"]

    result = CliRunner().invoke(main, ["evaluate", str(run), "--out", str(out), *sets])

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == "scale mini: a laptop check, not a paper's setting"
    figures = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert figures["test_count"] == 64  # a quarter as many as there are to train
    changes = (out / "changes.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["event"] for line in changes] == ["test split opened"]


def test_runs_lists_both_kinds(tmp_path: Path) -> None:
    search(tmp_path / "one", "--space", "tiny", "--updater", "uniform", seed=7)

    found = json.loads(CliRunner().invoke(main, ["runs", str(tmp_path), "--json"]).stdout)
    said = CliRunner().invoke(main, ["runs", str(tmp_path)]).stdout

    assert [(one["status"], one["result"]["seed"]) for one in found] == [("done", 7)]
    assert "validation images" in said
