"""What a run hands over classifies one image at a time as it does a batch, and as it was measured."""

from __future__ import annotations

import importlib.util

import pytest
import torch
from engine_runs import GROWN, REGISTRY, evaluation_of, growth_of, recipe_of
from streamed_data import images_of

from nascore.component import load as built
from nascore.description import load
from nascore.engine.augmentation import normalise
from nascore.engine.batches import fit_and_validation, halves
from nascore.engine.evaluate import evaluate
from nascore.engine.search import search
from nascore.engine.sources import source_of
from nascore.engine.streams import Streams
from nascore.run import read

CLOSE = 1e-5
RELAXATIONS = [part.name for part in REGISTRY.components("relaxation")]


def model_of(path):
    spec = importlib.util.spec_from_file_location("best_model", path / "best" / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def dataset_of(recipe):
    part = recipe.part("dataset")
    return built(part.component.build)(part.settings)


@torch.no_grad()
def check(path, recipe, examples):
    """Logits one at a time, in pairs and by class are those of the batch; returns the share that is right."""
    model = model_of(path)
    images, labels = normalise(images_of(examples), dataset_of(recipe).facts), examples.labels
    whole = model(images)
    ways = [images.split(1), images.split(2), [images[labels == label] for label in labels.unique()]]
    order = torch.cat([(labels == label).nonzero().flatten() for label in labels.unique()])
    for way, wanted in zip(ways, (whole, whole, whole[order]), strict=True):
        found = torch.cat([model(part) for part in way])
        assert torch.allclose(found, wanted, rtol=CLOSE, atol=CLOSE)
    alone = torch.cat([model(image) for image in images.split(1)])
    return float((alone.argmax(1) == labels).float().mean())


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_the_find_of_a_search_does(tmp_path, relaxation):
    names = {"space": ["tiny"], "updater": ["sgd"], "relaxation": [relaxation], "dataset": ["synthetic"]}
    recipe = recipe_of(names=names)
    search(recipe, REGISTRY, out=tmp_path / "run", observers=())
    images = source_of(dataset_of(recipe).train())
    _, held = halves(images, Streams(0)["halves"])
    assert check(tmp_path / "run", recipe, held) == pytest.approx(
        read(tmp_path / "run").gallery.best.accuracy
    )


def test_the_best_of_architectures_at_random_does(tmp_path):
    recipe = growth_of(names=GROWN, growth__count=2)
    search(recipe, REGISTRY, out=tmp_path / "run", observers=())
    images = source_of(dataset_of(recipe).train())
    _, held = fit_and_validation(images, Streams(0)["validation"])
    assert check(tmp_path / "run", recipe, held) == pytest.approx(
        read(tmp_path / "run").gallery.best.accuracy
    )


CLOSED = """\
nascore: 1
channels: 4
in_channels: 3
classes: 3
affine: false
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, op: sep_conv_3x3}
    b: {from: -1, ops: [max_pool_3x3(pool_norm=true), skip_connect]}
    head: {from: -1, op: classifier, width: classes}
"""


def test_an_evaluation_does(tmp_path):
    recipe = evaluation_of()
    evaluate(load(CLOSED), recipe, REGISTRY, out=tmp_path / "run")
    test = source_of(dataset_of(recipe).test())
    measured = read(tmp_path / "run").result["test_accuracy"]
    assert check(tmp_path / "run", recipe, test) == pytest.approx(measured)
