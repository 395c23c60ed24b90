"""`validate_every` says after which epochs a network is measured; the last one always is."""

from __future__ import annotations

import pytest
from engine_runs import REGISTRY, evaluation_of, growth_of, recipe_of

from nascore.description import choose, derive, expand
from nascore.engine.evaluate import evaluate
from nascore.engine.factory import build_component
from nascore.engine.search import search
from nascore.run import read


def measured(path, phase="train"):
    """Return for each epoch of a phase whether it has a validation."""
    epochs = [line for line in read(path).metrics() if line["phase"] == phase]
    return [line["validation_accuracy"] is not None for line in epochs]


EPOCHS = [(1, [True, True, True]), (2, [False, True, True]), (0, [False, False, True])]


@pytest.mark.parametrize(("every", "expected"), EPOCHS)
def test_a_search_ranks_after_these_epochs_with_the_same_result(every, expected, tmp_path):
    settings = {"growth__count": 1, "ranking__epochs": 3}
    run = search(growth_of(**settings, ranking__validate_every=every), REGISTRY, out=tmp_path / "run")
    assert measured(run) == expected
    plain = search(growth_of(**settings), REGISTRY, out=tmp_path / "plain")
    weights = "best/weights.safetensors"
    assert (run / weights).read_bytes() == (plain / weights).read_bytes()
    assert read(run).result["validation_accuracy"] == read(plain).result["validation_accuracy"]


@pytest.mark.parametrize(("every", "expected"), EPOCHS[1:])
def test_an_evaluation_on_validation_images_does_so(every, expected, tmp_path):
    opened = build_component(recipe_of(), "space").describe(build_component(recipe_of(), "dataset").facts)
    layouts = expand(opened).layouts
    closed = derive(opened, choose(opened, {"cell": [[1.0] * 4 for _ in layouts["cell"].rows]}))
    recipe = evaluation_of(measure="validation", training__epochs=3, training__validate_every=every)
    run = evaluate(closed, recipe, REGISTRY, out=tmp_path / "run")
    assert measured(run) == expected
    assert read(run).result["validation_accuracy"] == read(run).metrics()[-1]["validation_accuracy"]
