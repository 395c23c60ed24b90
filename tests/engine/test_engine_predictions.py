"""The task of a run, from its recipe: a wrong one would read the outputs wrongly."""

import pytest
import torch

import nascore
from nascore.engine.predictions import predictions_of, task_of
from nascore.errors import PluginError
from nascore.nn import Classification
from nascore.nn.preprocessing import Preprocessing
from nascore.plugin import discover


def test_a_recipe_without_a_task_is_a_classification():
    assert isinstance(task_of("nascore: 2\nseed: 0\n", discover()), Classification)


def test_a_task_that_is_not_installed_is_refused():
    with pytest.raises(PluginError, match="the task counting, which is not installed"):
        task_of("nascore: 2\ntask:\n  name: counting\n", discover())


class Blind(Classification):
    """A task of a plugin that forgets an image."""

    def predictions(self, outputs, facts):
        return super().predictions(outputs, facts)[1:]


class Silent(Classification):
    """A task of a plugin that returns texts."""

    def predictions(self, outputs, facts):
        return [one["label"] for one in super().predictions(outputs, facts)]


PREPARED = Preprocessing(shape=(1, 2, 2), mean=(0.0,), std=(1.0,), classes=("cat", "dog"))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Blind(), r"Blind\.predictions .* returns 2 predictions for 3 images, but .* one for each image"),
        (Silent(), r"Silent\.predictions .* returns str 'cat', but the slot requires dictionaries"),
    ],
)
def test_a_task_has_to_return_a_dictionary_for_each_image(task, message):
    with pytest.raises(PluginError, match=message):
        predictions_of(torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0]]), PREPARED, task)


def test_values_of_a_classification_are_labels_with_probabilities(tiny_run):
    run = nascore.load_run(tiny_run)
    found = run.predict(torch.rand(3, *run.model().preprocess.shape))
    assert [one["label"] for one in found.values] == found.names
    for row, shares in zip(found.values, found.probabilities, strict=True):
        assert row["probabilities"] == pytest.approx(dict(zip(found.classes, shares.tolist(), strict=True)))
