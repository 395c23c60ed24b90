"""Tasks with labels and numbers: metrics, files, refusals, and two tasks whose right answer is known."""

from __future__ import annotations

import csv
import json
from math import log

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, f1_score, r2_score
from vision_files import folder

import nascore
from nascore.api import DataFacts, RecipeError
from nascore.cli import main
from nascore_vision.datasets import Csv, Npz
from nascore_vision.settings import CsvSettings, NpzSettings
from nascore_vision.tasks.multilabel import Multilabel
from nascore_vision.tasks.regression import Regression
from nascore_vision.tasks.settings import MultilabelSettings

IMAGES = 150
TINY = ("--space", "tiny", "--updater", "sgd", "--scale", "mini")
SMALL = (
    "space.channels=8",
    "space.cells=2",
    "trainer.epochs=2",
    "trainer.batch=16",
    "ranking.epochs=1",
    "ranking.batch=16",
)
CROP = ("--set", "dataset.crop_pad=0")


def facts(names, mean=(), std=()):
    return DataFacts(
        channels=1,
        height=8,
        width=8,
        classes=len(names),
        train=10,
        test=10,
        mean=(0.5,),
        std=(0.5,),
        target_names=names,
        target_mean=mean,
        target_std=std,
    )


def sets(*texts):
    return [word for text in texts for word in ("--set", text)]


def cli(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def done(*words):
    result = cli(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def table(path, head, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


@pytest.fixture(scope="module")
def digits():
    found = load_digits()
    return (found.images / 16 * 255).astype(np.uint8), found.target


@pytest.fixture(scope="module")
def dark(tmp_path_factory, digits):
    """A search and an evaluation that count dark pixels; the folder, and the output of the evaluation."""
    root, (images, _) = tmp_path_factory.mktemp("dark"), digits
    rows = []
    for index, image in enumerate(images[:IMAGES]):
        Image.fromarray(image).save(root / f"{index}.png")
        rows.append((f"{index}.png", int((image < 128).sum())))
    file = table(root / "dark.csv", ("path", "dark"), rows)
    data = ("--task", "regression", "--dataset", f"csv:{file}", "--set", "dataset.target=dark", *CROP)
    done("search", *data, *TINY, *sets(*SMALL), "--out", root / "s")
    size = sets("training.channels=8", "training.cells=2", "training.epochs=10", "training.batch=16")
    return root, done("evaluate", root / "s", "--scale", "mini", *size, "--out", root / "e")


def test_counting_dark_pixels_beats_the_mean(dark):
    root, text = dark
    result = json.loads((root / "e" / "result.json").read_text(encoding="utf-8"))
    lines = csv.DictReader((root / "dark.csv").read_text(encoding="utf-8").splitlines())
    numbers = np.array([float(line["dark"]) for line in lines])
    trivial = np.abs(numbers - np.median(numbers)).mean()
    assert result["test_mean_absolute_error"] < 0.75 * trivial
    assert result["scores"]["r2"] > 0.4
    low, high = result["interval"]
    assert low < result["test_mean_absolute_error"] < high
    assert "test_accuracy" not in result
    assert "test mean absolute error" in text
    assert "test r2" in text


def test_every_verb_names_the_metric(dark):
    root, _ = dark
    entry = json.loads((root / "s" / "gallery.json").read_text(encoding="utf-8"))["entries"][0]
    assert entry["error"] == entry["mean_absolute_error"] == entry["scores"]["mean_absolute_error"]
    gallery = done("gallery", root / "s")
    assert "MEAN ABSOLUTE ERROR" in gallery.upper()
    assert "accuracy" not in gallery
    assert "mean_absolute_error" in done("gallery", root / "s", "--csv").splitlines()[0]
    assert "mean absolute error" in done("compare", root / "e").lower()
    assert "on 30 test images" in done("runs", root)
    assert "mean absolute error" in done("watch", root / "s")
    line = json.loads((root / "s" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert line["validation_mean_absolute_error"] > 0
    assert "accuracy" not in line


def test_a_run_keeps_names_and_scale_of_its_numbers(dark):
    root, _ = dark
    plain = json.loads((root / "e" / "best" / "preprocess.json").read_text(encoding="utf-8"))
    assert plain["target_names"] == ["dark"]
    assert plain["classes"] is None
    assert 40 < plain["target_mean"][0] < 50
    files = [root / f"{index}.png" for index in range(20)]
    found = [one["values"]["dark"] for one in json.loads(done("predict", root / "e", *files, "--json"))]
    truth = [(np.asarray(Image.open(file)) < 128).sum() for file in files]
    assert np.abs(np.array(found) - truth).mean() < 2
    prediction = nascore.predict(root / "e", files)
    assert [one["values"]["dark"] for one in prediction.values] == pytest.approx(found)
    assert repr(prediction).startswith("Prediction({'values': {'dark': ")
    with pytest.raises(AttributeError, match="its predictions have no names: use values"):
        _ = prediction.names
    assert "dark" in done("predict", root / "e", files[0])
    report = done("data", f"csv:{root / 'dark.csv'}", "--set", "dataset.target=dark")
    assert "1 number an image" in report
    assert "dark" in report.splitlines()[-1]


def test_two_digits_side_by_side_are_both_found(tmp_path, digits):
    images, targets = digits
    few = np.flatnonzero(np.isin(targets, (0, 1, 4)))
    pairs = np.random.default_rng(0).choice(few, (IMAGES, 2))
    rows = []
    for index, (left, right) in enumerate(pairs):
        Image.fromarray(np.concatenate([images[left], images[right]], 1)).save(tmp_path / f"{index}.png")
        rows.append((f"{index}.png", "; ".join(str(targets[one]) for one in {left, right})))
    file = table(tmp_path / "pairs.csv", ("path", "label"), rows)
    data = ("--dataset", f"csv:{file}", "--set", "dataset.label_separator=;", *CROP)
    done("search", "--task", "multilabel", *data, *TINY, *sets(*SMALL), "--out", tmp_path / "s")
    size = sets("training.channels=8", "training.cells=2", "training.epochs=12", "training.batch=16")
    text = done("evaluate", tmp_path / "s", "--scale", "mini", *size, "--out", tmp_path / "e")
    result = json.loads((tmp_path / "e" / "result.json").read_text(encoding="utf-8"))
    # Without looking, the precision of a label is its share of the images: four ninths or a little more.
    assert result["test_mean_average_precision"] > 0.75
    assert result["interval"] is None
    assert "test mean average precision" in text
    assert "95 %" not in text
    (found,) = nascore.predict(tmp_path / "e", tmp_path / "0.png").values
    (printed,) = json.loads(done("predict", tmp_path / "e", tmp_path / "0.png", "--json"))
    assert found["labels"] == printed["labels"] == [k for k, v in found["probabilities"].items() if v >= 0.5]


def test_regression_learns_standard_deviations_and_predicts_units():
    task, known = Regression(), facts(("age", "height"), (40.0, 170.0), (10.0, 20.0))
    outputs, targets = torch.tensor([[1.0, -0.5], [0.0, 0.0]]), torch.tensor([[50.0, 160.0], [60.0, 170.0]])
    assert task.outputs(known) == 2
    assert float(task.loss(outputs, targets, known, label_smoothing=0.3)) == pytest.approx(4 / 4)
    assert task.predictions(outputs, known)[0] == {"values": {"age": 50.0, "height": 160.0}}
    assert float(task.batch_score(outputs, targets, known)) == pytest.approx(20 / 4)


def test_metrics_of_a_regression_equal_their_definitions():
    task, known = Regression(), facts(("one", "two"), (0.0, 0.0), (1.0, 1.0))
    draws = torch.randn(40, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outputs, targets = draws[:, :2].float(), (draws[:, :2] + draws[:, 2:]).float()
    error, r2, spearman = task.measured(outputs, targets, known)
    errors = (outputs - targets).abs().mean(1).double()
    assert error.value == pytest.approx(float(errors.mean()))
    half = 1.959963984540054 * float(errors.std()) / 40**0.5
    assert error.interval == pytest.approx((error.value - half, error.value + half))
    assert r2.value == pytest.approx(r2_score(targets, outputs))
    ranks = [spearmanr(outputs[:, at], targets[:, at]).statistic for at in range(2)]
    assert spearman.value == pytest.approx(np.mean(ranks), abs=1e-6)
    constant = task.measured(outputs, torch.ones(40, 2), known)
    assert [one.value for one in constant[1:]] == [0.0, 0.0]
    assert [one.value for one in task.measured(outputs[:1], targets[:1], known)[1:]] == [0.0, 0.0]


def test_strata_of_one_number_are_tenths():
    task = Regression()
    targets = torch.arange(40.0).flip(0)[:, None]
    assert torch.bincount(task.strata(targets, facts(("one",)))).tolist() == [4] * 10
    assert task.strata(targets.repeat(1, 2), facts(("one", "two"))).unique().tolist() == [0]


def test_metrics_of_several_labels_equal_their_definitions():
    task, known = Multilabel(MultilabelSettings()), facts(("a", "b", "never"))
    draws = torch.randn(50, 6, generator=torch.Generator().manual_seed(1))
    outputs, targets = draws[:, :3], (draws[:, :3] + draws[:, 3:] > 0.2).float()
    targets[:, 2] = 0
    precision, f1, exact = task.measured(outputs, targets, known)
    each = [average_precision_score(targets[:, at], outputs[:, at]) for at in range(2)]
    assert precision.value == pytest.approx(np.mean(each), abs=1e-6)
    said = outputs > 0
    assert f1.value == pytest.approx(
        np.mean([f1_score(targets[:, at], said[:, at]) for at in range(2)]), abs=1e-6
    )
    assert exact.value == pytest.approx(float((said == targets.bool()).all(1).float().mean()))
    smooth = float(task.loss(torch.zeros(2, 3), targets[:2], known, label_smoothing=0.2))
    assert smooth == pytest.approx(log(2))
    (found,) = task.predictions(torch.tensor([[3.0, -3.0, 0.5]]), known)
    assert found["labels"] == ["a", "never"]
    assert found["probabilities"]["b"] == pytest.approx(0.0474, abs=1e-4)


def refused(*words):
    result = cli("search", *words, *TINY, "--dry-run")
    assert result.exit_code != 0
    return " ".join(result.output.split())


def test_tasks_that_do_not_fit_are_refused_with_what_fits(tmp_path):
    folder(tmp_path / "photos")
    text = refused("--task", "regression", "--dataset", f"folder:{tmp_path / 'photos'}")
    assert "regression needs a data set with numbers for each image" in text
    assert "What fits:" in text
    file = table(tmp_path / "a.csv", ("path", "one", "two"), [("photos/cat/0.png", 1, 0)] * 4)
    numbers = ("--dataset", f"csv:{file}", "--set", "dataset.target=one,two")
    assert "classification needs a data set with one class for each image" in refused(*numbers)
    smooth = refused("--task", "regression", *numbers, "--set", "training.label_smoothing=0.1")
    assert "training.label_smoothing: task regression has no labels to smooth" in smooth
    teacher = refused("--task", "multilabel", *numbers, "--trick", f"distillation:{tmp_path}")
    assert "it learns the teacher's probabilities of classes" in teacher


@pytest.mark.parametrize(
    ("words", "warned"),
    [
        (("regression", "mixup:0.2"), False),
        (("regression", "cutmix"), True),
        (("multilabel", "cutmix"), False),
    ],
)
def test_mixing_fits_numbers(tmp_path, words, warned):
    folder(tmp_path, count=12)
    rows = [
        (f"{name}/{index}.png", index % 2, index % 3 == 0) for name in ("cat", "dog") for index in range(12)
    ]
    file = table(
        tmp_path / "a.csv", ("path", "one", "two"), [(one, two, int(three)) for one, two, three in rows]
    )
    data = ("--dataset", f"csv:{file}", "--set", "dataset.target=one,two")
    task, trick = words
    result = cli(
        "search",
        "--task",
        task,
        *data,
        "--trick",
        trick,
        *TINY,
        *sets("trainer.batch=4", "ranking.batch=4"),
        "--dry-run",
    )
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert ("which is right only for numbers that add up over the pixels" in text) is warned


def test_bad_numbers_are_named_with_their_lines(tmp_path):
    folder(tmp_path)
    rows = [
        ("cat/0.png", "1.5", "0"),
        ("cat/1.png", "many", "0"),
        ("cat/2.png", "nan", ""),
        ("cat/9.png", 1, 2),
    ]
    file = table(tmp_path / "a.csv", ("path", "age", "size"), rows)
    with pytest.raises(RecipeError) as caught:
        _ = Csv(CsvSettings(path=file, target="age,size")).facts
    values = "'many' in column age (line 3), 'nan' in column age (line 4), '' in column size (line 4)"
    assert [one.text for one in caught.value.problems] == [
        "1 file of a.csv does not exist: cat/9.png (line 5).",
        f"a.csv has 3 values that are no numbers: {values}.",
    ]
    with pytest.raises(RecipeError) as caught:
        _ = Csv(CsvSettings(path=file, target="age,hight")).facts
    assert "has no column hight; its columns are: path, age, size" in caught.value.problems[0].text


def test_labels_of_a_column_become_zeros_and_ones(tmp_path):
    folder(tmp_path)
    labels = ["sun|sea", "sea", "", " sun | sea ", "sun"]
    file = table(
        tmp_path / "a.csv", ("path", "label"), [(f"cat/{at}.png", one) for at, one in enumerate(labels)]
    )
    data = Csv(CsvSettings(path=file, label_separator="|"))
    assert data.facts.target_names == ("sea", "sun")
    assert (data.facts.classes, data.facts.class_names) == (2, ())
    both = torch.cat([data.train().labels, data.test().labels])
    assert sorted(both.tolist()) == [[0, 0], [0, 1], [1, 0], [1, 1], [1, 1]]
    empty = table(tmp_path / "b.csv", ("path", "label"), [("cat/0.png", ""), ("cat/1.png", " ")])
    with pytest.raises(RecipeError) as caught:
        _ = Csv(CsvSettings(path=empty, label_separator="|")).facts
    assert caught.value.problems[0].text == "no image of b.csv has a label."


def test_an_archive_may_hold_numbers(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    numbers = np.arange(40.0).reshape(20, 2)
    np.savez(tmp_path / "a.npz", images=images, labels=numbers, target_names=np.array(["x", "y"]))
    data = Npz(NpzSettings(path=tmp_path / "a.npz"))
    assert data.facts.target_names == ("x", "y")
    assert (data.facts.train, data.facts.test) == (16, 4)
    assert data.facts.target_mean == pytest.approx(data.train().labels.mean(0).tolist())
    numbers[3, 1] = np.inf
    np.savez(tmp_path / "b.npz", images=images, labels=numbers)
    with pytest.raises(RecipeError) as caught:
        _ = Npz(NpzSettings(path=tmp_path / "b.npz")).facts
    assert "labels has 1 row with values that are not finite: 4" in caught.value.problems[0].text


def test_targets_that_a_task_cannot_learn_are_refused_before_training(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (80, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(160.0).reshape(80, 2))
    words = ("--dataset", f"npz:{tmp_path / 'a.npz'}", *TINY, *sets("trainer.batch=8", "ranking.batch=8"))
    for task, text in (
        ("multilabel", "has values of 0 other than 0 and 1"),
        (
            "classification",
            "has targets of shape (64, 2) and torch.float32, not one class [N] of torch.int64",
        ),
    ):
        result = cli("search", "--task", task, *words, "--out", tmp_path / task)
        assert result.exit_code != 0
        assert text in " ".join(result.output.split())
        assert not (tmp_path / task).exists()


def test_a_regression_resumes_in_the_middle_of_an_epoch(dark):
    root, _ = dark
    words = ("--recipe", root / "s" / "recipe.yaml", "--out", root / "again")
    done("search", *words, "--budget", "2steps")
    done("resume", root / "again")
    first, second = (
        [
            json.loads(line)
            for line in (root / name / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        for name in ("s", "again")
    )
    assert len(first) == 3
    assert [{**one, "seconds": 0} for one in first] == [{**one, "seconds": 0} for one in second]
