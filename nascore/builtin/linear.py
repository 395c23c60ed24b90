"""The linear relaxation: theta itself weighs the candidates (Petridish, arXiv 1905.13360)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.api import Sampled

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.api import ChoiceGroup
    from nascore.builtin.settings import LinearSettings


class Linear:
    """Takes theta [E, O] for the weights, free and signed; what is not alive weighs nothing."""

    def __init__(self, settings: LinearSettings) -> None:
        self.segment = settings.segment

    def initial(self, group: ChoiceGroup, generator: Generator) -> Tensor:
        """Return the start value [E, O]: the even mixture, one over the number of competitors."""
        del generator
        return even(torch.tensor(group.segments)).to(torch.get_default_dtype())

    def mixture(self, theta: Tensor, segments: Tensor, *, generator: Generator) -> Sampled:
        """Return the weights with their graph to theta; nothing is drawn."""
        del generator
        return Sampled(weights=self.expected(theta, segments))

    def expected(self, theta: Tensor, segments: Tensor) -> Tensor:
        """Return the weights [E, O]; they are their own expectation."""
        return torch.where(segments >= 0, theta, torch.zeros_like(theta))


def even(segments: Tensor) -> Tensor:
    """Return the even mixture: one over the number of entries of each segment, float64; 0 where it is -1."""
    sizes = torch.bincount(segments[segments >= 0], minlength=1)
    shares = 1 / sizes[segments.clamp_min(0)].double()
    return shares.where(segments >= 0, 0.0)
