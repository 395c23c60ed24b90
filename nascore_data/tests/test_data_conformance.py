"""The plugin's parts pass the kit."""

from __future__ import annotations

from typing import ClassVar

from nascore.testing import PluginConformance, RelaxationConformance, UpdaterConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-data"


class TestEgs(RelaxationConformance):
    component = "egs"


class TestEgsSummed(RelaxationConformance):
    component = "egs"
    settings: ClassVar = {"normalize": "sum", "tau": 5.0, "tau_last": 1.0}


class TestEgsOfOneDraw(RelaxationConformance):
    component = "egs"
    settings: ClassVar = {"draws": 1, "normalize": "sum", "segment": "edge"}


class TestData(UpdaterConformance):
    component = "data"
