"""Verbs whose answer a program reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner
from comparison_runs import SMALL, words
from tiny import CLOSED

from nascore.cli import main

if TYPE_CHECKING:
    from pathlib import Path

TINY = ("search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", *words(SMALL))


def test_a_dry_run_says_what_a_search_would_be() -> None:
    answer = CliRunner().invoke(main, [*TINY, "--updater", "uniform", "--dry-run", "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert {"slot": "updater", "name": "uniform", "from": "--updater uniform"} in found["parts"]
    assert found["settings"]["dataset.count"] == SMALL["dataset.count"]
    assert found["supernet"]["params"] > 0
    assert found["trained"]


def test_so_does_one_of_several_searches() -> None:
    line = [*TINY, "--updater", "uniform,sgd", "--seeds", "0..1", "--dry-run", "--json"]
    found = json.loads(CliRunner().invoke(main, line).stdout)
    assert (found["seeds"], found["evaluate"]) == ([0, 1], False)
    assert [one["choice"] for one in found["searches"]] == [{"updater": "uniform"}, {"updater": "sgd"}]
    assert all(one["supernet"]["macs"] > 0 for one in found["searches"])


def test_check_prints_the_settled_recipe_or_the_problems(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("nascore: 1\nspace: tiny\nupdater: uniform\ndataset: synthetic\n", encoding="utf-8")
    answer = CliRunner().invoke(main, ["check", str(recipe), "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["problems"] == []
    recipe.write_text("nascore: 1\nspace: tny\n", encoding="utf-8")
    answer = CliRunner().invoke(main, ["check", str(recipe), "--json"])
    assert answer.exit_code == 3
    problems = json.loads(answer.stdout)["problems"]
    assert any(one["path"] == "space" and "tny" in one["text"] for one in problems)
    assert "tny" in answer.stderr


def test_draw_and_evaluate_print_figures(tmp_path: Path) -> None:
    file, out = tmp_path / "closed.yaml", tmp_path / "run"
    file.write_text(CLOSED, encoding="utf-8")
    drawn = json.loads(CliRunner().invoke(main, ["draw", str(file), "--size", "8", "--json"]).stdout)
    assert (drawn["open"], drawn["image"]) == (False, [8, 8])
    assert drawn["params"] > 0
    sizes = (
        "--dataset",
        "synthetic",
        "--scale",
        "mini",
        "--set",
        "dataset.count=64",
        "--set",
        "dataset.size=8",
    )
    sets = ("--set", "training.epochs=1", "--set", "training.batch=8")
    line = ["evaluate", str(file), *sizes, *sets, "--out", str(out), "--json"]
    answer = CliRunner().invoke(main, line)
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["result"]["test_count"] > 0
