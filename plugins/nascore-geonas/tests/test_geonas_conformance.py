"""The plugin's part passes the kit."""

from __future__ import annotations

from nascore.testing import PluginConformance, UpdaterConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-geonas"


class TestUpdater(UpdaterConformance):
    component = "geonas"
