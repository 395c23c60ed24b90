"""Measures accuracy and entropy without changing the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.engine.data import chunks
from nascore.engine.forward import arguments, logits_of
from nascore.errors import Problem, RunFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import DataFacts
    from nascore.engine.phase import Search
    from nascore.engine.streams import Streams
    from nascore.nn import Examples


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
                for images, labels in chunks(examples, facts)
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


def entropy(search: Search) -> dict[str, float]:
    """Return by group the mean entropy of the expected mixture over its segments, in nats.

    It tells how far the search has chosen: it begins at the logarithm of the number of candidates and falls.
    """
    expected = search.expected()
    return {name: _entropy(weights, search.state.segments(name)) for name, weights in expected.items()}


def _entropy(weights: Tensor, segments: Tensor) -> float:
    alive = segments >= 0
    share, owner = weights.abs()[alive], segments[alive].long()
    if not len(share):
        return 0.0
    sums = share.new_zeros(int(owner.max()) + 1).index_add_(0, owner, share)
    share = share / sums[owner].clamp_min(torch.finfo(share.dtype).tiny)
    return float(-torch.special.xlogy(share, share).sum()) / len(set(owner.tolist()))
