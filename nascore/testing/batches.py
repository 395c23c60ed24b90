"""Whether a closed network classifies an image alike, whatever else is in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from nascore.description import expand
from nascore.nn import compile as compiled
from nascore.nn.compiler import build
from nascore.testing.choices import generator
from nascore.testing.random_state import seeded

if TYPE_CHECKING:
    from nascore.contract import DataFacts
    from nascore.description import Catalogue, Description, Op, Wire

CLOSE: Final = 1e-5
"""Largest difference of logits that counts as none, as a share of the largest logit, or of 1."""
IMAGES: Final = 4
OPEN_GATE: Final = 0.5


def batch_difference(description: Description, catalogue: Catalogue, kind: DataFacts) -> float:
    """Return how much the logits of one image at a time differ from those of a batch of them.

    The network is in evaluation mode, after a pass in training mode in which its norms saw other images. Its
    gates are open.

    Args:
        description: A closed description.
        catalogue: The operations that it may name.
        kind: The kind of the images.

    Returns:
        The largest difference, as a share of the largest logit, or of 1 where all logits are smaller.
    """
    shape = (2 * IMAGES, kind.channels, kind.height, kind.width)
    seen, images = torch.rand(shape, generator=generator(0)).chunk(2)
    with seeded(), torch.no_grad():
        network = compiled(description, catalogue)
        for gate in network.gates.values():
            gate.fill_(OPEN_GATE)
        network.train()(seen)
        network.eval()
        together = network(images)
        alone = torch.cat([network(image[None]) for image in images])
    return float((alone - together).abs().max() / together.abs().max().clamp_min(1))


def random_operations(description: Description, catalogue: Catalogue) -> set[Op]:
    """Return the candidates of an open description that draw random numbers in evaluation mode."""
    wires = [wire for state in expand(description, catalogue).states for wire in state.wires if wire.group]
    first = {op: wire for wire in reversed(wires) for op in wire.ops}
    return {op for op, wire in first.items() if _is_random(op, wire, description, catalogue)}


def _is_random(op: Op, wire: Wire, description: Description, catalogue: Catalogue) -> bool:
    x = torch.rand(1, wire.c_in, IMAGES, IMAGES, generator=generator(0))
    with seeded(), torch.no_grad():
        module = build(op, wire, description, catalogue).eval()
        return not torch.equal(module(x), module(x))
