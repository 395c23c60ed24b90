"""Reads the predictions of a run's network by the task of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nascore.config.document import parse_document
from nascore.contract import DataFacts
from nascore.engine.return_checks import ReturnCheck
from nascore.errors import PluginError, Problem
from nascore.nn.classification import CLASSIFICATION
from nascore.nn.preprocessing import TARGETS
from nascore.slots import DATASET, TASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.config import Node
    from nascore.contract import Task
    from nascore.nn.preprocessing import Preprocessing
    from nascore.plugin import Registry


def predictions_of(outputs: Tensor, preprocess: Preprocessing, task: Task) -> tuple[dict[str, Any], ...]:
    """Return the prediction for each image as values for JSON, as the task of the run reads the outputs.

    Args:
        outputs: The outputs of the network, [N, outputs].
        preprocess: The preparation of images of the run, with the names of classes and numbers.
        task: The task of the run.

    Raises:
        PluginError: The task does not return a dictionary for each image.
    """
    channels, height, width = preprocess.shape
    facts = DataFacts(
        channels=channels,
        height=height,
        width=width,
        classes=outputs.shape[1],
        train=0,
        test=0,
        mean=preprocess.mean,
        std=preprocess.std,
        class_names=preprocess.classes or (),
        **{name: getattr(preprocess, name) for name in TARGETS},
    )
    check = ReturnCheck(task, "predictions", TASK)
    found = check.several(task.predictions(outputs, facts), dict, "dictionaries")
    if len(found) != len(outputs):
        raise check.wrong(f"{len(found)} predictions for {len(outputs)} images", "one for each image")
    return found


def task_of(recipe: str, registry: Registry) -> Task:
    """Return the task of a run; a classification if its recipe names none.

    Args:
        recipe: The text of the run's recipe.
        registry: The installed components.

    Raises:
        PluginError: The task is not installed.
    """
    name, settings = recorded_part(recipe, TASK)
    if not name:
        return CLASSIFICATION
    component = registry.get(TASK, name)
    if component is None:
        text = f"the run learned the task {name}, which is not installed: its outputs cannot be read."
        hint = "Install the plugin that brings it; recipe.yaml of the run lists the plugins."
        raise PluginError([Problem(path=TASK, text=text, hint=hint, slots=(TASK,), of_plugin=True)])
    task: Task = component.builder()(component.config(**settings))
    return task


def recorded_part(recipe: str, slot: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the settings of the part that fills a slot in the recipe of a run.

    The recipe is read without the plugins of its parts. The name is empty if the slot is.
    """
    root = parse_document(recipe, where="recipe.yaml").root
    keys: Mapping[str, Node] = root.value if root is not None and isinstance(root.value, dict) else {}
    value = keys[slot].value if slot in keys else None
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, dict) or "name" not in value:
        return "", {}
    settings = {key: node.value for key, node in value.items()}
    return str(settings.pop("name")), settings


def data_settings(recipe: str) -> dict[str, Any]:
    """Return the settings of the data set of a run, from the text of its recipe."""
    return recorded_part(recipe, DATASET)[1]
