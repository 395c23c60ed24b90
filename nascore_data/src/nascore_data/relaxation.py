"""Ensemble Gumbel-softmax (Chang et al., NeurIPS 2019; earlier arXiv 1905.01786)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from attrs import frozen

from nascore.api import Sampled
from nascore.nn import log_normalise, segment_argmax, segment_softmax, segment_sum
from nascore_data.codes import most_probable

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.api import ChoiceGroup, Pick
    from nascore_data.settings import EgsSettings


@frozen
class Egs:
    """Draws a code: the union of M one-hot draws from the softmax of theta over each segment.

    Each draw is straight-through: its numbers are 0 and 1, its gradient that of a softmax at temperature tau.
    The union is the largest of the M draws, entry by entry, so that one draw of each entry gets the gradient,
    also where no draw touched it. All operations are run in an architecture pass therefore.

    Attributes:
        settings: Number of draws, temperature and the rest.
        progress: How much of the search is over, 0 to 1: decides on the temperature.
    """

    settings: EgsSettings
    progress: float = 0.0

    @property
    def segment(self) -> str | None:
        """What competes."""
        return self.settings.segment

    @property
    def tau(self) -> float:
        """The temperature now."""
        first, last = self.settings.tau, self.settings.tau_last
        return first if last is None else first + (last - first) * self.progress

    def annealed(self, progress: float) -> Egs:
        """Return the relaxation as it is when this share of the search is over."""
        return Egs(self.settings, progress)

    def initial(self, group: ChoiceGroup, generator: Generator) -> Tensor:
        """Return the start value [E, O]: zeros and a little noise."""
        shape = (len(group.rows), len(group.ops))
        return self.settings.noise * torch.randn(shape, generator=generator, device=generator.device)

    def mixture(self, theta: Tensor, segments: Tensor, *, generator: Generator) -> Sampled:
        """Return the drawn code, averaged or summed as the settings say, with its graph to theta.

        Args:
            theta: Logits [E, O].
            segments: Who competes, [E, O]; -1 where nothing is alive.
            generator: Draws M * E * O numbers on its own device, however many entries are alive.
        """
        draws = self.settings.draws
        apart = int(segments.max()) + 1
        # Each draw competes by itself: the segments of draw m follow those of draw m - 1.
        offsets = apart * torch.arange(draws, device=segments.device).reshape(-1, 1, 1)
        several = torch.where(segments >= 0, segments + offsets, -1)
        # Minus the logarithm of exponential numbers, which are never 0, is Gumbel noise.
        waits = torch.empty((draws, *theta.shape), device=generator.device).exponential_(generator=generator)
        logits = (log_normalise(theta, segments) - waits.log().to(theta)) / self.tau
        soft = segment_softmax(logits, several)
        # The difference is zero to the bit, so that the numbers are exactly 0 and 1. Of equal draws the
        # largest is the first.
        code = (segment_argmax(logits, several) + (soft - soft.detach())).max(dim=0).values
        if self.settings.normalize == "mean":
            code = code / segment_sum(code, segments).where(segments >= 0, 1)
        return Sampled(weights=code)

    def expected(self, theta: Tensor, segments: Tensor) -> Tensor:
        """Return p [E, O], the distribution that each draw is of; it sums to 1 for sums of codes too."""
        return segment_softmax(theta, segments)

    def picks(self, theta: Tensor, segments: Tensor) -> list[Pick]:
        """Return the (row, column) pairs of each segment's most probable code, its strongest first."""
        shares = self.expected(theta.detach(), segments).tolist()
        entries: dict[int, list[Pick]] = {}
        for row, owners in enumerate(segments.tolist()):
            for column, owner in enumerate(owners):
                if owner >= 0:
                    entries.setdefault(owner, []).append((row, column))
        return [
            places[place]
            for _, places in sorted(entries.items())
            for place in most_probable([shares[row][column] for row, column in places], self.settings.draws)
        ]
