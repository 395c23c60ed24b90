"""The plugin's data sets pass the kit."""

from __future__ import annotations

from typing import ClassVar

from nascore.testing import DatasetConformance, PluginConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-vision"


class TestFolder(DatasetConformance):
    component = "folder"


class TestFolderResized(DatasetConformance):
    component = "folder"
    settings: ClassVar = {"size": 5, "colour": "rgb", "test_share": 0.4}


class TestCsv(DatasetConformance):
    component = "csv"


class TestNpz(DatasetConformance):
    component = "npz"
