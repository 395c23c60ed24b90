"""Tricks that mix the images of a batch, and their targets in the same shares.

timm's and torchvision's mixers draw from global generators and pair neighbours; these draw all random numbers
from the generator of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import one_hot

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.api import Training
    from nascore_vision.tricks.settings import CutMixSettings, MixupSettings


class Mixer:
    """The base of tricks that mix pairs of images: draws the share of each batch and its pairs."""

    def __init__(self, settings: MixupSettings | CutMixSettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training."""
        self.classes = training.facts.classes

    def examples(self, images: Tensor, targets: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        """Return mixed images [B, C, H, W], and probabilities [B, classes] mixed in the same shares."""
        share = beta(self.settings.alpha, rng)
        partner = torch.randperm(len(images), generator=rng).to(images.device)
        if float(torch.rand((), generator=rng)) >= self.settings.probability:
            return images, targets
        mixed, share = self.mixed(images, partner, share, rng)
        soft = self._probabilities(targets).to(images.dtype)
        return mixed, share * soft + (1 - share) * soft[partner]

    def mixed(self, images: Tensor, partner: Tensor, share: float, rng: Generator) -> tuple[Tensor, float]:
        """Return the images mixed with those of their partners [B], and the share that stays."""
        raise NotImplementedError

    def _probabilities(self, targets: Tensor) -> Tensor:
        return targets if targets.is_floating_point() else one_hot(targets, self.classes)


class Mixup(Mixer):
    """Replaces images by weighted means of two (Zhang et al. 2017, arXiv 1710.09412)."""

    def mixed(self, images: Tensor, partner: Tensor, share: float, rng: Generator) -> tuple[Tensor, float]:
        """Return ``share * images + (1 - share) * images[partner]``."""
        del rng
        return share * images + (1 - share) * images[partner], share


class CutMix(Mixer):
    """Pastes a rectangle of another image into each image (Yun et al. 2019, arXiv 1905.04899)."""

    def mixed(self, images: Tensor, partner: Tensor, share: float, rng: Generator) -> tuple[Tensor, float]:
        """Return images with a rectangle of their partners; the share is that of the pixels that stay."""
        height, width = images.shape[2:]
        (top, bottom), (left, right) = (_span(size, (1 - share) ** 0.5, rng) for size in (height, width))
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
        return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def beta(alpha: float, rng: Generator) -> float:
    """Return a number drawn from the distribution Beta(alpha, alpha)."""
    seed = int(torch.randint(2**62, (), generator=rng))
    return float(np.random.default_rng(seed).beta(alpha, alpha))


def _span(size: int, share: float, rng: Generator) -> tuple[int, int]:
    """Return first and one past last pixel of a span around any pixel, cut off at the border."""
    length, centre = int(size * share), int(torch.randint(size, (), generator=rng))
    return max(0, centre - length // 2), min(size, centre - length // 2 + length)
