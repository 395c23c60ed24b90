"""The plugin's parts pass the kit."""

from __future__ import annotations

from typing import ClassVar

from nascore.testing import PluginConformance, UpdaterConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-xnas"


class TestUpdater(UpdaterConformance):
    component = "xnas"


class TestUpdaterByBatch(UpdaterConformance):
    component = "xnas"
    settings: ClassVar = {"granularity": "batch"}


class TestUpdaterWithoutWipeOut(UpdaterConformance):
    component = "xnas"
    settings: ClassVar = {"wipe_out": False}
