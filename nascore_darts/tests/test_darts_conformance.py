"""The plugin's parts pass the kit."""

from __future__ import annotations

from nascore.testing import PluginConformance, SpaceConformance, UpdaterConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-darts"


class TestSpace(SpaceConformance):
    component = "darts"


class TestUpdater(UpdaterConformance):
    component = "darts"
