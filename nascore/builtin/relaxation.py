"""The softmax relaxation, in log space, shared by DARTS, XNAS and Geometric NAS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.api import Sampled
from nascore.nn import segment_softmax

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.api import ChoiceGroup
    from nascore.builtin.settings import SoftmaxSettings


class Softmax:
    """Turns theta [E, O] into weights [E, O] that sum to one over each live segment."""

    def __init__(self, settings: SoftmaxSettings) -> None:
        self.segment = settings.segment
        self.noise = settings.noise

    def initial(self, group: ChoiceGroup, generator: Generator) -> Tensor:
        """Return the start value [E, O]: zeros, the uniform mixture, plus noise if that is set."""
        shape = (len(group.rows), len(group.ops))
        if self.noise == 0:
            return torch.zeros(shape)
        return self.noise * torch.randn(shape, generator=generator)

    def mixture(self, theta: Tensor, segments: Tensor, *, generator: Generator) -> Sampled:
        """Return the weights with their graph to theta; nothing is drawn."""
        del generator
        return Sampled(weights=segment_softmax(theta, segments))

    def expected(self, theta: Tensor, segments: Tensor) -> Tensor:
        """Return the weights [E, O]; they are their own expectation."""
        return segment_softmax(theta, segments)
