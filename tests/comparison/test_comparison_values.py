"""A comparison over values of settings: its folder, table and resumption, and the executor `processes`."""

from __future__ import annotations

import json

import pytest
from command_line import cli, done
from comparison_runs import SMALL, TINY
from resumed_runs import differences

import nascore
from nascore import Values
from nascore.comparison import Plan, Planned, folder_words, read_plan
from nascore.comparison.rows import distinguish

CALL = {
    **TINY,
    "updater": ["sgd", "uniform"],
    "executor": "serial",
    "settings": {**SMALL, "sgd:updater.lr": Values([0.1, 0.01])},
}
TYPED = [
    *("search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", "--updater", "sgd,uniform"),
    *(word for path, value in SMALL.items() for word in ("--set", f"{path}={value}")),
    *("--set", "sgd:updater.lr=0.1,0.01"),
]
LABELS = ["sgd updater.lr=0.1", "sgd updater.lr=0.01", "uniform"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison over the values of a setting that one of two components has; to read only."""
    out = tmp_path_factory.mktemp("runs") / "compared"
    return out, nascore.search_several(**CALL, out=out)


def test_a_row_for_each_value(compared):
    out, found = compared
    assert [row.label for row in found.rows] == LABELS
    assert found.paths == ("updater", "updater.lr")
    assert found.brought == ()
    assert nascore.compare(out).plain() == found.plain()
    assert nascore.compare(out, against="sgd updater.lr=0.01").pairs


def test_the_folders_and_the_plan_have_the_values(compared):
    out, _ = compared
    plan = read_plan(out)
    assert plan.slots == ("updater", "updater.lr")
    assert [(job.folder, dict(job.choice)) for job in plan.jobs] == [
        ("jobs/0001-tiny-sgd-lr=0.1_s0", {"updater": "sgd", "updater.lr": "0.1"}),
        ("jobs/0002-tiny-sgd-lr=0.01_s0", {"updater": "sgd", "updater.lr": "0.01"}),
        ("jobs/0003-tiny-uniform_s0", {"updater": "uniform"}),
    ]
    assert "3 jobs: updater, updater.lr, seeds 0" in (out / "run.log").read_text(encoding="utf-8")


def test_a_value_gives_the_search_that_it_gives_alone(compared, tmp_path):
    out, _ = compared
    settings = {**SMALL, "updater.lr": 0.01}
    alone = nascore.search(**{**TINY, "updater": "sgd", "settings": settings}, out=tmp_path / "alone")
    assert not differences(alone.path, out / "jobs/0002-tiny-sgd-lr=0.01_s0")


def test_the_command_line_does_the_same(compared, tmp_path, monkeypatch):
    out, found = compared
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path))
    typed = cli(*TYPED, "--observer", "none")
    assert typed.exit_code == 0, typed.output
    assert typed.stderr.splitlines()[:3] == [
        "1 of 3: sgd, updater.lr=0.1, seed 0",
        "2 of 3: sgd, updater.lr=0.01, seed 0",
        "3 of 3: uniform, seed 0",
    ]
    [folder] = tmp_path.iterdir()
    assert folder.name.endswith("_compare-updater-lr_s0")
    assert (
        json.loads((folder / "comparison.json").read_text(encoding="utf-8"))["jobs"]
        == json.loads((out / "comparison.json").read_text(encoding="utf-8"))["jobs"]
    )
    assert [row.mean for row in nascore.compare(folder).rows] == [row.mean for row in found.rows]


def test_a_dry_run_shows_the_values():
    table = done(*TYPED, "--dry-run").splitlines()
    rows = [line.split()[:2] for line in table if line.startswith(("UPDATER", "sgd", "uniform"))]
    assert rows == [["UPDATER", "UPDATER.LR"], ["sgd", "0.1"], ["sgd", "0.01"], ["uniform", "-"]]
    assert "3 searches, seeds 0" in table
    plain = json.loads(done(*TYPED, "--dry-run", "--json"))
    assert [one["choice"] for one in plain["searches"]] == [
        {"updater": "sgd", "updater.lr": "0.1"},
        {"updater": "sgd", "updater.lr": "0.01"},
        {"updater": "uniform"},
    ]


def test_a_stopped_comparison_is_resumed(compared, tmp_path):
    out, found = compared
    stopped = nascore.search_several(**CALL, out=tmp_path / "stopped", budget="3jobs")
    assert len([row for row in stopped.rows if row.samples]) == 1
    resumed = nascore.resume(tmp_path / "stopped", budget="+10jobs")
    assert isinstance(resumed, nascore.Comparison)
    assert [(row.label, row.mean) for row in resumed.rows] == [(row.label, row.mean) for row in found.rows]
    for job in read_plan(out).jobs:
        assert not differences(out / job.folder, tmp_path / "stopped" / job.folder)


def test_processes_give_the_same_runs(compared, tmp_path):
    out, found = compared
    several = nascore.search_several(**{**CALL, "executor": "processes"}, out=tmp_path / "apart")
    assert [(row.label, row.mean) for row in several.rows] == [(row.label, row.mean) for row in found.rows]
    for job in read_plan(out).jobs:
        assert not differences(out / job.folder, tmp_path / "apart" / job.folder)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"updater": "sgd"}, []),
        ({"updater": "sgd", "updater.lr": "0.1"}, ["lr=0.1"]),
        ({"updater.lr": "1e-05", "trainer.lr": "2"}, ["updater.lr=1e-05", "trainer.lr=2"]),
        ({"space.path": "../my files/a:b.yaml"}, ["path=..-my-files-a-b.yaml"]),
        ({"training": "{'lr': 0.1, 'momentum': 0.9, 'epochs': 5}"}, ["training=lr-0.1-momentum-0.9-epo"]),
    ],
)
def test_values_in_the_name_of_a_folder(choice, words):
    assert folder_words(choice) == words


def test_a_label_leaves_out_a_setting_that_the_component_does_not_have():
    recipes = [
        {"updater": "sgd", "updater.lr": 0.1},
        {"updater": "sgd", "updater.lr": 0.2},
        {"updater": "uniform"},
    ]
    assert distinguish(recipes, ["updater", "updater.lr"]).labels == (
        "sgd updater.lr=0.1",
        "sgd updater.lr=0.2",
        "uniform",
    )


def test_a_plan_keeps_paths_beside_slots():
    job = Planned(folder="jobs/0001-a", kind="search", choice={"trainer.lr": "0.1"}, seed=0)
    assert Plan(slots=("trainer.lr",), seeds=(0,), jobs=(job,)).plain() == {
        "slots": ["trainer.lr"],
        "seeds": [0],
        "jobs": [{"folder": "jobs/0001-a", "kind": "search", "choice": {"trainer.lr": "0.1"}, "seed": 0}],
    }
