"""Built-in relaxations: softmax, linear (Petridish, arXiv 1905.13360) and one-hot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.api import Sampled
from nascore.nn import segment_argmax, segment_softmax

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.api import ChoiceGroup
    from nascore.builtin.components import LinearSettings, OneHotSettings, SoftmaxSettings


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

    def mixture(
        self, theta: Tensor, segments: Tensor, group: ChoiceGroup, *, generator: Generator
    ) -> Sampled:
        """Return the weights with their graph to theta; nothing is drawn."""
        del group, generator
        return Sampled(weights=segment_softmax(theta, segments))

    def expected(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> Tensor:
        """Return the weights [E, O]; they are their own expectation."""
        del group
        return segment_softmax(theta, segments)


class Linear:
    """Uses theta [E, O] as the weights, unconstrained and signed; dead entries have weight 0."""

    def __init__(self, settings: LinearSettings) -> None:
        self.segment = settings.segment

    def initial(self, group: ChoiceGroup, generator: Generator) -> Tensor:
        """Return the start value [E, O]: the even mixture, one over the number of competitors."""
        del generator
        return even(torch.tensor(group.segments)).to(torch.get_default_dtype())

    def mixture(
        self, theta: Tensor, segments: Tensor, group: ChoiceGroup, *, generator: Generator
    ) -> Sampled:
        """Return the weights with their graph to theta; nothing is drawn."""
        del generator
        return Sampled(weights=self.expected(theta, segments, group))

    def expected(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> Tensor:
        """Return the weights [E, O]; they are their own expectation."""
        del group
        return torch.where(segments >= 0, theta, torch.zeros_like(theta))


def even(segments: Tensor) -> Tensor:
    """Return the even mixture: one over the number of entries of each segment, float64; 0 where it is -1."""
    sizes = torch.bincount(segments[segments >= 0], minlength=1)
    shares = 1 / sizes[segments.clamp_min(0)].double()
    return shares.where(segments >= 0, 0.0)


class OneHot:
    """Draws one entry of each live segment from the softmax of theta.

    The forward numbers are 0 and 1. The gradient is that of the softmax (the straight-through estimate,
    Bengio et al., arXiv 1308.3432), so that it reaches entries that were not drawn: an architecture pass
    therefore runs all of them, and a weights pass only what was drawn.
    """

    def __init__(self, settings: OneHotSettings) -> None:
        self.segment = settings.segment

    def initial(self, group: ChoiceGroup, generator: Generator) -> Tensor:
        """Return the start value [E, O]: zeros, with which every candidate is drawn equally often."""
        del generator
        return torch.zeros(len(group.rows), len(group.ops))

    def mixture(
        self, theta: Tensor, segments: Tensor, group: ChoiceGroup, *, generator: Generator
    ) -> Sampled:
        """Return the drawn entries as ones, with the gradient of the softmax.

        Args:
            theta: Logits [E, O].
            segments: The segment of each entry, [E, O]; -1 where masked or dead.
            group: Not used.
            generator: Draws E * O numbers on its own device, however many entries are alive.
        """
        del group
        share = segment_softmax(theta, segments)
        noise = torch.empty(theta.shape, device=generator.device).exponential_(generator=generator)
        # Logits minus the logarithms of exponential numbers: the Gumbel-max trick.
        drawn = segment_argmax(theta.detach() - noise.to(theta).log(), segments)
        # The difference is zero to the bit; the sum of its parts in another order would not be.
        return Sampled(weights=drawn + (share - share.detach()))

    def expected(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> Tensor:
        """Return the probabilities [E, O] with which entries are drawn."""
        del group
        return segment_softmax(theta, segments)
