"""The command `nascore ablate`: its variants, its table, and the same figures from `nascore compare`."""

from __future__ import annotations

import json

import pytest
from ablation_runs import SETTINGS, written
from click.testing import CliRunner

from nascore.cli import main

QUICK = [word for path, value in SETTINGS.items() for word in ("--set", f"{path}={value}")]


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """The words of an ablation of two tricks, without those of its options."""
    plugin, architecture = written(tmp_path_factory.mktemp("ablated"))
    data = ("--dataset", "synthetic", "--scale", "mini", *QUICK, "--with", plugin)
    return ("ablate", architecture, "--trick", "half,triple", *data)


@pytest.fixture(scope="module")
def made(typed):
    """The output of an ablation with one seed, and its folder."""
    out = typed[1].parent / "made"
    return run(*typed, "--out", out), out


def test_the_table_has_a_line_for_each_trick(made):
    result, out = made
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    heads = next(line for line in lines if line.startswith("TRICK"))
    assert heads.split("  ")[0] == "TRICK"
    found = json.loads((out / "ablation.json").read_text(encoding="utf-8"))
    for one in found["contributions"]:
        (line,) = (line for line in lines if line.startswith(f"{one['switch']} "))
        points, with_it = f"{100 * one['contribution']:+.2f}", f"{one['with']:.2%}"
        assert points in line
        assert with_it in line
        assert line.endswith("one seed, not tested")
    assert "warning: seeds: with one seed a contribution has no interval" in result.stderr
    assert "measured on 12 validation images" in result.stdout
    assert f"next: nascore compare {out}" in result.stdout


def test_compare_prints_the_same_table(made):
    result, out = made
    table = result.stdout[result.stdout.index("TRICK") : result.stdout.index("\nrun: ")].rstrip()
    compared = run("compare", out)
    assert compared.exit_code == 0, compared.output
    assert compared.stdout.startswith(table)
    plain = json.loads(run("compare", out, "--json").stdout)
    stored = json.loads((out / "ablation.json").read_text(encoding="utf-8"))
    assert plain["ablation"] == stored


def test_a_dry_run_lists_the_variants(typed, made):
    _, out = made
    result = run(*typed, "--from", "bare", "--seeds", "0..1", "--out", out, "--dry-run")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["bare", "none", "-"] in lines
    assert ["only", "half", "half", "-"] in lines
    assert "6 trainings, 2 of them in the folder, seeds 0..1, measured on validation images" in result.stdout
    plain = json.loads(run(*typed, "--seeds", "0..1", "--dry-run", "--test", "--json").stdout)
    assert (plain["trainings"], plain["split"], plain["finished"]) == (6, "test", [])
    assert [variant["name"] for variant in plain["variants"]] == ["full", "without half", "without triple"]


def test_json_is_the_ablation(typed, made):
    _, out = made
    result = run(*typed, "--out", out, "--json")
    stored = json.loads((out / "ablation.json").read_text(encoding="utf-8"))
    assert json.loads(result.stdout) == {"runs": [str(out)], **stored}


def test_the_tricks_of_a_recipe_are_measured(typed):
    _, architecture, _, _, *others = typed
    recipe = architecture.parent / "recipe.yaml"
    recipe.write_text("nascore: 1\ntrick: {half: {}, triple: {}, doubled: {}}\n", encoding="utf-8")
    words = ("ablate", architecture, *others, "--recipe", recipe, "--keep", "half", "--dry-run", "--json")
    result = run(*words, "--switch", "training.label_smoothing")
    assert result.exit_code == 0, result.output
    found = {one["name"]: one["choice"]["trick"] for one in json.loads(result.stdout)["variants"]}
    assert found == {
        "full": "half+triple+doubled",
        "without triple": "half+doubled",
        "without doubled": "half+triple",
        "without training.label_smoothing": "half+triple+doubled",
    }
