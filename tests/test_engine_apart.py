"""No job of a search is measured on images that it was trained on."""

from __future__ import annotations

import pytest
from engine_runs import REGISTRY, recipe_of

import nascore.engine.search
import nascore.engine.training
from nascore.engine.search import search


def images_of(examples):
    """Return the images as a set; each of them is there once."""
    images = {image.numpy().tobytes() for image in examples.images.cpu()}
    assert len(images) == len(examples.labels)
    return images


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Run a search; returns per job its name, the images it trained on, and those of each measurement."""
    seen = []

    def running(module):
        right = module.run_phase

        def run_phase(phase, *args, **named):
            seen.append((phase.name, images_of(phase.batches["train"].examples), []))
            return right(phase, *args, **named)

        monkeypatch.setattr(module, "run_phase", run_phase)

    def accuracy(network, examples, *args, **named):
        seen[-1][2].append(images_of(examples))
        return measured(network, examples, *args, **named)

    running(nascore.engine.search)
    running(nascore.engine.training)
    measured = nascore.engine.search.accuracy
    monkeypatch.setattr(nascore.engine.search, "accuracy", accuracy)
    search(recipe_of(), REGISTRY, out=tmp_path / "run")
    return seen


def test_no_image_is_both_trained_on_and_measured_on(jobs):
    # Two epochs each; the network that is kept is measured once more.
    assert [(name, len(measured)) for name, _, measured in jobs] == [("search", 2), ("train", 3)]
    for name, trained, measured in jobs:
        for held in measured:
            assert not trained & held, name
            assert (len(trained), len(held)) == (24, 24)


def test_both_jobs_train_and_measure_on_the_same_halves(jobs):
    (_, fit, (held, *_)), (_, again, (later, *_)) = jobs
    assert fit == again
    assert held == later
