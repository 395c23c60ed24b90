"""A run's networks can be fed: normalisation, size and class names stand beside them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from engine_runs import REGISTRY, growth_of
from tiny import TINY

import nascore
from nascore.builtin.datasets import Digits
from nascore.config import NoSettings
from nascore.contract import DataFacts
from nascore.engine.augmentation import normalise
from nascore.engine.search import search
from nascore.errors import RunFolderError
from nascore.nn.preprocessing import Preprocessing

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

GREY = Preprocessing(shape=(1, 4, 5), mean=(0.25,), std=(0.5,))
COLOUR = Preprocessing(shape=(3, 4, 5), mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0))

ALONE = """
import sys, torch
sys.modules["nascore"] = sys.modules["safetensors"] = sys.modules["numpy"] = None  # importing them fails now
sys.path.insert(0, sys.argv[1])
import model
images = torch.load("images.pt")
torch.save(model.load()(model.preprocess(images)), "logits.pt")
print(*model.classes)
"""


def module_of(name: str, folder: Path) -> ModuleType:
    """Import a `model.py` as the README says."""
    spec = spec_from_file_location(name, folder / "best" / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def logits_of(run: nascore.Run, images: torch.Tensor) -> torch.Tensor:
    model = run.model()
    assert model.preprocess is not None
    with torch.no_grad():
        logits: torch.Tensor = model(model.preprocess(images))
    return logits


def test_all_that_a_network_needs_stands_beside_it(tiny_run: Path) -> None:
    facts = Digits(NoSettings()).facts
    kept = json.loads((tiny_run / "best" / "preprocess.json").read_text())

    assert kept == {
        "channels": 1,
        "height": 8,
        "width": 8,
        "value_range": [0, 1],
        "mean": list(facts.mean),
        "std": list(facts.std),
        "classes": [str(digit) for digit in range(10)],
    }


def test_a_run_predicts_what_it_measured(tiny_run: Path, tmp_path: Path) -> None:
    settings = {"training.epochs": 6, "training.channels": 4, "training.cells": 3, "training.batch": 64}
    run = nascore.evaluate(tiny_run, settings=settings, out=tmp_path / "e")
    test = Digits(NoSettings()).test()
    told = run.predict(test.images)

    assert int((told.indices == test.labels).sum()) / len(test.labels) == run.result["test_accuracy"]
    assert run.result["test_accuracy"] > 0.5
    assert told.names == [str(index) for index in told.indices.tolist()]
    assert told.probabilities.sum(1) == pytest.approx(torch.ones(len(told)), abs=1e-5)
    assert len(told) == len(test.labels)
    # In 0 to 1, and not normalised, they are other images.
    with torch.no_grad():
        raw = run.model()(test.images).argmax(1)
    assert int((raw == test.labels).sum()) < int((told.indices == test.labels).sum())


def test_the_program_the_model_and_the_prediction_agree(tiny_run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "a folder" / "moved run"
    shutil.copytree(tiny_run, moved)
    images = Digits(NoSettings()).test().images[:64]
    torch.save(images, tmp_path / "images.pt")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(moved / "best")],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    run = nascore.load_run(moved)

    assert done.stdout.split() == [str(digit) for digit in range(10)]
    assert torch.allclose(torch.load(tmp_path / "logits.pt"), logits_of(run, images), atol=1e-5)
    assert torch.allclose(run.predict(images).logits, logits_of(run, images), atol=1e-5)
    assert torch.equal(run.predict(images[0]).indices, run.predict(images[:1]).indices)


def test_two_runs_in_one_process_are_two_models(tiny_run: Path, tmp_path: Path) -> None:
    other = nascore.search(
        space="tiny", updater="darts", settings={**TINY, "ranking.channels": 8}, out=tmp_path / "other"
    )
    runs = [nascore.load_run(tiny_run), other]
    programs = [module_of(name, run.path) for name, run in zip(("first", "second"), runs, strict=True)]
    counts = [sum(each.numel() for each in program.load().parameters()) for program in programs]
    same = [sum(each.numel() for each in run.model().parameters()) for run in runs]

    assert counts == same
    assert counts[0] != counts[1]
    images = Digits(NoSettings()).test().images[:8]
    for run, program in zip(runs, programs, strict=True):
        logits = program.load()(program.preprocess(images))
        assert torch.allclose(logits, logits_of(run, images), atol=1e-5)


def test_every_architecture_of_a_gallery_is_a_model(tmp_path: Path) -> None:
    run = nascore.load_run(search(growth_of(growth__count=2), REGISTRY, out=tmp_path / "run"))
    images = torch.rand(3, run.best.in_channels, 8, 8)

    best = run.gallery.best.id
    assert torch.equal(run.predict(images).logits, run.predict(images, entry=best).logits)
    for entry in run.gallery:
        assert run.predict(images, entry=entry.id).logits.shape == (3, run.best.classes)
    with pytest.raises(RunFolderError):
        run.model(entry=77)


def test_predicting_moves_no_random_number_of_the_caller(tiny_run: Path) -> None:
    run = nascore.load_run(tiny_run)
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    run.predict(torch.zeros(2, 1, 8, 8))

    assert torch.equal(torch.rand(4), expected)


def test_a_run_that_kept_nothing_of_it_says_so(tiny_run: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(tiny_run, old)
    for name in ("best/preprocess.json", "checksums.json", "checksums.jsonl"):
        (old / name).unlink(missing_ok=True)
    run = nascore.load_run(old)

    assert run.model().preprocess is None
    with pytest.raises(RunFolderError, match="the normalisation of its images is unknown"):
        run.predict(torch.zeros(1, 8, 8))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mean", []),
        ("mean", [0.5, 0.5]),
        ("std", [0.0]),
        ("classes", ["a", "b"]),
        ("height", 0),
        ("width", 0),
        ("width", 9),
    ],
)
def test_a_normalisation_that_does_not_go_with_the_network_is_refused(
    tiny_run: Path, tmp_path: Path, key: str, value: Any
) -> None:
    old = tmp_path / "old"
    shutil.copytree(tiny_run, old)
    (old / "checksums.jsonl").unlink()
    file = old / "best/preprocess.json"
    kept = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**kept, key: value if key == "classes" else value * kept["channels"]}))

    with pytest.raises(RunFolderError, match="images of" if value == 9 else key):
        nascore.load_run(old).predict(torch.zeros(1, kept["channels"], kept["height"], kept["width"]))


@pytest.mark.parametrize("way", [GREY, COLOUR], ids=["grey", "colour"])
def test_an_image_is_read_in_every_form(way: Preprocessing) -> None:
    channels, height, width = way.shape
    bytes_ = torch.randint(0, 256, (6, channels, height, width), dtype=torch.uint8)
    facts = DataFacts(
        channels=channels, height=height, width=width, classes=2, train=1, test=1, mean=way.mean, std=way.std
    )
    expected = normalise(bytes_ / 255, facts)
    last = bytes_.permute(0, 2, 3, 1)
    arrays = bytes_.numpy()
    forms: list[object] = [
        bytes_, last, arrays, last.numpy(), arrays[::-1][::-1], list(arrays), list(bytes_), bytes_ / 255,
        (bytes_ / 255).double(), np.float32(arrays / 255),
    ]  # fmt: skip
    forms += [bytes_[:, 0], arrays[:, 0], list(arrays[:, 0])] if channels == 1 else []
    for form in forms:
        assert torch.allclose(way(form), expected, atol=1e-6)
    one = [bytes_[0], last[0], arrays[0], *([bytes_[0, 0]] if channels == 1 else [])]
    for form in one:
        assert torch.allclose(way(form), expected[:1], atol=1e-6)


class Pil:
    """What an image of PIL has, as far as it is asked for."""

    def __init__(self, array: np.ndarray, mode: str) -> None:
        self.array, self.mode = array, mode
        self.height, self.width = array.shape[:2]

    def convert(self, mode: str) -> Pil:
        assert mode == self.mode
        return self

    def getbands(self) -> tuple[str, ...]:
        return tuple(self.mode)

    def tobytes(self) -> bytes:
        return self.array.tobytes()


def test_an_image_of_pil_is_read() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)

    assert torch.equal(COLOUR(Pil(array, "RGB")), COLOUR(array))
    assert torch.equal(COLOUR([Pil(array, "RGB")] * 2), COLOUR(np.stack([array, array])))
    with pytest.raises(ValueError, match="mode I;16"):
        COLOUR(Pil(array, "I;16"))


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.zeros(3, 5, 4), r"images must be \[3, 4, 5\].*not \[3, 5, 4\]: resize them first"),
        (torch.zeros(1, 4, 5), "resize them first"),
        (torch.full((3, 4, 5), 16.0), "not from 16 to 16: scale them first"),
        (torch.full((3, 4, 5), float("nan")), "scale them first"),
        (torch.zeros(3, 4, 5) - 0.5, "not from -0.5 to -0.5"),
        (torch.zeros(3, 4, 5, dtype=torch.int64), "not torch.int64"),
        ([], "there are no images"),
        ("cat.png", "str is not an image"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(images: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        COLOUR(images)
