"""The task of a run, from its recipe: a wrong one would read the outputs wrongly."""

import pytest

from nascore.engine.predictions import task_of
from nascore.errors import PluginError
from nascore.nn import Classification
from nascore.plugin import discover


def test_a_recipe_without_a_task_is_a_classification():
    assert isinstance(task_of("nascore: 2\nseed: 0\n", discover()), Classification)


def test_a_task_that_is_not_installed_is_refused():
    with pytest.raises(PluginError, match="the task counting, which is not installed"):
        task_of("nascore: 2\ntask:\n  name: counting\n", discover())
