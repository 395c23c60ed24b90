"""Normalises and augments images, a whole batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch.nn.functional import pad

from nascore.nn.transfers import sent

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.contract import DataFacts


WHITE: Final = 255
"""The largest value of uint8, which is the value 1 of floats."""


class Normalisation:
    """Normalises images with the mean and the deviation of the training images, which are sent once.

    Args:
        facts: The facts of the data set.
    """

    def __init__(self, facts: DataFacts) -> None:
        self._moments = (facts.mean, facts.std)
        self._sent: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Return images [B, C, H, W], floats from 0 to 1 or uint8, with mean 0 and deviation 1 by channel."""
        images = as_floats(images)
        place = (images.device, images.dtype)
        if place not in self._sent:
            # As `nascore.nn.preprocessing.normalised`, which would wait for the device.
            self._sent[place] = [
                sent(torch.tensor(one, dtype=images.dtype, device="cpu"), images.device).view(1, -1, 1, 1)
                for one in self._moments
            ]
        mean, std = self._sent[place]
        return (images - mean) / std


def normalise(images: Tensor, facts: DataFacts) -> Tensor:
    """Return images [B, C, H, W] as :class:`Normalisation` does."""
    return Normalisation(facts)(images)


def as_floats(images: Tensor) -> Tensor:
    """Return images as floats from 0 to 1; uint8 is divided by 255, floats are returned unchanged."""
    return images.to(torch.float32) / WHITE if images.dtype == torch.uint8 else images


def crop(images: Tensor, margin: int, generator: Generator) -> Tensor:
    """Return images [B, C, H, W], each shifted at random by up to `margin` pixels and padded with zeros."""
    count, _, height, width = images.shape
    offsets = sent(torch.randint(2 * margin + 1, (2, count), generator=generator), images.device)
    padded = pad(images, (margin,) * 4)
    rows = (offsets[0][:, None] + torch.arange(height, device=images.device))[:, None, :, None]
    columns = (offsets[1][:, None] + torch.arange(width, device=images.device))[:, None, None, :]
    image = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
    return padded[image, channel, rows, columns]


def flip(images: Tensor, generator: Generator) -> Tensor:
    """Return images [B, C, H, W], each mirrored left to right with probability 1/2."""
    mirrored = sent(torch.randint(2, (len(images),), generator=generator).bool(), images.device)
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def augment(images: Tensor, facts: DataFacts, generator: Generator) -> Tensor:
    """Return images [B, C, H, W] cropped and flipped at random, as the facts of the data set declare."""
    if facts.crop_pad:
        images = crop(images, facts.crop_pad, generator)
    return flip(images, generator) if facts.flip else images
