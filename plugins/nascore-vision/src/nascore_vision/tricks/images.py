"""Tricks that change training images one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torchvision.transforms import v2

from nascore.api import Problem, RecipeError

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.api import Training
    from nascore_vision.tricks.settings import (
        AutoAugmentSettings,
        CutoutSettings,
        ErasingSettings,
        RandAugmentSettings,
    )

COLOURS = (1, 3)
"""The numbers of channels that torchvision's operations on colours work with."""

WHITE = 255


class Cutout:
    """Sets a square of each normalised image to 0 (DeVries and Taylor 2017, arXiv 1708.04552).

    Its centre is any pixel, so that a part of the square may lie outside, as in the code of DARTS.
    """

    def __init__(self, settings: CutoutSettings) -> None:
        self.settings = settings

    def examples(self, images: Tensor, targets: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        """Return images [B, C, H, W], each with a square of zeros, and the same targets."""
        count, _, height, width = images.shape
        half, whole = self.settings.length // 2, self.settings.length
        centres = [torch.randint(size, (count, 1), generator=rng) for size in (height, width)]
        inside = [
            (torch.arange(size) >= centre - half) & (torch.arange(size) < centre - half + whole)
            for size, centre in zip((height, width), centres, strict=True)
        ]
        square = inside[0][:, None, :, None] & inside[1][:, None, None, :]
        return images.masked_fill(square.to(images.device), 0), targets


class RandomErasing:
    """Erases a rectangle of each normalised image (Zhong et al. 2017, arXiv 1708.04896), by torchvision."""

    def __init__(self, settings: ErasingSettings) -> None:
        self.erase = v2.RandomErasing(
            p=settings.probability,
            scale=(settings.smallest, settings.largest),
            value=0.0 if settings.fill == "mean" else "random",
        )

    def examples(self, images: Tensor, targets: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        """Return images [B, C, H, W], and the same targets; the engine redirects torchvision to `rng`."""
        del rng
        return torch.stack([self.erase(image) for image in images]), targets


class TorchvisionAugment:
    """The base of tricks that apply a transform of torchvision to each image, as bytes."""

    def __init__(self, transform: Any) -> None:  # noqa: ANN401 - torchvision has no types
        self.change = transform

    def start(self, training: Training) -> None:
        """Refuse images that the operations on colours do not work with.

        Raises:
            RecipeError: The images have other than 1 or 3 channels.
        """
        channels = training.facts.channels
        if channels not in COLOURS:
            text = f"it needs images of 1 or 3 channels; these have {channels}."
            raise RecipeError([Problem(path="trick", text=text, slots=("trick", "dataset"))])

    def transform(self, image: Tensor, rng: Generator) -> Tensor:
        """Return an image [C, H, W] of the same type, changed; the engine redirects torchvision to `rng`."""
        del rng
        if image.dtype == torch.uint8:
            changed: Tensor = self.change(image)
            return changed
        bytes_of = (image * WHITE).round().clamp(0, WHITE).to(torch.uint8)
        bright: Tensor = self.change(bytes_of).to(image.dtype) / WHITE
        return bright


class AutoAugment(TorchvisionAugment):
    """Applies a learned policy to each image (Cubuk et al. 2018, arXiv 1805.09501)."""

    def __init__(self, settings: AutoAugmentSettings) -> None:
        super().__init__(v2.AutoAugment(v2.AutoAugmentPolicy(settings.policy)))


class RandAugment(TorchvisionAugment):
    """Applies operations at random to each image (Cubuk et al. 2019, arXiv 1909.13719)."""

    def __init__(self, settings: RandAugmentSettings) -> None:
        super().__init__(v2.RandAugment(settings.operations, settings.magnitude))


class TrivialAugment(TorchvisionAugment):
    """Applies one operation of random strength to each image (Müller and Hutter 2021, arXiv 2103.10158)."""

    def __init__(self, settings: object) -> None:
        del settings
        super().__init__(v2.TrivialAugmentWide())
