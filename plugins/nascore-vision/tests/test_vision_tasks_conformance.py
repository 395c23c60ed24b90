"""The tasks, and data sets with numbers, pass the kit."""

from __future__ import annotations

from typing import ClassVar

from nascore.testing import DatasetConformance, TaskConformance


class TestRegression(TaskConformance):
    component = "regression"
    targets = "numbers"


class TestMultilabel(TaskConformance):
    component = "multilabel"


class TestNumbersOfATable(DatasetConformance):
    component = "csv"
    settings: ClassVar = {"target": "shade,contrast"}


class TestLabelsOfATable(DatasetConformance):
    component = "csv"
    settings: ClassVar = {"label_separator": ";"}
