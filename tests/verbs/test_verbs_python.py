"""What is said in Python of arguments that are none, and how a run is shown."""

from __future__ import annotations

import pytest

import nascore
from nascore.cli.options import RUN_FLAGS
from nascore.errors import NascoreError, RecipeError
from nascore.verbs.arguments import OfRun


class MyRule:
    """A rule of one's own."""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"updater": MyRule()}, "updater: MyRule is not the name of a component. Give a name"),
        ({"updater": MyRule}, "updater: type is not the name"),
        ({"space": 3}, "space: int is not the name"),
        ({"regularizer": [MyRule()]}, "regularizer: MyRule is not the name"),
        ({"updater": ["uniform", "sgd"]}, "nascore.search_several"),
        ({"seed": "a"}, "seed: 'a' is not a whole number"),
        ({"device": "gpu"}, "device: 'gpu' is not one of auto, cpu, cuda."),
        ({"threads": 0}, "threads: 0 is not a whole number at least 1"),
        ({"settings": {"updater": "sgd"}}, "chosen by its own flag. Write updater='sgd'."),
        ({"seed": 4, "settings": {"seed": 3}}, "seed: given twice; first as seed=4. Remove one of them."),
        ({"device": "cpu", "settings": {"device": "auto"}}, "device: given twice; first as device='cpu'."),
        ({"space": "file:a.yaml", "settings": {"space.path": "b.yaml"}}, "space.path: given twice; first as"),
    ],
)
def test_an_argument_that_is_none_is_refused(given, told):
    with pytest.raises(RecipeError) as caught:
        nascore.search(**{"space": "tiny", "updater": "uniform", **given})
    assert told in str(caught.value)
    assert "--seed" not in str(caught.value)


def test_a_run_is_shown_in_one_line(tmp_path):
    few = {"trainer.epochs": 2, "ranking.epochs": 1}
    run = nascore.search(space="tiny", updater="uniform", settings=few, out=tmp_path / "r")
    accuracy = run.result["validation_accuracy"]
    assert repr(run) == f"Run('{tmp_path / 'r'}', done, validation_accuracy={accuracy:.4f})"


def test_threads_and_device_are_arguments_as_they_are_flags(tmp_path):
    few = {"trainer.epochs": 2, "ranking.epochs": 1}
    run = nascore.search(
        space="tiny", updater="uniform", settings=few, seed=3, threads=2, device="cpu", out=tmp_path / "r"
    )
    recipe = (run.path / "recipe.yaml").read_text()
    assert "\nthreads: 2\n" in recipe
    assert "\ndevice: cpu\n" in recipe
    assert "\nseed: 3\n" in recipe
    final = nascore.evaluate(
        run, settings={"training.epochs": 1}, threads=2, device="cpu", out=tmp_path / "e"
    )
    assert "\nthreads: 2\n" in (final.path / "recipe.yaml").read_text()


def test_the_arguments_are_the_flags():
    assert {*RUN_FLAGS} == OfRun.__optional_keys__


@pytest.mark.parametrize(
    ("function", "given", "meant"),
    [
        (nascore.search, {"upater": "sgd"}, "upater: the run has no setting upater. Did you mean updater?"),
        (nascore.search_several, {"upater": ["sgd"]}, "Did you mean updater?"),
        (nascore.search_several, {"seed": 1, "seeds": [1, 2]}, "seed: is given together with seeds."),
        (nascore.evaluate, {"target": "resnet20", "datset": "digits"}, "Did you mean dataset?"),
        (nascore.evaluate, {"target": "resnet20", "updater": "sgd"}, "updater"),
    ],
)
@pytest.mark.needs("nascore-spaces")
def test_an_argument_that_there_is_not_is_refused_with_the_nearest(function, given, meant):
    with pytest.raises(RecipeError) as caught:
        function(**given)
    assert meant in str(caught.value)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"updater": "nothing"}, "updater='nothing'"),
        ({"updater": ["uniform", "nothing"]}, "updater='nothing'"),
        ({"updater": "uniform", "recipe": "none.yaml"}, "recipe='none.yaml'"),
        ({"updater": "uniform", "preset": "nothing"}, "preset='nothing'"),
        ({"updater": "uniform", "scale": "large"}, "scale='large'"),
        ({"updater": "uniform", "seeds": "3"}, "seeds='3'"),
        ({"updater": ["uniform", "uniform"]}, "updater=['uniform', 'uniform']"),
        ({"updater": ["uniform", "sgd"], "seeds": [-1]}, "seeds"),
        ({"updater": "uniform", "seeds": [1], "settings": {"seed": 3}}, "settings"),
    ],
)
def test_a_refusal_from_python_names_the_argument(given, place):
    with pytest.raises(NascoreError) as caught:
        nascore.search_several(**{"space": "tiny", **given})
    (problem,) = [one for one in caught.value.problems if one.verdict == "refused"]
    assert str(problem.origin) == place
    assert "--" not in str(caught.value).replace("nascore new-plugin --help", "")


@pytest.mark.needs("nascore-xnas")
def test_a_misfit_from_python_names_the_arguments():
    with pytest.raises(RecipeError, match="unrolled from settings") as caught:
        nascore.search(space="tiny", updater="xnas", settings={"trainer.estimate": "unrolled"})
    assert "xnas from updater='xnas'" in str(caught.value)
