"""The plugin's executor passes the kit, with processes of this machine in place of Slurm."""

from __future__ import annotations

from typing import ClassVar

from nascore.testing import ExecutorConformance, PluginConformance


class TestPlugin(PluginConformance):
    plugin = "nascore-slurm"


class TestSlurm(ExecutorConformance):
    component = "slurm"
    settings: ClassVar = {"cluster": "local", "workers": 2}
