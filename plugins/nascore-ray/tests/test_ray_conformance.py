"""The plugin's executor passes the kit, on one Ray for all checks."""

from __future__ import annotations

from typing import ClassVar

import pytest
from ray_samples import local_ray

from nascore.testing import ExecutorConformance, PluginConformance


@pytest.fixture(autouse=True, scope="module")
def ray_of_this_module():
    with local_ray():
        yield


class TestPlugin(PluginConformance):
    plugin = "nascore-ray"


class TestRay(ExecutorConformance):
    component = "ray"


class TestRayThatReturnsFiles(ExecutorConformance):
    component = "ray"
    settings: ClassVar = {"files": "return"}
