"""The plugin passes the kit."""

from __future__ import annotations

from nascore.testing import PluginConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-native"
