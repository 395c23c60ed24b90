"""No job of a search is measured on images that it was trained on."""

from __future__ import annotations

import pytest
from engine_runs import REGISTRY, growth_of, recipe_of
from streamed_data import images_of

import nascore.engine.jobs
import nascore.engine.search
import nascore.engine.training
from nascore.engine.search import search


def image_set(source):
    """Return the images as a set; each of them is there once."""
    images = {image.numpy().tobytes() for image in images_of(source)}
    assert len(images) == len(source)
    return images


@pytest.fixture
def watched(monkeypatch):
    """Return a list that fills: per job its name, the images it trained on, and those of each measurement."""
    seen = []

    def running(module):
        right = module.run_phase

        def run_phase(phase, *args, **named):
            seen.append((phase.name, image_set(phase.batches["train"].examples), []))
            return right(phase, *args, **named)

        monkeypatch.setattr(module, "run_phase", run_phase)

    def measuring(module):
        measured = module.measure

        def measure(network, examples, *args, **named):
            seen[-1][2].append(image_set(examples))
            return measured(network, examples, *args, **named)

        monkeypatch.setattr(module, "measure", measure)

    running(nascore.engine.search)
    running(nascore.engine.training)
    measuring(nascore.engine.search)
    measuring(nascore.engine.jobs)
    return seen


@pytest.fixture
def jobs(tmp_path, watched):
    """Run a search in a supernet; returns what was seen of its jobs."""
    search(recipe_of(), REGISTRY, out=tmp_path / "run")
    return watched


def test_no_image_is_both_trained_on_and_measured_on(jobs):
    # Two epochs each.
    assert [(name, len(measured)) for name, _, measured in jobs] == [("search", 2), ("train", 2)]
    for name, trained, measured in jobs:
        for held in measured:
            assert not trained & held, name
            assert (len(trained), len(held)) == (24, 24)


def test_both_jobs_train_and_measure_on_the_same_halves(jobs):
    (_, fit, (held, *_)), (_, again, (later, *_)) = jobs
    assert fit == again
    assert held == later


def test_all_jobs_of_a_growth_run_train_and_measure_on_the_same_parts(tmp_path, watched):
    search(growth_of(growth__count=2), REGISTRY, out=tmp_path / "run")
    (_, fit, (held, *_)) = watched[0]
    assert (len(fit), len(held)) == (39, 9)
    assert not fit & held
    for name, trained, measured in watched:
        assert (name, trained) == ("train", fit)
        assert measured == [held] * 2
