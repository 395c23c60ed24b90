"""Values as a notebook has them: numbers of NumPy, paths, and the batch of an evaluation by its own name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import cli
from edge_files import CHAIN

import nascore
from nascore.errors import RecipeError
from nascore.verbs.grid import expand_grid
from nascore.verbs.resolution import plain, requested

FEW = {"trainer.epochs": 2, "ranking.epochs": 1, "trainer.batch": 10, "ranking.batch": 10}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (np.int64(3), 3),
        (np.int8(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),  # noqa: FBT003 - NumPy's own
        (np.str_("a"), "a"),
        (torch.tensor(0.25), 0.25),
        ([np.int64(1), {"a": np.float32(2)}], [1, {"a": 2.0}]),
        ("text", "text"),
        (None, None),
    ],
)
def test_numbers_of_other_packages_are_python_s(value, wanted):
    assert plain(value) == wanted
    assert type(plain(value)) is type(wanted)


def test_a_path_is_a_file():
    given = {"recipe": None, "preset": None, "scale": None, "settings": None, "seed": None}
    names = {"space": Path("a folder/chain.yaml"), "updater": ["darts"]}
    assert requested(names=names, **given).names == {
        "space": ["file:a folder/chain.yaml"],
        "updater": ["darts"],
    }


def test_seeds_of_several_searches():
    request = requested(
        names={"updater": ["darts"]}, recipe=None, preset=None, scale=None, settings=None, seed=None
    )
    assert expand_grid(request, np.arange(2)).seeds == (0, 1)
    for number in (5, np.int64(5)):
        with pytest.raises(
            RecipeError, match=r"5 may mean one seed or a number of seeds\. .* range\(5\) or \[5\]"
        ):
            expand_grid(request, number)


def test_settings_that_are_no_dictionary():
    with pytest.raises(RecipeError, match="settings must be a dictionary"):
        nascore.search(space="tiny", settings=["trainer.epochs=2"])


def test_a_search_takes_them(tmp_path):
    file = tmp_path / "a folder" / "chain.yaml"
    file.parent.mkdir()
    file.write_text(CHAIN)
    settings = {**FEW, "dataset.count": np.int64(60), "trainer.lr": np.float32(0.5)}
    run = nascore.search(
        space=file, updater="uniform", dataset="synthetic", scale="mini", seed=np.int64(7),
        settings=settings, out=tmp_path / "run",
    )  # fmt: skip
    assert run.result["seed"] == 7
    assert "lr: 0.5" in run.recipe


def test_the_batch_of_an_evaluation_is_named_as_it_is_set():
    sets = (
        "dataset.count=60",
        "trainer.batch=8",
        "ranking.batch=8",
        "trainer.epochs=2",
        "ranking.epochs=1",
    )
    words = [word for each in sets for word in ("--set", each)]
    answer = cli(
        "search", "--space", "tiny", "--updater", "uniform", "--scale", "mini", "--dataset", "synthetic",
        *words, "--set", "training.batch=64", "--evaluate", "--dry-run",
    )  # fmt: skip
    assert answer.exit_code == 3
    assert answer.stderr.startswith("training.batch: a batch of 64")
