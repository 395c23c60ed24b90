"""A search in a part of the data set; the evaluation has the whole one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from command_line import cli

import nascore
from nascore.builtin.datasets import Digits
from nascore.config import NoSettings
from nascore.engine.proxy import Proxy
from nascore.nn import image_moments, resized_images
from nascore.recipe import ProxySettings

DIGITS = Digits(NoSettings())
SHORT = ("--set", "trainer.epochs=2", "--set", "ranking.epochs=1", "--set", "ranking.batch=8")


def test_a_share_of_each_class_is_taken():
    data = Proxy(DIGITS, ProxySettings(fraction=0.2))
    train = data.train()
    assert train.labels.bincount().tolist() == [
        round(0.2 * number) for number in DIGITS.train().labels.bincount().tolist()
    ]
    known = {image.numpy().tobytes() for image in DIGITS.train().images}
    assert {image.numpy().tobytes() for image in train.images} <= known
    assert (data.facts.train, data.facts.test, data.facts.classes) == (len(train.labels), 360, 10)
    assert torch.equal(Proxy(DIGITS, ProxySettings(fraction=0.2)).train().images, train.images)
    assert torch.equal(data.test().images, DIGITS.test().images)


def test_two_images_of_a_class_remain():
    data = Proxy(DIGITS, ProxySettings(fraction=1e-6))
    assert data.train().labels.bincount().tolist() == [2] * 10


def test_the_first_classes_are_taken_with_their_names():
    data = Proxy(DIGITS, ProxySettings(classes=3))
    assert data.train().labels.bincount().tolist() == [142, 146, 141]
    assert data.test().labels.bincount().tolist() == [36] * 3
    assert (data.facts.test, data.facts.class_names) == (108, ("0", "1", "2"))


def test_images_are_smaller_and_their_moments_are_measured_again():
    data = Proxy(DIGITS, ProxySettings(size=4))
    images = data.train().images
    assert (images.shape[1:], data.facts.height, data.facts.width) == ((1, 4, 4), 4, 4)
    mean, std = image_moments(images)
    assert data.facts.mean == pytest.approx(mean.tolist())
    assert data.facts.std == pytest.approx(std.tolist())
    assert data.facts.std[0] < DIGITS.facts.std[0]
    assert data.facts.crop_pad == 0


def test_resizing_keeps_the_type_and_a_constant_image():
    for image in (torch.full((3, 2, 8, 6), 255, dtype=torch.uint8), torch.full((3, 2, 8, 6), 0.25)):
        small = resized_images(image, 4, 3)
        assert (small.dtype, small.shape) == (image.dtype, (3, 2, 4, 3))
        assert bool((small == image.flatten()[0]).all())


def test_the_evaluation_of_a_search_in_a_proxy_has_the_whole_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("search", "--space", "tiny", "--updater", "uniform", "--proxy", "fraction=0.5,size=6,classes=4")
    done = cli(*words, *SHORT, "--out", "run")
    assert done.exit_code == 0, done.output
    small = json.loads(Path("run/best/preprocess.json").read_text(encoding="utf-8"))
    assert (small["height"], small["classes"]) == (6, ["0", "1", "2", "3"])
    run = nascore.evaluate("run", settings={"training.epochs": 1, "training.batch": 64})
    whole = json.loads((run.path / "best" / "preprocess.json").read_text(encoding="utf-8"))
    assert (whole["height"], len(whole["classes"])) == (8, 10)
    assert run.result["test_count"] == 360
    replayed = cli("replay", "run")
    assert replayed.exit_code == 0, replayed.output
    assert "bit-equal" in replayed.output


def test_searches_that_are_evaluated_have_both(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("search", "--space", "tiny", "--updater", "uniform", "--proxy", "classes=4", "--seeds", "0")
    done = cli(*words, *SHORT, "--set", "training.epochs=1", "--evaluate", "--out", "run")
    assert done.exit_code == 0, done.output
    results = [json.loads(path.read_text(encoding="utf-8")) for path in Path("run").rglob("result.json")]
    assert {one["test_count"] for one in results if "test_count" in one} == {360}


def test_a_proxy_that_does_not_fit_is_refused():
    for words, text in (
        ("classes=11", "proxy.classes: 11 is more than the 10 classes of digits."),
        ("size=9", "proxy.size: 9 is larger than the images of digits, 8x8."),
        ("fraction=0", "proxy.fraction: 0 is not"),
        ("part=1", "proxy.part"),
    ):
        done = cli("search", "--space", "tiny", "--updater", "uniform", "--proxy", words, "--dry-run")
        assert done.exit_code == 3, done.output
        assert text in done.stderr
    done = cli("search", "--space", "tiny", "--proxy", "0.2", "--dry-run")
    assert done.exit_code == 2
    assert "'0.2' has no value: write --proxy fraction=0.2,size=16,classes=10" in done.stderr


def test_an_evaluation_warns_of_a_proxy(tmp_path):
    run = nascore.search(
        space="tiny", updater="uniform", settings={"trainer.epochs": 2}, out=tmp_path / "run"
    )
    done = cli("evaluate", run.path, "--set", "proxy.fraction=0.5", "--set", "training.epochs=1")
    assert "an evaluation uses the whole data set; only a search reads this setting." in done.stderr
    assert done.exit_code == 0, done.output
