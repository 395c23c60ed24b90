"""Forward passes: a part of training, one that leaves the network as it was, and one that measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from attrs import frozen
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from nascore.engine.batches import evaluation_batches
from nascore.errors import Problem, RunFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import DataFacts, Streams
    from nascore.engine.estimates import Loss, Tensors
    from nascore.nn import Examples


Batch = tuple["Tensor", "Tensor"]
"""Images [B, C, H, W] and labels [B]."""


@frozen(kw_only=True)
class Criterion:
    """The loss of a network's outputs.

    Attributes:
        label_smoothing: Share of the target that is spread evenly over the classes.
        auxiliary: Weight of the auxiliary head's loss.
    """

    label_smoothing: float = 0.0
    auxiliary: float = 0.0

    def __call__(self, outputs: Tensor | tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        """Return the mean loss; outputs are logits [B, classes], or those and the auxiliary head's."""
        if isinstance(outputs, tuple):
            logits, auxiliary = outputs
            return self._of(logits, labels) + self.auxiliary * self._of(auxiliary, labels)
        return self._of(outputs, labels)

    def _of(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels, label_smoothing=self.label_smoothing)


def logits_of(outputs: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """Return the logits of the network itself, without the auxiliary head's."""
    return outputs[0] if isinstance(outputs, tuple) else outputs


def arguments(
    images: Tensor, mixture: Tensors | None, runs: Tensors | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return with what a network is called: a closed one gets no mixture."""
    if mixture is None:
        return (images,), {}
    alive = None if runs is None else {name: value.cpu() for name, value in runs.items()}
    return (images, dict(mixture)), {"alive": alive}


@frozen(kw_only=True)
class Passes:
    """Passes of an architecture step: functions of weights and mixture that change nothing.

    Attributes:
        network: The network.
        streams: Whose random numbers it draws.
        criterion: The loss.
        runs: By group [E, O] bool, what has to be run.
        drop_path: Share of the paths that is dropped.
    """

    network: Module
    streams: Streams
    criterion: Criterion
    runs: Mapping[str, Tensor]
    drop_path: float = 0.0

    def loss(self, batch: Batch) -> Loss:
        """Return the mean loss on a batch as a function of weights and mixture.

        All calls of one such function draw the same random numbers. The buffers are copies each time, so that
        running statistics do not see the pass.
        """
        images, labels = batch
        noise = self.streams.repeated()

        def evaluated(weights: Tensors, mixture: Tensors) -> Tensor:
            buffers = {name: buffer.clone() for name, buffer in self.network.named_buffers()}
            args, named = arguments(images, mixture, self.runs)
            with noise.again():
                outputs = functional_call(
                    self.network, {**weights, **buffers}, args, {**named, "drop_path": self.drop_path}
                )
            return self.criterion(outputs, labels)

        return evaluated


@torch.no_grad()
def accuracy(
    network: Module,
    examples: Examples,
    facts: DataFacts,
    streams: Streams,
    mixture: Mapping[str, Tensor] | None = None,
) -> float:
    """Return the share of the images that the network gets right, 0 to 1.

    The network is in evaluation mode meanwhile, and its random numbers are drawn without moving their stream.

    Args:
        network: The network.
        examples: The images, on the network's device.
        facts: How to normalise them.
        streams: Whose random numbers the network draws.
        mixture: By group [E, O], for an open network: what is expected of its relaxation.

    Raises:
        RunFailed: The logits of some image are not finite: no class is the largest of them.
    """
    training = network.training
    network.eval()
    try:
        with streams.network(streams.noise):
            counts = [
                _counted(_logits(network, images, mixture), labels)
                for images, labels in evaluation_batches(examples, facts)
            ]
    finally:
        network.train(training)
    right, strange = sum(one for one, _ in counts), sum(one for _, one in counts)
    if strange:
        _refuse(strange, len(examples.labels))
    return right / len(examples.labels)


def _counted(logits: Tensor, labels: Tensor) -> tuple[int, int]:
    """Return how many images are right, and of how many the logits are not finite."""
    return int((logits.argmax(1) == labels).sum()), int((~logits.isfinite()).any(1).sum())


def _refuse(strange: int, count: int) -> None:
    text = f"the network's output is not finite for {strange} of {count} images, so it has no accuracy."
    hint = "Try a lower learning rate of the weights, a lower clip, or another --seed."
    raise RunFailed([Problem(path="", text=text, hint=hint)])


def _logits(network: Module, images: Tensor, mixture: Mapping[str, Tensor] | None) -> Tensor:
    runs = None if mixture is None else {name: value != 0 for name, value in mixture.items()}
    args, named = arguments(images, mixture, runs)
    return logits_of(network(*args, **named))
