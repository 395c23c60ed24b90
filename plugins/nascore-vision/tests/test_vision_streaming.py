"""Image files that are streamed: the same facts, images and results as in memory."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import asdict
from PIL import Image, ImageOps
from vision_files import folder, pixels, truncate, write

import nascore
from nascore.api import RecipeError
from nascore.engine.data_checks import data_fingerprint
from nascore.nn import Examples
from nascore_vision import memory, streaming
from nascore_vision.datasets import Csv, Folder
from nascore_vision.settings import CsvSettings, FolderSettings
from nascore_vision.streaming import StreamedFiles


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Return the user's cache folder of a test."""
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(path))
    memory._HELD.clear()
    return path / "nascore" / "images"


def made(path, form="stream", workers=0, **settings):
    return Folder(FolderSettings(path=path, memory=form, workers=workers, **settings))


def images_of(examples):
    if isinstance(examples, Examples):
        return examples.images
    return torch.stack([examples[index][0] for index in range(len(examples))])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_facts_images_and_fingerprint_are_those_in_memory(tmp_path, channels, workers):
    folder(tmp_path, channels=channels)
    one, other = made(tmp_path, "memory"), made(tmp_path, workers=workers)
    assert isinstance(other.train(), StreamedFiles)
    assert asdict(other.facts) == {**asdict(one.facts), "streamed": True}
    assert other.files() == one.files()
    for part in ("train", "test"):
        whole, streamed = getattr(one, part)(), getattr(other, part)()
        assert torch.equal(images_of(streamed), whole.images)
        assert torch.equal(streamed.targets, whole.labels)
        assert data_fingerprint(streamed) == data_fingerprint(whole)
        assert streamed.workers == workers


def test_parts_in_memory_are_views_of_one_array(tmp_path):
    data = made(folder(tmp_path), "memory")
    assert data.train().images.untyped_storage().data_ptr() == data.test().images.untyped_storage().data_ptr()


@pytest.mark.parametrize(("size", "streams"), [(4 * 640, False), (4 * 640 - 1, True)])
def test_auto_streams_what_takes_more_than_a_quarter_of_memory(tmp_path, monkeypatch, size, streams):
    monkeypatch.setattr(streaming, "available_memory", lambda: size)
    data = made(folder(tmp_path), "auto")
    assert data.facts.streamed is streams
    assert isinstance(data.train(), StreamedFiles) is streams


def test_by_default_as_many_workers_read_as_there_are_cores_but_at_most_four(tmp_path):
    data = made(folder(tmp_path), workers=None)
    assert data.train().workers == min(os.cpu_count(), 4)


def test_a_broken_file_is_refused_before_anything_is_trained_or_left_out(tmp_path):
    truncate(folder(tmp_path, channels=3) / "dog" / "2.png")
    write(tmp_path / "dog" / "clear.png", np.zeros((8, 8, 4), np.uint8))
    with pytest.raises(RecipeError) as caught:
        _ = made(tmp_path).facts
    bad, transparent = (str(one) for one in caught.value.problems)
    assert "1 of 11 images cannot be read: dog/2.png (it is truncated)." in bad
    assert "1 of 11 images has transparent pixels: dog/clear.png." in transparent

    (tmp_path / "dog" / "clear.png").unlink()
    one, other = made(tmp_path, "memory", skip_bad=True), made(tmp_path, skip_bad=True)
    assert other.files()["skipped"] == one.files()["skipped"] == ["dog/2.png (it is truncated)"]
    assert asdict(other.facts) == {**asdict(one.facts), "streamed": True}
    assert data_fingerprint(other.train()) == data_fingerprint(one.train())
    assert torch.equal(images_of(other.test()), one.test().images)


def test_a_file_that_breaks_later_is_named(tmp_path):
    data = made(folder(tmp_path)).train()
    truncate(tmp_path / data.files.items[3].name)
    with pytest.raises(RecipeError) as caught:
        _ = data[3]
    assert str(caught.value) == (
        f"dataset.path: {data.files.items[3].place} cannot be read: it is truncated. "
        "Repair it, or leave it out."
    )


def test_the_examination_is_kept_in_the_cache_of_the_user(tmp_path, cache, monkeypatch):
    facts = made(folder(tmp_path)).facts
    (file,) = cache.iterdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat", "dog"]
    monkeypatch.setattr("nascore_vision.datasets.examine", None)  # a second examination would fail

    def again():
        memory._HELD.clear()
        return made(tmp_path).facts

    assert again() == facts
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parents[1]))
    for content in ("", "[]", "{}", file.read_text().replace('"shape": [8, 8]', '"shape": 8')):
        file.write_text(content)
        assert again() == facts
        assert json.loads(file.read_text())["mean"] == list(facts.mean)
    write(tmp_path / "cat" / "0.png", pixels(7))
    assert again().mean != facts.mean
    assert len(list(cache.iterdir())) == 2


def test_a_cache_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert made(folder(tmp_path / "data")).facts.streamed


def test_of_very_many_files_a_sample_is_examined(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "LARGE", 9)
    monkeypatch.setattr(streaming, "SAMPLE", 6)
    data = made(folder(tmp_path, count=10))
    whole = made(tmp_path, "memory")
    assert torch.equal(images_of(data.train()), whole.train().images)
    assert data.facts.mean == pytest.approx(whole.facts.mean, abs=0.05)
    before = [data_fingerprint(part) for part in (data.train(), data.test())]
    assert before != [data_fingerprint(part) for part in (whole.train(), whole.test())]
    name = data.train().files.items[1].name
    write(tmp_path / name, np.zeros((8, 8), np.uint8))
    assert data_fingerprint(made(tmp_path).train()) != before[0]


def test_a_csv_streams_too_and_its_parts_can_be_pickled(tmp_path):
    folder(tmp_path)
    rows = [f"{kind}/{index}.png,{kind}" for kind in ("cat", "dog") for index in range(5)]
    (tmp_path / "all.csv").write_text("path,label\n" + "\n".join(rows))
    settings = {"path": tmp_path / "all.csv", "workers": 0}
    one, other = (Csv(CsvSettings(memory=form, **settings)) for form in ("memory", "stream"))
    copy = pickle.loads(pickle.dumps(other.train()))  # noqa: S301 - of this test
    assert torch.equal(images_of(copy), one.train().images)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_photos_are_upright(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    form = {"quality": 100} if suffix == "jpg" else {"lossless": True} if suffix == "webp" else {}
    for number in range(4):
        array = np.kron(pixels(number, height=2, width=3), np.ones((8, 8), np.uint8))
        path = tmp_path / "ab"[number % 2] / f"{number}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(array).convert("RGB").save(path, exif=exif, **form)
    data = made(tmp_path, "memory", test_share=0.5)
    paths = {path.name: path for path in tmp_path.rglob("*.*")}
    expected = {
        np.asarray(ImageOps.exif_transpose(Image.open(path))).transpose(2, 0, 1).tobytes()
        for path in paths.values()
    }
    found = {image.numpy().tobytes() for part in (data.train(), data.test()) for image in part.images}
    assert found == expected
    assert (data.facts.height, data.facts.width) == ((24, 16) if orientation > 4 else (16, 24))


def test_streamed_files_are_described_and_their_proxy_is_trained_on_as_in_memory(tmp_path):
    folder(tmp_path / "data", count=12)
    settings = {"dataset.memory": "stream", "dataset.workers": 0}
    name = f"folder:{tmp_path / 'data'}"
    one, other = (
        {**asdict(nascore.describe_data(name, settings=more, sheet=sheet), recurse=False), "facts": None}
        for more, sheet in ((settings, tmp_path / "a.png"), (None, tmp_path / "b.png"))
    )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert one == other
    short = {"trainer.epochs": 1, "trainer.warm_up": 0, "trainer.batch": 4, "ranking.batch": 4}
    short |= {"ranking.epochs": 1, "ranking.channels": 4, "ranking.cells": 2}
    results = []
    for number, more in enumerate((settings, {})):
        run = nascore.search(
            space="tiny",
            updater="uniform",
            dataset=name,
            scale="mini",
            settings={**short, **more},
            proxy={"fraction": 0.8},
            out=tmp_path / f"{number}",
        )
        results.append([path.read_bytes() for path in sorted(Path(run.path).rglob("weights.safetensors"))])
    assert results[0] == results[1]
