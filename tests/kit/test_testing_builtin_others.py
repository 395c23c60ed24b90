"""The core's own trainer, data sets, growth, observer and declarations pass the kit."""

from __future__ import annotations

from typing import ClassVar

from nascore.testing import (
    DatasetConformance,
    ExecutorConformance,
    GrowthConformance,
    ObserverConformance,
    PluginConformance,
    TaskConformance,
    TrainerConformance,
)


class TestBuiltin(PluginConformance):
    plugin = "builtin"


class TestAlternating(TrainerConformance):
    component = "alternating"


class TestSingleLevel(TrainerConformance):
    component = "alternating"
    settings: ClassVar = {"estimate": "single-level", "batch": 8}


class TestUnrolled(TrainerConformance):
    component = "alternating"
    settings: ClassVar = {"estimate": "unrolled", "sequence": "weights-first", "batch": 8}


class TestClassification(TaskConformance):
    component = "classification"


class TestDigits(DatasetConformance):
    component = "digits"


class TestSynthetic(DatasetConformance):
    component = "synthetic"


class TestPlantedPatterns(DatasetConformance):
    component = "planted"


class TestNoGrowth(GrowthConformance):
    component = "none"


class TestRandomGrowth(GrowthConformance):
    component = "random"


class TestSweep(GrowthConformance):
    component = "sweep"


class TestSerial(ExecutorConformance):
    component = "serial"


class TestProcesses(ExecutorConformance):
    component = "processes"


class TestTerminal(ObserverConformance):
    component = "terminal"


class TestTerminalLive(ObserverConformance):
    component = "terminal"
    settings: ClassVar = {"form": "live"}
