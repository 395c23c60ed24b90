"""The plugin's part passes the kit."""

from __future__ import annotations

from nascore.testing import PluginConformance, SpaceConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-nasbench"


class TestSpace(SpaceConformance):
    component = "nb201"
