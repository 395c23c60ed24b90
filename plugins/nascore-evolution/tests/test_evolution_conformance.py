"""The plugin's parts pass the kit."""

from __future__ import annotations

from typing import ClassVar

from nascore.testing import GrowthConformance, PluginConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-evolution"


class TestEvolution(GrowthConformance):
    component = "evolution"


class TestLocalSearch(GrowthConformance):
    component = "local-search"


class TestLocalSearchOneAtATime(GrowthConformance):
    component = "local-search"
    settings: ClassVar = {"wave": 1}
