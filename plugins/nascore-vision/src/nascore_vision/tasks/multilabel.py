"""The task of several labels for each image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from nascore.api import Metric, Score, wilson
from nascore_vision.tasks.vectors import Vectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from nascore.api import DataFacts
    from nascore_vision.tasks.settings import MultilabelSettings

PRECISION: Final = Metric(name="mean_average_precision", percent=True)
F1: Final = Metric(name="f1", percent=True)
EXACT: Final = Metric(name="exact_match", percent=True)


class Multilabel(Vectors):
    """Several labels for each image, each learned by binary cross entropy.

    Mean average precision and F1 are means over the labels that some image has; exact match is the share of
    images whose labels are all right.
    """

    metrics = (PRECISION, F1, EXACT)

    def __init__(self, settings: MultilabelSettings) -> None:
        self.settings = settings

    def target_faults(self, targets: Tensor, facts: DataFacts) -> Iterator[str]:
        """Yield the faults of all numbers, and the names of labels that are not 0 or 1."""
        faults = [*super().target_faults(targets, facts)]
        yield from faults
        if faults:
            return
        for name, column in zip(facts.target_names, targets.unbind(1), strict=True):
            odd = column[(column != 0) & (column != 1)]
            if len(odd):
                yield f"has values of {name} other than 0 and 1, such as {float(odd[0]):g}"

    def strata(self, targets: Tensor, facts: DataFacts) -> Tensor:
        """Return one stratum: images are split at random."""
        del facts
        return torch.zeros(len(targets), dtype=torch.int64, device=targets.device)

    def loss(self, outputs: Tensor, targets: Tensor, facts: DataFacts, *, label_smoothing: float) -> Tensor:
        """Return the mean binary cross entropy of logits [B, K]; smoothed targets approach one half."""
        del facts
        smooth = targets.to(outputs.dtype) * (1 - label_smoothing) + label_smoothing / 2
        return binary_cross_entropy_with_logits(outputs, smooth)

    def batch_score(self, outputs: Tensor, targets: Tensor, facts: DataFacts) -> None:
        """Return None: a batch may lack a label."""
        del outputs, targets, facts

    def measured(self, outputs: Tensor, targets: Tensor, facts: DataFacts) -> tuple[Score, ...]:
        """Return mean average precision, F1 and exact match."""
        del facts
        from torchmetrics.functional import classification  # noqa: PLC0415 - slow to import

        shares, truth, count = outputs.sigmoid(), targets.to(torch.int64), len(targets)
        threshold = self.settings.threshold
        exact = float(((shares >= threshold) == truth.bool()).all(1).double().mean())
        pairs = [(shares[:, at], truth[:, at]) for at in torch.nonzero(truth.sum(0)).flatten().tolist()]
        precision = [classification.binary_average_precision(*pair) for pair in pairs]
        f1 = [classification.binary_f1_score(*pair, threshold=threshold) for pair in pairs]
        return (
            Score(metric=PRECISION, value=_mean(precision), count=count),
            Score(metric=F1, value=_mean(f1), count=count),
            Score(metric=EXACT, value=exact, count=count, interval=wilson(exact, count)),
        )

    def predictions(self, outputs: Tensor, facts: DataFacts) -> list[dict[str, Any]]:
        """Return for each image its `labels`, and the `probabilities` by label."""
        rows = [dict(zip(facts.target_names, row, strict=True)) for row in outputs.sigmoid().tolist()]
        return [
            {
                "labels": [name for name, share in row.items() if share >= self.settings.threshold],
                "probabilities": row,
            }
            for row in rows
        ]


def _mean(each: Sequence[Tensor]) -> float:
    """Return the mean over the labels that some image has; 0 if there is none."""
    return min(1.0, float(torch.stack([*each]).double().mean())) if each else 0.0
