"""What is said in Python of arguments that are none, and how a run is shown."""

from __future__ import annotations

import pytest

import nascore
from nascore.errors import RecipeError


class MyRule:
    """A rule of one's own."""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"updater": MyRule()}, "updater: MyRule is no name of a component. Give the name of one"),
        ({"updater": MyRule}, "updater: type is no name"),
        ({"space": 3}, "space: int is no name"),
        ({"regularizer": [MyRule()]}, "regularizer: MyRule is no name"),
        ({"updater": ["uniform", "sgd"]}, "nascore.search_several"),
        ({"seed": "a"}, "seed: 'a' is not a whole number"),
    ],
)
def test_an_argument_that_is_none_is_refused(given, told):
    with pytest.raises(RecipeError) as caught:
        nascore.search(**{"space": "tiny", "updater": "uniform", **given})
    assert told in str(caught.value)
    assert "--seed" not in str(caught.value)


def test_a_run_is_shown_in_one_line(tmp_path):
    few = {"trainer.epochs": 2, "training.epochs": 1}
    run = nascore.search(space="tiny", updater="uniform", settings=few, out=tmp_path / "r")
    accuracy = run.result["validation_accuracy"]
    assert repr(run) == f"Run('{tmp_path / 'r'}', done, validation_accuracy={accuracy:.4f})"
