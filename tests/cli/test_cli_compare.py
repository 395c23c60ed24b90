"""``nascore search`` with several algorithms and seeds, and ``nascore compare``, from the command line."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import cli, done
from comparison_runs import SMALL, SMALL_EVALUATION, words

from nascore.run import listed

SEARCH = ("search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", *words(SMALL))
SEVERAL = (*SEARCH, "--updater", "uniform,sgd")
LIMIT = 120
needs_signals = pytest.mark.skipif(os.name == "nt", reason="a process sends no Ctrl-C to another there")


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_search_of_several_ends_with_the_table():
    result = cli(*SEVERAL, "--seeds", "0..1", "--out", "run")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == lines[-1] == "scale mini: a laptop check, not a paper's setting"
    assert lines[1].split()[:3] == ["UPDATER", "SEEDS", "ACCURACY"]
    assert [line.split()[0] for line in lines[2:4]] == ["uniform", "sgd"]
    assert "32 validation, guided" in result.stdout
    assert "seeds: 0..1; runs with the same seed have the same data split" in result.stdout
    assert "nascore search --evaluate measures it on test images" in result.stdout
    assert "next: nascore compare run" in result.stdout
    assert "4 of 4: sgd, seed 1" in result.stderr
    # The same table, read back.
    again = done("compare", "run")
    assert again.splitlines() == lines[1 : lines.index("run: run") - 1]
    assert json.loads(done("compare", "run", "--json"))["rows"][1]["label"] == "sgd"


def test_json_is_the_table_and_nothing_else():
    plain = json.loads(done(*SEVERAL, "--seeds", "0,2", "--out", "run", "--json"))
    assert plain["runs"] == ["run"]
    assert [row["seeds"] for row in plain["rows"]] == [[0, 2], [0, 2]]
    assert plain == json.loads(done("compare", "run", "--json"))


def test_json_of_a_single_search_is_its_record():
    plain = json.loads(done(*SEARCH, "--updater", "uniform", "--out", "run", "--json"))
    assert plain == json.loads(done("runs", "--json", "."))[0]


def test_evaluations_are_tested_and_said():
    text = done(*SEVERAL, "--seeds", "0..0", "--evaluate", *words(SMALL_EVALUATION), "--out", "run")
    assert "TEST ACCURACY" in text
    assert "16 test" in text
    assert "test split: opened 2 times, once for each architecture, after its search" in text
    assert "2 of 4" in cli("runs", "run").output or "evaluate" in cli("runs", "run").output


def test_runs_lists_a_comparison_as_one_and_its_members_inside():
    done(*SEVERAL, "--seeds", "0..1", "--out", "all/run")
    assert done("runs", "all").splitlines()[1].split() == [
        "all/run",
        "compare",
        "done",
        "0..1",
        "4",
        "of",
        "4",
        "jobs",
    ]
    assert len(done("runs", "all/run").splitlines()) == 1 + 4
    assert json.loads(done("runs", "all", "--json"))[0]["result"]["kind"] == "compare"


@pytest.mark.parametrize("verb", ["draw", "gallery", "evaluate"])
def test_other_verbs_say_what_a_comparison_is(verb):
    done(*SEARCH, "--updater", "uniform", "--seeds", "0..0", "--out", "run")
    refused = cli(verb, "run")
    assert refused.exit_code == 5
    assert (
        "run is a comparison of several runs; the runs are in run/jobs. See nascore compare run."
        in refused.stderr
    )


def test_dry_run_says_what_would_be_and_makes_nothing():
    text = done(*SEVERAL, "--seeds", "0..4", "--evaluate", "--dry-run", "--out", "run")
    assert "10 searches, seeds 0..4, each found architecture evaluated" in text
    assert [line.split()[0] for line in text.splitlines()[2:4]] == ["uniform", "sgd"]
    assert not Path("run").exists()


REFUSED = [
    pytest.param(["--updater", "uniform,,sgd"], ["updater: a name is missing"], id="no name"),
    pytest.param(["--updater", "sgd,sgd"], ["updater: sgd is given twice"], id="twice"),
    pytest.param(
        ["--seeds", "3..1,x,2,2", "--seed", "1"],
        [
            "3..1 ends before it begins",
            "'x' is neither a number",
            "2 is given twice",
            "seed: is given together with",
        ],
        id="seeds",
    ),
    pytest.param(["--seeds", ""], ["seeds: '' is neither"], id="no seeds"),
    pytest.param(
        ["--seeds", "0..1", "--set", "seed=3"], ["seed: is given together with seeds"], id="set seed"
    ),
    pytest.param(["--seeds", "0..99999"], ["more than 1000 seeds"], id="too many"),
    pytest.param(
        ["--updater", "uniform,xsgd", "--growth", "none,nosuch"],
        ["no updater is called xsgd", "no growth is called nosuch", "--updater uniform", "--growth none"],
        id="unknown",
    ),
    pytest.param(
        ["--updater", "uniform,sgd", "--set", "updater.nosuch=1"],
        ["[updater uniform]", "[updater sgd]", "no setting nosuch"],
        id="a setting of none",
    ),
    pytest.param(
        ["--updater", "uniform,sgd", "--set", "ranking.cells=0"], ["ranking.cells"], id="of every one"
    ),
    pytest.param(
        ["--updater", "uniform", "--seeds", "0..1", "--evaluate", "--set", "training.batch=5000"],
        ["training.batch: a batch of 5000 is larger than the 64 available images"],
        id="evaluation",
    ),
    pytest.param(
        ["--updater", "uniform", "--seeds", "0..1", "--evaluate", "--set", "training.epoch=1"],
        ["training.epoch"],
        id="setting",
    ),
]


@pytest.mark.parametrize(("more", "texts"), REFUSED)
def test_all_that_is_wrong_is_refused_at_once_and_nothing_is_made(more, texts):
    refused = cli(*SEARCH, *more, "--out", "run")
    assert refused.exit_code == 3, refused.output
    for text in texts:
        assert text in refused.stderr
    assert not Path("run").exists()


def test_what_is_wrong_with_every_one_is_said_once():
    refused = cli(*SEVERAL, "--set", "seed=-1", "--out", "run")
    assert refused.stderr.count("seed: ") == 1
    assert "[updater" not in refused.stderr


@pytest.mark.needs("nascore-xnas")
@pytest.mark.parametrize(
    ("slots", "works"),
    [
        (("--updater", "uniform,xnas", "--relaxation", "linear"), {"--updater": "uniform"}),
        (
            ("--updater", "uniform,xnas", "--relaxation", "softmax,linear"),
            {"--updater": "uniform", "--relaxation": "softmax,linear"},
        ),
        (("--updater", "xnas", "--relaxation", "linear"), {"--updater": "xnas"}),
    ],
)
def test_a_misfit_names_the_combination_and_ends_with_what_works(slots, works):
    more = ("--seeds", "0..1", "--evaluate", *words(SMALL_EVALUATION), "--out", "run")
    refused = cli(*SEARCH, *slots, *more)
    assert refused.exit_code == 3
    assert "xnas and linear do not fit" in refused.stderr
    assert ("[updater xnas" in refused.stderr) == ("," in "".join(slots))
    assert not Path("run").exists()
    line = shlex.split(refused.stderr.strip().splitlines()[-1])
    assert {flag: line[line.index(flag) + 1] for flag in works} == works
    assert line.count("--seeds") == line.count("--evaluate") == 1
    assert cli(*line[1:], "--dry-run").exit_code == 0


def test_a_setting_counts_for_those_that_have_it():
    result = cli(*SEVERAL, "--set", "updater.lr=0.5", "--seeds", "0..0", "--out", "run")
    assert result.exit_code == 0, result.output
    assert "updater.lr=0.5: for sgd; uniform has no such setting" in result.stderr
    assert "lr: 0.5" in Path("run/jobs/0002-tiny-sgd_s0/recipe.yaml").read_text(encoding="utf-8")


def test_a_file_with_a_comma_in_its_name_is_one():
    Path("one,two.yaml").write_text("nascore: 1\n", encoding="utf-8")
    refused = cli("search", "--space", "file:one,two.yaml", "--seeds", "0..1")
    assert "is given twice" not in refused.stderr
    assert "one,two.yaml" in refused.stderr


def test_against_a_control():
    done(*SEARCH, "--updater", "uniform,sgd", "--growth", "none", "--seeds", "0..2", "--out", "run")
    plain = json.loads(done("compare", "run", "--against", "uniform", "--json"))
    assert len(plain["differences"]) == 1
    assert cli("compare", "run", "--against", "unifrom").exit_code == 3


def started(*typed):
    return subprocess.Popen(
        [sys.executable, "-m", "nascore", *typed],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(path, process):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and process.poll() is None:
        if path.is_file():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} never came: {process.communicate()}")


@needs_signals
def test_a_kill_leaves_what_was_done_readable():
    process = started(*SEVERAL, "--seeds", "0..200", "--out", "run")
    wait_for(Path("run/jobs/0003-tiny-uniform_s1/result.json"), process)
    process.kill()
    process.communicate(timeout=LIMIT)
    assert not Path("run/result.json").exists()
    assert [one.status for one in listed(Path())] == ["killed"]
    result = cli("compare", "run")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()[1:3]] == ["uniform", "sgd"]
    assert "jobs were not started: jobs/" in result.stderr
    assert any(one.status == "done" for one in listed(Path("run")))


@needs_signals
def test_ctrl_c_writes_the_table_of_what_was_done():
    process = started(*SEVERAL, "--seeds", "0..200", "--out", "run")
    wait_for(Path("run/jobs/0002-tiny-sgd_s0/result.json"), process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, err
    assert "interrupted; the run is kept in run. It holds comparison.json" in err
    result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    assert result["status"] == "interrupted"
    assert result["jobs"]["done"] >= 2
    assert [row["label"] for row in result["table"]["rows"]] == ["uniform", "sgd"]
