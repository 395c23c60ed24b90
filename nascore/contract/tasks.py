"""The protocol of tasks: the loss, the metrics and the predictions of a network's outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from nascore.contract.values import DataFacts
    from nascore.gallery import Metric, Score


class Meter(Protocol):
    """Measures the outputs of a network, batch by batch."""

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch: the outputs [B, outputs] of the network, and its targets as the data set has them."""
        ...

    def scores(self) -> tuple[Score, ...]:
        """Return the score of each metric of the task, in its order, over all batches."""
        ...


class Task(Protocol):
    """What a network learns from images: classes, several labels, or numbers.

    Targets are those of the data set: classes [B], int64, or numbers [B, K], float32. A task has no state;
    all that it knows of the targets is in the facts.

    Attributes:
        metrics: The metrics. The first one ranks architectures, and is printed and stored for them.
    """

    metrics: tuple[Metric, ...]

    def outputs(self, facts: DataFacts) -> int:
        """Return the number of outputs of a network."""
        ...

    def target_faults(self, targets: Tensor, facts: DataFacts) -> Iterable[str]:
        """Yield the reasons why targets cannot be learned, as predicates: "has the label 12, but ...".

        Args:
            targets: All targets of the training or of the test images, [N] or [N, K].
            facts: The facts of the data set.
        """
        ...

    def strata(self, targets: Tensor, facts: DataFacts) -> Tensor:
        """Return the stratum of each image, int64 [N]: the engine splits images evenly within a stratum."""
        ...

    def loss(self, outputs: Tensor, targets: Tensor, facts: DataFacts, *, label_smoothing: float) -> Tensor:
        """Return the mean loss of a batch, a scalar.

        The loss of the auxiliary head is the loss of its own outputs.

        Args:
            outputs: [B, outputs].
            targets: The targets; tricks may have mixed them, which makes classes probabilities [B, classes].
            facts: The facts of the data set.
            label_smoothing: Share of the target that is spread over all labels; a task that does not declare
                `smooths` ignores it.
        """
        ...

    def batch_score(self, outputs: Tensor, targets: Tensor, facts: DataFacts) -> Tensor | None:
        """Return the first metric of a training batch, a scalar; None if a batch is too small for it."""
        ...

    def meter(self, facts: DataFacts) -> Meter:
        """Return a new meter of all metrics."""
        ...

    def predictions(self, outputs: Tensor, facts: DataFacts) -> list[dict[str, Any]]:
        """Return the prediction for each image as values for JSON.

        Args:
            outputs: [N, outputs].
            facts: The facts of the data set; of a finished run, the sizes `train` and `test` are unknown.
        """
        ...
