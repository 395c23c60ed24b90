"""Messages about an evaluation behind a search name its settings as typed: `training.lr`."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import cli

QUICK = ("search", "--space", "tiny", "--updater", "uniform", "--dataset", "synthetic", "--scale", "mini")


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.lr=1e300", "is not a number above 0"),
        ("training.momentum=0", "Nesterov's momentum needs"),
        ("training.batch=100000", "a batch of 100000 is larger than the 1000 available images"),
        ("training.epoch=1", "Did you mean"),
        ("training.cells", "has no value"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--seeds", "0..1")])
def test_what_is_wrong_with_an_evaluation_is_named_as_it_is_typed(setting, said, more):
    done = cli(*QUICK, "--dry-run", "--evaluate", "--set", setting, *more)
    assert done.exit_code == 3, done.output
    assert setting.partition("=")[0] in done.stderr
    assert done.stderr.count(said) == 1


def test_so_it_is_in_a_recipe_and_in_a_warning():
    text = "nascore: 2\nscale: mini\ntraining: {batch: 2000}\n"
    Path("own.yaml").write_text(text, encoding="utf-8")
    done = cli(*QUICK[:-2], "--dry-run", "--evaluate", "--recipe", "own.yaml")
    assert done.exit_code == 3
    assert done.stderr.startswith("training.batch: a batch of 2000")
    assert "from own.yaml:3:19" in done.stderr
    done = cli(*QUICK, "--dry-run", "--evaluate", "--set", "training.auxiliary=0.4")
    assert done.exit_code == 0, done.stderr
    assert "warning: training.auxiliary: this network never reduces its resolution" in done.stderr


def test_a_loss_that_is_not_finite_names_the_setting_as_it_is_typed():
    few = {
        "trainer.epochs": 1,
        "trainer.warm_up": 0,
        "ranking.epochs": 1,
        "dataset.count": 64,
        "dataset.size": 8,
    }
    sets = [word for path, value in few.items() for word in ("--set", f"{path}={value}")]
    wild = ("--set", "training.lr=1e17", "--set", "training.clip=0")
    done = cli(*QUICK, *sets, "--evaluate", *wild, "--set", "training.batch=8", "--out", "run")
    assert done.exit_code == 1
    assert "Try a lower --set training.lr" in done.stderr
    assert "a lower training.clip" in done.stderr


def test_an_evaluation_by_itself_takes_the_paths_that_a_search_has(tiny_run):
    both = (["--set", f"{prefix}seed=-1"] for prefix in ("", "evaluate."))
    plain, long = (cli("evaluate", tiny_run, *words) for words in both)
    assert plain.exit_code == long.exit_code == 3
    assert "seed: -1 is not a whole number" in plain.stderr
    assert long.stderr == plain.stderr.replace("--set seed", "--set evaluate.seed")


@pytest.mark.parametrize("more", [("search", "--dry-run", *QUICK[1:]), ("evaluate", "RUN")])
def test_the_group_training_has_no_prefix(more, tiny_run):
    words = [str(tiny_run) if word == "RUN" else word for word in more]
    done = cli(*words, "--set", "evaluate.training.epochs=3")
    assert done.exit_code == 3
    assert "evaluate.training.epochs: training is a group of its own. Write training.epochs." in done.stderr


def test_only_a_search_with_an_evaluation_has_settings_of_one():
    done = cli(*QUICK, "--dry-run", "--set", "evaluate.seed=3")
    assert done.exit_code == 3
    assert "Set it in the evaluation: nascore evaluate RUN --set seed=VALUE." in done.stderr


def test_an_evaluation_refuses_the_settings_of_the_ranking(tiny_run):
    done = cli("evaluate", tiny_run, "--set", "ranking.epochs=3")
    assert done.exit_code == 3
    assert "ranking.epochs: only a search reads this group of settings." in done.stderr
    assert "Did you mean training.epochs?" in done.stderr
