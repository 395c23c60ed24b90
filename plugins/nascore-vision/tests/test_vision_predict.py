"""A prediction is the same for an image alone and among others, for every kind of run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from sklearn.datasets import load_digits
from vision_files import folder, pixels, truncate, write

import nascore
from nascore.cli import main
from nascore.errors import ImageError
from nascore_vision.datasets import Folder
from nascore_vision.predicted import read_image
from nascore_vision.settings import FolderSettings

DATA = {"dataset": "synthetic", "scale": "mini"}
SETTINGS = {"dataset.count": 128, "dataset.size": 8}


def made(kind, out):
    if kind == "evaluation":
        return nascore.evaluate("resnet20", out=out, settings={**SETTINGS, "training.epochs": 1}, **DATA)
    if kind == "timm":
        more = {"training.epochs": 1}
        return nascore.evaluate("timm:test_resnet", out=out, settings={**SETTINGS, **more}, **DATA)
    growth = {"growth": "random", "settings": {**SETTINGS, "growth.count": 2, "training.epochs": 1}}
    search = {"updater": "sgd", "settings": {**SETTINGS, "trainer.epochs": 1, "trainer.warm_up": 0}}
    return nascore.search(space="tiny", out=out, **DATA, **(growth if kind == "growth" else search))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of runs by kind; each is made once."""
    known = {}

    def run(kind):
        if kind not in known:
            known[kind] = made(kind, tmp_path_factory.mktemp("runs") / kind)
        return known[kind]

    return run


@pytest.mark.parametrize("kind", ["search", "growth", "evaluation", "timm"])
def test_an_image_alone_and_among_others_gets_the_same_answer(kind, runs, tmp_path):
    run = runs(kind)
    root = folder(tmp_path / "photos", count=4, channels=3)
    paths = sorted(root.rglob("*.png"))
    together = nascore.predict(run, [root])
    assert len(together) == len(paths) == 8
    for number, path in enumerate(paths):
        alone = nascore.predict(run.path, path)
        assert torch.allclose(alone.logits[0], together.logits[number], rtol=1e-4, atol=1e-5)
        order = [one.probabilities.argsort(1, descending=True) for one in (alone, together)]
        assert torch.equal(order[0][0], order[1][number])
    printed = CliRunner().invoke(main, ["predict", str(run.path), str(root), "--json"])
    assert printed.exit_code == 0, printed.output
    rows = json.loads(printed.output)
    assert [Path(row["file"]) for row in rows] == paths
    assert [row["label"] for row in rows] == together.names
    assert rows[0]["probabilities"] == pytest.approx(
        dict(zip(together.classes, together.probabilities[0].tolist(), strict=True)), abs=1e-5
    )


def test_files_of_digits_are_read_as_the_digits_themselves(tmp_path):
    run = nascore.evaluate(
        "timm:test_resnet", out=tmp_path / "run", settings={"training.epochs": 1, "training.batch": 512}
    )
    digits = load_digits()
    arrays = [np.round(digits.images[index] / 16 * 255).astype(np.uint8) for index in range(4)]
    paths = [write(tmp_path / f"{index}.png", array) for index, array in enumerate(arrays)]
    assert torch.equal(nascore.predict(run, paths).logits, run.predict(arrays).logits)
    large = Image.fromarray(arrays[0]).resize((64, 64)).convert("RGB")
    large.save(tmp_path / "large.png")
    assert len(nascore.predict(run, tmp_path / "large.png")) == 1
    printed = CliRunner().invoke(main, ["predict", str(run.path), str(paths[0]), "--top", "2"])
    assert printed.output.count("%") == 2


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_files_are_prepared_as_the_data_set_prepares_its_own(fit, tmp_path):
    root = folder(tmp_path / "photos", count=5, height=12, width=20, channels=3)
    settings = FolderSettings(path=root, size=9, fit=fit, test_share=0.2)
    data = Folder(settings)
    held = {image.numpy().tobytes() for part in (data.train(), data.test()) for image in part.images}
    plain = {"size": 9, "fit": fit, "background": None}
    read = {read_image(path, (3, 9, 9), plain).numpy().tobytes() for path in root.rglob("*.png")}
    assert read == held


def test_all_faulty_paths_are_named_at_once(runs, tmp_path):
    run = runs("evaluation")
    good = write(tmp_path / "good.png", pixels(0))
    truncate(write(tmp_path / "cut.png", pixels(1, 64, 64)))
    write(tmp_path / "alpha.png", np.dstack([pixels(2, channels=3), pixels(3)]))
    write(tmp_path / "deep.png", pixels(4).astype(np.uint16) * 256)
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    names = ["good.png", "cut.png", "alpha.png", "deep.png", "text.png", "empty", "godo.png"]
    done = CliRunner().invoke(main, ["predict", str(run.path), *(str(tmp_path / name) for name in names)])
    assert done.exit_code == 2
    text = " ".join(done.output.split())
    assert "cut.png: the image cannot be used: it is truncated." in text
    assert "alpha.png: the image cannot be used: it has transparent pixels." in text
    assert "deep.png: the image cannot be used: it has more than 8 bits in a channel." in text
    assert "text.png: the image cannot be used: it is not an image." in text
    assert "empty: the folder has no image." in text
    assert f"godo.png: the file or folder does not exist. Did you mean {good}?" in text
    assert "good.png: the image" not in text
    with pytest.raises(ImageError):
        nascore.predict(run, [good, tmp_path / "nothing"])


def test_a_folder_that_is_no_run_is_refused_first(tmp_path):
    done = CliRunner().invoke(main, ["predict", str(tmp_path), "nothing.png"])
    assert done.exit_code == 5


def test_without_the_plugin_its_name_is_the_answer(runs, tmp_path):
    path = write(tmp_path / "good.png", pixels(0))
    words = ["predict", str(runs("evaluation").path), str(path), "--without", "nascore-vision"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 4
    assert "no plugin reads image files: nascore-vision is switched off" in done.output
