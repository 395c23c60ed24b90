"""An entry of the gallery: one architecture with its objectives."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import attrs
from attrs import Factory, frozen

from nascore.files.schema import (
    ANY_OBJECT,
    COUNT,
    FIGURE,
    FLAG,
    INSIDE,
    NUMBER,
    PLACE,
    SETTING,
    SHARE,
    faults,
    list_of,
    map_of,
    or_null,
)
from nascore.gallery.score import ACCURACY, Metric, metric_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.files.schema import Schema


NORMAL_95 = 1.959963984540054
"""Half the width, in standard deviations, of the interval that contains 95 % of a normal distribution."""


def wilson(share: float, count: int, *, deviations: float = NORMAL_95) -> tuple[float, float]:
    """Return Wilson's score interval of a share (E. B. Wilson, 1927), which stays within 0 and 1.

    Args:
        share: The observed share, 0 to 1.
        count: The number of trials; for 0, the interval is 0 to 1.
        deviations: Half the width in standard deviations; the default is for 95 %.
    """
    if count <= 0:
        return 0.0, 1.0
    square = deviations**2 / count
    middle = (share + square / 2) / (1 + square)
    half = deviations / (1 + square) * sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


_SCHEMA: Final[Schema] = {
    "id": PLACE,
    "parent": or_null(PLACE),
    "wave": COUNT,
    "description": INSIDE,
    "weights": or_null(INSIDE),
    "error": SHARE,
    "count": COUNT,
    "costs": map_of(FIGURE),
    "steps": COUNT,
    "guided": FLAG,
    "values": map_of(SETTING),
}
_REQUIRED: Final = ("id", "description", "error", "count", "costs")

_OF_METRIC: Final[Schema] = {
    "metric": ANY_OBJECT,
    "error": FIGURE,
    "scores": map_of(NUMBER),
    "interval": or_null(list_of(NUMBER, 2)),
}
"""Further values of an entry whose metric is not the accuracy."""


@frozen(kw_only=True)
class Entry:
    """One architecture with its measurements.

    Attributes:
        id: Number in the run, from 1.
        parent: Id of the entry that it was grown from; None if it has no parent.
        wave: The wave of jobs in which it was found.
        description: File of the description, relative to the run's folder.
        weights: File of the weights, relative to the run's folder; None if they were not saved.
        error: Share of the validation images that it classifies wrongly, 0 to 1; with another metric the
            distance of its value from the best one. Smaller is better.
        count: Number of validation images.
        costs: `params` (number of parameters) and `macs` (multiply-accumulate operations per image).
        steps: Number of training steps of its weights.
        guided: Whether the validation images guided the choice of the architecture, as they do if a
            supernet learns from them: its error is then lower than on unseen images.
        values: Settings by path that distinguish it from other entries: ``{"space.cells": 8}``.
        metric: The first metric of the task.
        scores: Values of all metrics of the task by name; empty if the metric is the accuracy.
        error_interval: 95 % interval of the error; None: Wilson's of the accuracy, or not known.
    """

    id: int
    parent: int | None = None
    wave: int = 0
    description: str
    weights: str | None = None
    error: float
    count: int
    costs: Mapping[str, float] = Factory(dict)
    steps: int = 0
    guided: bool = False
    values: Mapping[str, Any] = Factory(dict)
    metric: Metric = ACCURACY
    scores: Mapping[str, float] = Factory(dict)
    error_interval: tuple[float, float] | None = None

    @property
    def score(self) -> float:
        """Value of its metric on the validation images."""
        return self.metric.value(self.error)

    @property
    def accuracy(self) -> float:
        """Share of the validation images that it classifies correctly, 0 to 1; for classifications only."""
        return 1 - self.error

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the error, of an accuracy Wilson's; None: not known."""
        return wilson(self.error, self.count) if self.metric == ACCURACY else self.error_interval

    @property
    def score_interval(self) -> tuple[float, float] | None:
        """95 % interval of the score, the lower bound first; None: not known."""
        if self.interval is None:
            return None
        one, other = (self.metric.value(bound) for bound in self.interval)
        return min(one, other), max(one, other)

    def plain(self) -> dict[str, Any]:
        """Return the entry as values for JSON, with score and interval for other programs."""
        values = attrs.asdict(self)
        del values["error_interval"]
        if self.metric != ACCURACY:
            interval = None if self.error_interval is None else list(self.error_interval)
            return {**values, self.metric.name: self.score, "interval": interval}
        del values["metric"], values["scores"]
        return {
            **values,
            "costs": dict(self.costs),
            "values": dict(self.values),
            "accuracy": self.accuracy,
            "interval": list(wilson(self.error, self.count)),
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Entry:
        """Return the entry that :meth:`plain` wrote.

        Raises:
            ValueError: A value is missing or not allowed.
        """
        schema = {**_SCHEMA, **_OF_METRIC} if "metric" in plain else _SCHEMA
        wrong = [*faults(plain, schema, _REQUIRED)]
        if not wrong:
            wrong = [f"costs: {text}" for text in faults(plain["costs"], {}, ("params", "macs"))]
        if wrong:
            raise ValueError("; ".join(wrong))
        names = {field.name for field in attrs.fields(cls)}
        values = {name: value for name, value in plain.items() if name in names}
        if "metric" in plain and plain.get("interval"):
            values["error_interval"] = tuple(plain["interval"])
        return cls(**{**values, "metric": metric_of(plain)})
