"""Forward passes: training loss, side-effect-free losses for architecture steps, and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from attrs import frozen

from nascore.engine.batches import evaluation_batches
from nascore.engine.sources import source_of
from nascore.errors import NotFiniteError, Problem
from nascore.nn import Network
from nascore.nn.classification import CLASSIFICATION
from nascore.nn.substitution import Substitution
from nascore.nn.transfers import on_cpu

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import DataFacts, ImageSource, Score, Streams, Task
    from nascore.engine.estimates import Loss, Tensors
    from nascore.nn import Examples


Batch = tuple["Tensor", "Tensor"]
"""Images [B, C, H, W]; classes [B], or after tricks probabilities [B, classes], or numbers [B, K]."""


@frozen(kw_only=True)
class Criterion:
    """The loss of a network's outputs.

    Attributes:
        label_smoothing: Share of the target that is spread evenly over the classes, 0 to below 1.
        auxiliary: Weight of the loss of the auxiliary head.
        task: The task; None: a classification.
        facts: The facts of the data set; a classification needs none.
    """

    label_smoothing: float = 0.0
    auxiliary: float = 0.0
    task: Task | None = None
    facts: DataFacts | None = None

    def __call__(self, outputs: Tensor | tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        """Return the mean loss of the task over the batch.

        Args:
            outputs: Outputs [B, outputs], or a pair of these and the outputs of the auxiliary head.
            labels: The targets of the task: classes [B], probabilities [B, classes], or numbers [B, K].
        """
        if isinstance(outputs, tuple):
            logits, auxiliary = outputs
            return self._of(logits, labels) + self.auxiliary * self._of(auxiliary, labels)
        return self._of(outputs, labels)

    def _of(self, outputs: Tensor, labels: Tensor) -> Tensor:
        task = self.task or CLASSIFICATION
        # A classification reads no facts.
        return task.loss(outputs, labels, cast("DataFacts", self.facts), label_smoothing=self.label_smoothing)

    def score(self, outputs: Tensor, labels: Tensor) -> Tensor | None:
        """Return the first metric of the batch, a scalar; None if a batch has none."""
        task = self.task or CLASSIFICATION
        return task.batch_score(outputs, labels, cast("DataFacts", self.facts))


def logits_of(outputs: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """Return the outputs [B, outputs] of the network, without those of the auxiliary head."""
    return outputs[0] if isinstance(outputs, tuple) else outputs


def arguments(
    images: Tensor, mixture: Tensors | None, runs: Tensors | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the positional and keyword arguments of a network; a closed network has no mixture."""
    if mixture is None:
        return (images,), {}
    return (images, dict(mixture)), {"alive": None if runs is None else on_cpu(runs)}


@frozen(kw_only=True)
class Passes:
    """Builds the losses of an architecture step: pure functions of weights and mixture.

    Attributes:
        network: The network.
        streams: The random numbers of the network.
        criterion: The loss.
        runs: By group, [E, O] bool: the candidates to run.
        drop_path: Share of the samples for which an operation's output is dropped, 0 to below 1.
    """

    network: Module
    streams: Streams
    criterion: Criterion
    runs: Mapping[str, Tensor]
    drop_path: float = 0.0

    def loss(self, batch: Batch) -> Loss:
        """Return the mean loss on a batch as a function of weights and mixture.

        All calls of one function draw the same random numbers. Each call copies the buffers, so that it does
        not update running statistics.
        """
        images, labels = batch
        noise = self.streams.repeated()
        network = self.network
        found = network.substitution if isinstance(network, Network) else Substitution(network)

        def evaluated(weights: Tensors, mixture: Tensors) -> Tensor:
            args, named = arguments(images, mixture, self.runs)
            with noise.again(), found.given({**weights, **found.copied_buffers()}):
                outputs = network(*args, **named, drop_path=self.drop_path)
            return self.criterion(outputs, labels)

        return evaluated


@torch.no_grad()
def measure(  # noqa: PLR0913 - each by name
    network: Module,
    examples: Examples | ImageSource,
    facts: DataFacts,
    streams: Streams,
    mixture: Mapping[str, Tensor] | None = None,
    *,
    task: Task,
) -> tuple[Score, ...]:
    """Return the score of each metric of a task for a network on images.

    The network is in evaluation mode during the call, and its random draws do not advance their stream.

    Args:
        network: The network.
        examples: The images, with labels on the device of the network.
        facts: How to normalise the images.
        streams: The random numbers of the network.
        mixture: For an open network, the expected mixture by group [E, O].
        task: The task.

    Raises:
        RunFailed: The outputs for an image are not finite.
    """
    source = source_of(examples)
    training = network.training
    meter, not_finite = task.meter(facts), 0
    network.eval()
    try:
        with streams.network(streams.noise):
            for images, targets in evaluation_batches(source, facts):
                outputs = logits_for(network, images, mixture)
                not_finite += int((~outputs.isfinite()).any(1).sum())
                if not not_finite:
                    meter.add(outputs, targets)
    finally:
        network.train(training)
    if not_finite:
        _refuse(not_finite, len(source), task.metrics[0].title)
    return meter.scores()


def _refuse(not_finite: int, count: int, metric: str) -> None:
    text = f"the network's output is not finite for {not_finite} of {count} images, so it has no {metric}."
    hint = "Try a lower learning rate of the weights, a lower clip, or a different --seed."
    raise NotFiniteError([Problem(path="", text=text, hint=hint)])


def logits_for(network: Module, images: Tensor, mixture: Mapping[str, Tensor] | None) -> Tensor:
    """Return the outputs [B, outputs] of a network; an open one runs the operations of a mixture."""
    runs = None if mixture is None else {name: value != 0 for name, value in mixture.items()}
    args, named = arguments(images, mixture, runs)
    return logits_of(network(*args, **named))
