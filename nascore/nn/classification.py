"""The task of a classification: one class for each image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn.functional import cross_entropy

from nascore.gallery import ACCURACY, Metric, Score, wilson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from nascore.contract import DataFacts


class Classification:
    """The task of a classification: cross entropy, accuracy, and probabilities of the classes.

    Args:
        settings: Ignored: a classification has no settings.
    """

    metrics: tuple[Metric, ...] = (ACCURACY,)

    def __init__(self, settings: object = None) -> None:
        del settings

    def outputs(self, facts: DataFacts) -> int:
        """Return the number of classes."""
        return facts.classes

    def target_faults(self, targets: Tensor, facts: DataFacts) -> Iterator[str]:
        """Yield a label that is not a whole number from 0 to classes - 1, if there is one."""
        if targets.dim() != 1 or targets.dtype != torch.int64:
            shape = tuple(targets.shape)
            yield f"has targets of shape {shape} and {targets.dtype}, not one class [N] of torch.int64"
        elif len(targets):
            low, high = (int(each) for each in targets.aminmax())
            label = low if low < 0 else high
            if not 0 <= label < facts.classes:
                expected = f"labels of {facts.classes} classes are 0 to {facts.classes - 1}"
                yield f"has the label {label}, but {expected}"

    def strata(self, targets: Tensor, facts: DataFacts) -> Tensor:
        """Return the classes."""
        del facts
        return targets

    def loss(self, outputs: Tensor, targets: Tensor, facts: DataFacts, *, label_smoothing: float) -> Tensor:
        """Return the mean cross entropy of logits [B, classes] with classes [B] or probabilities."""
        del facts
        return cross_entropy(outputs, targets, label_smoothing=label_smoothing)

    def batch_score(self, outputs: Tensor, targets: Tensor, facts: DataFacts) -> Tensor:
        """Return the accuracy of a batch; of mixed targets, the most probable class counts."""
        del facts
        classes = targets.argmax(1) if targets.is_floating_point() else targets
        return (outputs.argmax(1) == classes).float().mean()

    def meter(self, facts: DataFacts) -> AccuracyMeter:
        """Return a new meter of the accuracy."""
        del facts
        return AccuracyMeter()

    def predictions(self, outputs: Tensor, facts: DataFacts) -> list[dict[str, Any]]:
        """Return for each image the most probable class as `label`, and the `probabilities` by class."""
        names = facts.class_names or tuple(map(str, range(outputs.shape[1])))
        shares = outputs.softmax(1)
        return [
            {"label": names[index], "probabilities": dict(zip(names, row, strict=True))}
            for index, row in zip(shares.argmax(1).tolist(), shares.tolist(), strict=True)
        ]


class AccuracyMeter:
    """Counts the images that are classified correctly."""

    def __init__(self) -> None:
        self._correct = 0
        self._count = 0

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Add logits [B, classes] and classes [B]."""
        self._correct += int((outputs.argmax(1) == targets).sum())
        self._count += len(targets)

    def scores(self) -> tuple[Score, ...]:
        """Return the accuracy with Wilson's interval."""
        share = self._correct / self._count
        interval = wilson(share, self._count)
        return (Score(metric=ACCURACY, value=share, count=self._count, interval=interval),)


CLASSIFICATION: Final = Classification()
"""The task of everything that names none."""
