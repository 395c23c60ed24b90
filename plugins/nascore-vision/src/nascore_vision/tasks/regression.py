"""The task of a regression: one or several numbers for each image."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn.functional import mse_loss

from nascore.api import Metric, Score
from nascore_vision.tasks.vectors import Vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from nascore.api import DataFacts

ERROR: Final = Metric(name="mean_absolute_error", best=0.0, larger_is_better=False)
R2: Final = Metric(name="r2")
SPEARMAN: Final = Metric(name="spearman")

NORMAL_95: Final = 1.959963984540054
"""Half the width, in standard deviations, of the interval that contains 95 % of a normal distribution."""

BINS: Final = 10
"""Bins of equally many images by which images with one number are split evenly."""


class Regression(Vectors):
    """Numbers for each image, learned by the mean squared error.

    Outputs are in standard deviations from the mean of the training images, so that the usual learning rates
    fit numbers of any size; metrics and predictions are in the unit of the data. With several numbers, each
    metric is the mean over them.

    Args:
        settings: Ignored: a regression has no settings.
    """

    metrics = (ERROR, R2, SPEARMAN)

    def __init__(self, settings: object = None) -> None:
        del settings

    def target_faults(self, targets: Tensor, facts: DataFacts) -> Iterator[str]:
        """Yield the faults of all numbers, and the names of those that are the same for every image."""
        faults = [*super().target_faults(targets, facts)]
        yield from faults
        if faults or len(targets) < 2:  # noqa: PLR2004 - one image has no other
            return
        for name, column in zip(facts.target_names, targets.unbind(1), strict=True):
            if bool((column == column[0]).all()):
                yield f"has the same {name} for every image, {float(column[0]):g}"

    def strata(self, targets: Tensor, facts: DataFacts) -> Tensor:
        """Return the tenth of the images by size of their number; several numbers: one stratum."""
        del facts
        if targets.shape[1] > 1:
            return torch.zeros(len(targets), dtype=torch.int64, device=targets.device)
        ranks = targets[:, 0].argsort(stable=True).argsort(stable=True)
        return ranks * BINS // len(targets)

    def loss(self, outputs: Tensor, targets: Tensor, facts: DataFacts, *, label_smoothing: float) -> Tensor:
        """Return the mean squared error of outputs [B, K], in variances of the training images."""
        del label_smoothing
        mean, std = scale_of(facts, outputs)
        return mse_loss(outputs, (targets.to(outputs.dtype) - mean) / std)

    def batch_score(self, outputs: Tensor, targets: Tensor, facts: DataFacts) -> Tensor:
        """Return the mean absolute error of a batch, in the unit of the data."""
        return (values_of(outputs, facts) - targets).abs().mean()

    def measured(self, outputs: Tensor, targets: Tensor, facts: DataFacts) -> tuple[Score, ...]:
        """Return mean absolute error, coefficient of determination and rank correlation."""
        values, targets = values_of(outputs.double(), facts), targets.double()
        errors, count = (values - targets).abs().mean(1), len(targets)
        mean = float(errors.mean())
        half = NORMAL_95 * float(errors.std()) / sqrt(count) if count > 1 else mean
        return (
            Score(metric=ERROR, value=mean, count=count, interval=(max(0.0, mean - half), mean + half)),
            Score(metric=R2, value=_determination(values, targets), count=count),
            Score(metric=SPEARMAN, value=_rank_correlation(values, targets), count=count),
        )

    def predictions(self, outputs: Tensor, facts: DataFacts) -> list[dict[str, Any]]:
        """Return for each image the `values` by name, in the unit of the data."""
        rows = values_of(outputs, facts).tolist()
        return [{"values": dict(zip(facts.target_names, row, strict=True))} for row in rows]


def scale_of(facts: DataFacts, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation [K] of the numbers; 0 and 1 if the facts have none."""
    count = len(facts.target_names)
    mean = torch.tensor(facts.target_mean or (0.0,) * count, dtype=like.dtype, device=like.device)
    std = torch.tensor(facts.target_std or (1.0,) * count, dtype=like.dtype, device=like.device)
    return mean, std


def values_of(outputs: Tensor, facts: DataFacts) -> Tensor:
    """Return outputs [N, K] in the unit of the data."""
    mean, std = scale_of(facts, outputs)
    return outputs * std + mean


def _determination(values: Tensor, targets: Tensor) -> float:
    """Return the coefficient of determination, the mean over the numbers; 0 for a constant number."""
    from torchmetrics.functional import r2_score  # noqa: PLC0415 - slow to import

    if len(targets) < 2:  # noqa: PLR2004 - one image has no variance
        return 0.0
    each = r2_score(values, targets, multioutput="raw_values").reshape(-1)
    return _mean(torch.where(targets.std(0) > 0, each, torch.zeros_like(each)))


def _rank_correlation(values: Tensor, targets: Tensor) -> float:
    """Return Spearman's rank correlation, the mean over the numbers; 0 for a constant number."""
    from torchmetrics.functional import spearman_corrcoef  # noqa: PLC0415 - slow to import

    if len(targets) < 2:  # noqa: PLR2004 - one image has no rank
        return 0.0
    return _mean(torch.stack([spearman_corrcoef(*pair) for pair in zip(values.T, targets.T, strict=True)]))


def _mean(each: Tensor) -> float:
    return min(1.0, float(each.nan_to_num(0.0, 0.0, 0.0).mean()))
