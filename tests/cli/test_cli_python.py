"""The same verbs from Python."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import version
from inspect import signature
from typing import TYPE_CHECKING

import pytest
import torch

import nascore
from nascore import slots
from nascore.contract import Observer
from nascore.errors import RecipeError, RunFolderError
from nascore.verbs.arguments import OfData, OfSlots

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS = {
    "dataset.count": 256,
    "dataset.size": 8,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "ranking.channels": 2,
    "ranking.epochs": 1,
}


def search(out: Path, **more: object) -> nascore.Run:
    return nascore.search(
        space="tiny", updater="darts", dataset="synthetic", scale="mini", settings=SETTINGS, out=out, **more
    )


def test_importing_loads_no_torch() -> None:
    program = "import sys, nascore; nascore.search; assert 'torch' not in sys.modules"

    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.needs("nascore-darts")
def test_twice_in_one_process_without_side_effects(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()

    one = search(tmp_path / "one", seed=2)
    two = search(tmp_path / "two", seed=2)

    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    weights = [run.path / "best" / "weights.safetensors" for run in (one, two)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert one.best == two.best


@pytest.mark.needs("nascore-darts")
def test_a_loaded_run_is_the_one_that_was_returned(tmp_path: Path) -> None:
    run = search(tmp_path / "run")

    assert nascore.load_run(str(run.path)) == run
    assert not run.best.is_open
    assert run.gallery.best.accuracy == pytest.approx(run.result["validation_accuracy"])


@pytest.mark.needs("nascore-darts")
def test_evaluate_takes_a_run_a_description_or_a_file(tmp_path: Path) -> None:
    run = search(tmp_path / "run")
    # A run is evaluated at the size that its space declares; a description as it is, unless asked otherwise.
    settings = {"training.epochs": 1, "training.channels": 2, "training.cells": 4}
    data = {"dataset.count": 256, "dataset.size": 8}

    of_run = nascore.evaluate(run, settings=settings, out=tmp_path / "a")
    synthetic = {"dataset": "synthetic", "scale": "mini", "settings": settings | data}
    of_value = nascore.evaluate(run.best, out=tmp_path / "b", **synthetic)
    of_file = nascore.evaluate(run.path / "best" / "architecture.yaml", out=tmp_path / "c", **synthetic)

    weights = [one.path / "best" / "weights.safetensors" for one in (of_run, of_value, of_file)]
    assert len({file.read_bytes() for file in weights}) == 1


@pytest.mark.needs("nascore-darts")
def test_observers_see_the_run(tmp_path: Path) -> None:
    seen = []

    class Watching(Observer):
        def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
            seen.append((name, steps, steps_per_epoch))

    search(tmp_path / "run", observers=[Watching()])

    # 256 images: two halves in batches of 32 to search, one half in batches of 32 to train.
    assert seen == [("search", 4, 4), ("train", 4, 4)]


@pytest.mark.needs("nascore-darts")
def test_what_is_wrong_is_one_error_with_all_problems(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        nascore.search(space="darst", settings={"seed": -1, "trainer.epochs": "many"}, out=tmp_path / "run")

    assert {problem.path for problem in caught.value.problems} == {"space", "seed", "trainer.epochs"}
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        nascore.load_run(tmp_path)


def test_every_slot_is_an_argument() -> None:
    both = {**OfSlots.__annotations__, **OfData.__annotations__}
    assert set(both) == {slot.name for slot in slots.SLOTS}
    assert set(OfData.__annotations__) == {slot.name for slot in slots.SLOTS_OF_EVALUATE}
    holding = {name for name, one in both.items() if one.__forward_arg__ == "str | Sequence[str] | None"}
    assert holding == {slot.name for slot in slots.SLOTS if slot.many}
    assert set(both) <= set(signature(nascore.search).parameters)


@pytest.mark.parametrize(
    "function", [nascore.search, nascore.search_several, nascore.evaluate, nascore.ablate]
)
def test_help_shows_every_argument(function: Callable[..., object]) -> None:
    text = inspect.getdoc(function) or ""
    shown = signature(function).parameters
    assert not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in shown.values())
    assert {"dataset", "recipe", "seed", "device", "out", "plugins"} <= set(shown)
    assert [name for name in shown if f"    {name}: " not in text] == []


def test_help_shows_where_several_names_may_stand() -> None:
    one, several = signature(nascore.search).parameters, signature(nascore.search_several).parameters
    assert one["updater"].annotation == "str | None"
    assert several["updater"].annotation == "str | Sequence[str | Path] | None"
    assert "space" not in signature(nascore.evaluate).parameters


def test_names_of_the_package() -> None:
    assert nascore.__version__ == version("nascore")
    assert set(nascore.__all__) <= set(dir(nascore))
    with pytest.raises(AttributeError, match="serach"):
        _ = nascore.serach
