"""Metrics and scores: the figures that rank, print and store how good a trained network is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import asdict, frozen

from nascore.files.schema import FLAG, NUMBER, TEXT, faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from nascore.files.schema import Schema

_SCHEMA: Final[Schema] = {"name": TEXT, "best": NUMBER, "larger_is_better": FLAG, "percent": FLAG}


@frozen(kw_only=True)
class Metric:
    """A figure that tells how well a network does its task.

    Attributes:
        name: Its name in files, such as `mean_absolute_error`.
        best: The best possible value; no value is better.
        larger_is_better: Whether a larger value is better.
        percent: Whether it is a share from 0 to 1, printed in percent.
    """

    name: str
    best: float = 1.0
    larger_is_better: bool = True
    percent: bool = False

    def key(self, split: str) -> str:
        """Return the key of its value on a split in files: `test_accuracy`."""
        return f"{split}_{self.name}"

    @property
    def title(self) -> str:
        """Its name in texts: `mean absolute error`."""
        return self.name.replace("_", " ")

    def error(self, value: float) -> float:
        """Return the distance of a value from the best one, at least 0; smaller is better."""
        return self.best - value if self.larger_is_better else value - self.best

    def value(self, error: float) -> float:
        """Return the value whose distance from the best one is `error`."""
        return self.best - error if self.larger_is_better else self.best + error

    def text(self, value: float) -> str:
        """Return a value as printed: a share in percent, another one with five significant digits."""
        return f"{value:.2%}" if self.percent else f"{value:.5g}"

    def plain(self) -> dict[str, Any]:
        """Return the metric as values for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """Return the metric that :meth:`plain` wrote.

        Raises:
            ValueError: A value is missing or not allowed.
        """
        wrong = [*faults(plain, _SCHEMA, _SCHEMA)]
        if wrong:
            raise ValueError("; ".join(f"metric: {text}" for text in wrong))
        return cls(**{name: plain[name] for name in _SCHEMA})


ACCURACY: Final = Metric(name="accuracy", percent=True)
"""The first metric of a classification, and of every run that names none."""


def metric_of(plain: Mapping[str, Any]) -> Metric:
    """Return the metric of a result, of a line of metrics or of an entry; the accuracy if it names none.

    Raises:
        ValueError: The metric has a wrong value.
    """
    return Metric.of(plain["metric"]) if "metric" in plain else ACCURACY


@frozen(kw_only=True)
class Score:
    """The value of a metric on a set of images.

    Attributes:
        metric: The metric.
        value: Its value.
        count: Number of images.
        interval: Its 95 % interval over images, the lower bound first; None: the metric has no value for
            each image.
    """

    metric: Metric
    value: float
    count: int
    interval: tuple[float, float] | None = None

    @property
    def error(self) -> float:
        """The distance of the value from the best one, at least 0."""
        return self.metric.error(self.value)


def figures_of_scores(scores: Sequence[Score], split: str) -> dict[str, Any]:
    """Return the scores on a split as figures of a result; its metric is named unless it is the accuracy."""
    first = scores[0]
    named = {"metric": first.metric.plain(), "scores": {one.metric.name: one.value for one in scores}}
    return {
        **({} if first.metric == ACCURACY else named),
        first.metric.key(split): first.value,
        f"{split}_count": first.count,
        "interval": None if first.interval is None else list(first.interval),
    }
