"""Networks of a description: what they give, and one step of their training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from nascore.nn import compile as compiled
from nascore.testing.choices import generator
from nascore.testing.random_state import seeded

if TYPE_CHECKING:
    from torch import Tensor

    from nascore.contract import DataFacts
    from nascore.description import Catalogue, Description
    from nascore.nn import Network

IMAGES = 2
RATE = 0.05


def forwarded(description: Description, catalogue: Catalogue, kind: DataFacts) -> Tensor:
    """Return what the network gives for a few images of random numbers, in training.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        kind: What the images are like.
    """
    with seeded(), torch.no_grad():
        network = compiled(description, catalogue, execution="fused").train()
        images = torch.rand(IMAGES, kind.channels, kind.height, kind.width)
        return _logits(network, images, _even(network) if description.is_open else None)


def one_step(
    description: Description, catalogue: Catalogue, kind: DataFacts
) -> tuple[float, float, dict[str, Tensor]]:
    """Make one step of gradient descent on the weights of a supernet with an even mixture.

    Returns:
        The loss before and after it, and by group the gradient of the mixture [E, O].
    """
    with seeded():
        network = compiled(description, catalogue, execution="fused").train()
    images = torch.rand(IMAGES, kind.channels, kind.height, kind.width, generator=generator(0))
    labels = torch.arange(IMAGES) % kind.classes
    mixture = {name: weights.requires_grad_() for name, weights in _even(network).items()}
    weights = list(network.parameters())

    def loss() -> Tensor:
        # What the network draws itself is no difference between the two losses.
        with seeded():
            return functional.cross_entropy(_logits(network, images, mixture), labels)

    before = loss()
    found = torch.autograd.grad(before, [*weights, *mixture.values()], allow_unused=True)
    with torch.no_grad():
        for weight, slope in zip(weights, found, strict=False):
            if slope is not None:
                weight.sub_(RATE * slope)
        after = loss()
    slopes = (
        torch.zeros_like(leaf) if slope is None else slope
        for leaf, slope in zip(mixture.values(), found[len(weights) :], strict=True)
    )
    return float(before.detach()), float(after), dict(zip(mixture, slopes, strict=True))


def _even(network: Network) -> dict[str, Tensor]:
    return {
        name: torch.full((shape.rows, shape.columns), 1 / shape.columns)
        for name, shape in network.groups.items()
    }


def _logits(network: Network, images: Tensor, mixture: dict[str, Tensor] | None) -> Tensor:
    given = network(images, mixture)
    logits: Tensor = given if isinstance(given, torch.Tensor) else given[0]
    return logits
