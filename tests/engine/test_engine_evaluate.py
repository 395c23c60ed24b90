"""An evaluation, from a description to the tested network; and on what the engine computes."""

from __future__ import annotations

import json

import pytest
import torch
from attrs import evolve
from engine_runs import REGISTRY, evaluation_of, recipe_of

from nascore.cli.result import echo_evaluated
from nascore.comparison import compare_runs
from nascore.description import choose, derive, dump, expand, fingerprint, load
from nascore.engine.derive import prepared
from nascore.engine.device import computing, device_of
from nascore.engine.evaluate import evaluate
from nascore.engine.factory import build_component
from nascore.errors import RecipeError
from nascore.run import read
from nascore.verbs.runs import load_run


def opened():
    recipe = recipe_of()
    return build_component(recipe, "space").describe(build_component(recipe, "dataset").facts)


def closed():
    description = opened()
    layout = expand(description).layouts["cell"]
    return derive(description, choose(description, {"cell": [[1.0, 1.0, 1.0, 2.0] for _ in layout.rows]}))


def test_an_evaluation_tests_once_and_records_it(tmp_path):
    description = closed()
    path = evaluate(description, evaluation_of(), REGISTRY, out=tmp_path / "x")
    record = read(path)
    assert record.result["kind"] == "evaluate"
    assert record.result["test_count"] == 12
    assert record.result["test_opened"] == 1
    low, high = record.result["interval"]
    assert low <= record.result["test_accuracy"] <= high
    changes = [json.loads(line) for line in (path / "changes.jsonl").read_text().splitlines()]
    assert [(change["event"], change["images"]) for change in changes] == [("test split opened", 12)]
    # All of the training images: 48 of them in batches of 8.
    assert record.metrics()[0]["step"] == 6
    assert (path / "best" / "model.py").is_file()


def test_an_evaluation_on_validation_images_leaves_the_test_images_closed(tmp_path, capsys):
    path = evaluate(closed(), evaluation_of(measure="validation"), REGISTRY, out=tmp_path / "x")
    record = read(path)
    # One in five of the 48 training images; the others in batches of 8.
    assert record.result["validation_count"] == 9
    assert record.metrics()[0]["step"] == 4
    low, high = record.result["interval"]
    assert low <= record.result["validation_accuracy"] <= high
    assert not {"test_accuracy", "test_count", "test_opened"} & set(record.result)
    assert not (path / "changes.jsonl").exists()
    (row,) = compare_runs([path]).rows
    assert (row.by, row.mean) == ("validation", record.result["validation_accuracy"])
    echo_evaluated(load_run(path), evaluation_of().run.training)
    assert f"validation accuracy  {row.mean:.2%} of 9 images" in capsys.readouterr().out


def test_the_batch_is_at_most_the_images_that_are_not_held_back(tmp_path):
    recipe = evaluation_of(measure="validation", training__batch=40)
    with pytest.raises(RecipeError, match="a batch of 40 is larger than the 39 available images"):
        evaluate(closed(), recipe, REGISTRY, out=tmp_path / "x")


def test_an_open_description_is_not_evaluated(tmp_path):
    description = opened()
    with pytest.raises(RecipeError, match="the description is open"):
        evaluate(description, evaluation_of(), REGISTRY, out=tmp_path / "x")


def test_preparing_fits_a_description_to_size_and_data():
    description = closed()
    facts = build_component(recipe_of(), "dataset").facts
    training = evaluation_of(training__channels=6, training__cells=5).training
    ready = prepared(description, training, evolve(facts, channels=1, classes=7))
    assert (ready.channels, ready.in_channels, ready.classes) == (6, 1, 7)
    assert sum(state.path.endswith("/n1") for state in expand(ready).feature_maps) == 5
    assert fingerprint(load(dump(ready))) == fingerprint(ready)


@pytest.mark.parametrize(
    ("channels", "cells", "size"), [(None, None, (4, 2)), (None, 5, (4, 5)), (6, None, (6, 2))]
)
def test_preparing_leaves_what_is_null_as_it_is(channels, cells, size):
    description = evolve(closed(), channels=4)
    training = evaluation_of(training__channels=channels, training__cells=cells).training
    ready = prepared(description, training, build_component(recipe_of(), "dataset").facts)
    assert (ready.channels, sum(state.path.endswith("/n1") for state in expand(ready).feature_maps)) == size


def test_threads_and_convolutions_are_put_back():
    before = torch.get_num_threads()
    with computing(before + 1):
        assert torch.get_num_threads() == before + 1
        assert torch.backends.cudnn.deterministic
    assert torch.get_num_threads() == before
    assert not torch.backends.cudnn.deterministic


def test_cuda_that_is_not_there_is_told_by_its_path(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of("auto").type == "cpu"
    with pytest.raises(RecipeError, match="device: this machine"):
        device_of("cuda")
