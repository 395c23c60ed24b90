"""CSV files that list images, and archives of arrays."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import torch
from vision_files import folder, pixels

import nascore
from nascore.api import RecipeError
from nascore_vision.datasets import Csv, Npz
from nascore_vision.settings import CsvSettings, NpzSettings


def table(path, *rows, header="path,label", encoding="utf-8"):
    path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
    return path


def rows(root, count=5):
    folder(root, count=count)
    return [f"{name}/{index}.png,{name}" for name in ("cat", "dog") for index in range(count)]


def faults(build, settings, path, **values):
    with pytest.raises(RecipeError) as caught:
        _ = build(settings(path=path, **values)).facts
    return [f"{one.path}: {one.text} {one.hint}".rstrip() for one in caught.value.problems]


def test_a_table_lists_images(tmp_path):
    data = Csv(CsvSettings(path=table(tmp_path / "a.csv", *rows(tmp_path))))
    assert data.facts.class_names == ("cat", "dog")
    assert (data.facts.train, data.facts.test) == (8, 2)
    assert data.files()["skipped"] == []


def test_columns_delimiters_and_marks_of_byte_order_are_read(tmp_path):
    lines = [row.replace(",", ";") + ";x" for row in rows(tmp_path)]
    path = table(tmp_path / "a.csv", *lines, header="file;kind;other", encoding="utf-8-sig")
    data = Csv(CsvSettings(path=path, image_column="file", label_column="kind"))
    assert data.facts.class_names == ("cat", "dog")


def test_a_column_may_name_the_split(tmp_path):
    parts = ["train", "Train", "val", "test", "training"] * 2
    lines = [f"{row},{part}" for row, part in zip(rows(tmp_path), parts, strict=True)]
    data = Csv(CsvSettings(path=table(tmp_path / "a.csv", *lines, header="path,label,split")))
    assert (data.facts.train, data.facts.test) == (8, 2)
    path = table(tmp_path / "a.csv", *lines[:-1], "dog/4.png,dog,other", header="path,label,split")
    (text,) = faults(Csv, CsvSettings, path)
    assert "column split of a.csv has values other than train, val and test: 'other' (line 11)" in text
    assert Csv(CsvSettings(path=path, split_column="none")).facts.train == 8


def test_missing_columns_are_named_with_those_that_exist(tmp_path):
    path = table(tmp_path / "a.csv", header="paths,kind")
    assert faults(Csv, CsvSettings, path) == [
        "dataset.image_column: a.csv has no column path; its columns are: paths, kind. Did you mean paths?",
        (
            "dataset.label_column: a.csv has no column label; its columns are: paths, kind. "
            "Set dataset.label_column to one of them."
        ),
    ]


def test_wrong_rows_are_reported_at_once(tmp_path):
    lines = [*rows(tmp_path), "no.png,cat", "cat/0.png,", "cat/1.png"]
    first, second, third = faults(Csv, CsvSettings, table(tmp_path / "a.csv", *lines))
    assert first == "dataset.path: a.csv has 1 row with too few columns: line 14."
    assert second.startswith("dataset.image_column: 1 file of a.csv does not exist: no.png (line 12).")
    assert third == "dataset.label_column: 1 row of a.csv has no label: line 13."


def test_tables_without_rows_and_other_files_are_refused(tmp_path):
    assert "a.csv has no rows." in faults(Csv, CsvSettings, table(tmp_path / "a.csv"))[0]
    assert "does not exist. Name a CSV file" in faults(Csv, CsvSettings, tmp_path / "b.csv")[0]
    (tmp_path / "c.csv").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text. Save it as UTF-8." in faults(Csv, CsvSettings, tmp_path / "c.csv")[0]


def arrays(path, **named):
    np.savez(path, **named)
    return path


def images(count, *shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 1), (1, 8, 9), (8, 9, 3), (3, 8, 9)])
def test_arrays_of_all_layouts_are_read(tmp_path, shape):
    labels = np.arange(20) % 2
    path = arrays(
        tmp_path / "a.npz", images=images(20, *shape), labels=labels, class_names=np.array(["a", "b"])
    )
    data = Npz(NpzSettings(path=path))
    channels = 3 if 3 in shape else 1
    assert (data.facts.channels, data.facts.height, data.facts.width) == (channels, 8, 9)
    assert (data.facts.train, data.facts.test, data.facts.class_names) == (16, 4, ("a", "b"))
    assert data.train().images.dtype == torch.uint8


def test_arrays_of_each_part_are_read(tmp_path):
    labels = np.arange(10)[:, None] % 2
    parts = {
        f"{part}_images": images(10, 6, 6, seed=seed) for seed, part in enumerate(("train", "val", "test"))
    }
    path = arrays(tmp_path / "a.npz", **parts, **{name.replace("images", "labels"): labels for name in parts})
    data = Npz(NpzSettings(path=path))
    assert (data.facts.train, data.facts.test) == (20, 10)
    assert torch.equal(data.test().images[:, 0], torch.from_numpy(parts["test_images"]))


def test_floats_stay_floats_and_bits_become_bytes(tmp_path):
    labels = np.arange(10) % 2
    path = arrays(tmp_path / "a.npz", x=images(10, 6, 6) / 255, y=labels)
    data = Npz(NpzSettings(path=path, size=3))
    assert (data.train().images.dtype, data.facts.dtype) == (torch.float32, "float32")
    assert data.train().images.shape == (8, 1, 3, 3)
    path = arrays(tmp_path / "b.npz", x=images(10, 6, 6) > 99, y=labels)
    assert set(Npz(NpzSettings(path=path)).train().images.unique().tolist()) == {0, 255}


WRONG = {
    "no arrays of the form": (
        {"a": images(4, 6, 6)},
        (
            "a.npz has no images and labels; its arrays are: a. "
            "Save images and labels, or x_train, y_train, x_test and y_test."
        ),
    ),
    "shape": (
        {"images": images(10, 6, 6, 5), "labels": np.arange(10) % 2},
        (
            "images has shape (10, 6, 6, 5). "
            "Expected [N, H, W], or [N, H, W, C] or [N, C, H, W] with 1 or 3 channels."
        ),
    ),
    "0 to 255": (
        {"images": images(10, 6, 6).astype(np.float32), "labels": np.arange(10) % 2},
        "images has values of float32 from ",
    ),
    "16 bits": (
        {"images": images(10, 6, 6).astype(np.uint16), "labels": np.arange(10) % 2},
        "images has values of uint16 from ",
    ),
    "not finite": (
        {"images": np.full((10, 6, 6), np.nan), "labels": np.arange(10) % 2},
        "images has values that are not finite.",
    ),
    "labels of three dimensions": (
        {"images": images(10, 6, 6), "labels": np.ones((10, 2, 2))},
        "labels has shape (10, 2, 2) and type float64. Expected one whole number, or several",
    ),
    "too few labels": (
        {"images": images(10, 6, 6), "labels": np.arange(9) % 2},
        "images has 10 images, and labels 9 labels.",
    ),
    "from 1": (
        {"images": images(10, 6, 6), "labels": np.arange(10) % 2 + 1},
        "labels are 1 to 2, but must count from 0. Subtract 1 from all of them.",
    ),
    "negative": (
        {"images": images(10, 6, 6), "labels": np.arange(10) % 2 - 1},
        "the label -1 is out of range: labels count from 0.",
    ),
    "too large": (
        {"images": images(10, 6, 6), "labels": np.array([0] * 9 + [77])},
        "the label 77 is out of range for 10 images. Labels are numbers of classes, from 0 on.",
    ),
    "one class": (
        {"images": images(10, 6, 6), "labels": np.zeros(10, int)},
        "there is one class; a classification needs at least two.",
    ),
    "absent": (
        {"images": images(10, 6, 6), "labels": np.arange(10) % 2 * 2},
        "1 class has no train image: 1. A class needs at least one image for training and one for testing.",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arrays_are_refused(tmp_path, wrong):
    named, text = WRONG[wrong]
    assert any(
        one.startswith(f"dataset.path: {text}")
        for one in faults(Npz, NpzSettings, arrays(tmp_path / "a.npz", **named))
    )


def test_nothing_in_an_archive_is_unpickled(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, images=np.array([Danger()], dtype=object), labels=np.zeros(1, int), allow_pickle=True)
    assert "is not an archive of plain NumPy arrays" in faults(Npz, NpzSettings, path)[0]
    path.write_bytes(pickle.dumps(pixels(0)))
    assert "is not an archive of plain NumPy arrays" in faults(Npz, NpzSettings, path)[0]


class Danger:
    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def test_a_run_reads_the_table_where_it_is(tmp_path, monkeypatch):
    """A copy of the table in the run's folder would not find the images beside it."""
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "a.csv", *rows(tmp_path, count=20))
    run = nascore.search(space="tiny", updater="uniform", dataset="csv:a.csv", scale="mini", settings=SHORT)
    recipe = (run.path / "recipe.yaml").read_text(encoding="utf-8")
    assert f"path: {tmp_path / 'a.csv'}\n" in recipe
    monkeypatch.chdir(run.path)
    evaluated = nascore.evaluate(run.path, settings=TRAINING, out=tmp_path / "evaluated")
    assert evaluated.result["test_count"] == 8
    assert json.loads((evaluated.path / "best" / "preprocess.json").read_text())["classes"] == ["cat", "dog"]


TRAINING = {"training.epochs": 1, "training.batch": 8}
SHORT = {**TRAINING, "ranking.epochs": 1, "ranking.batch": 8, "trainer.batch": 8, "trainer.epochs": 2}
