"""Data sets that are computed: any size, no download, learnable."""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import TYPE_CHECKING

import torch

from nascore.api import DataFacts
from nascore.nn import Examples

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.builtin.settings import PlantedDataSettings, SyntheticSettings

TEST_SHARE = 4
PATTERN = 3
BRIGHT = 4


class Synthetic:
    """Each class has a mean image; an image is its class's mean plus noise."""

    def __init__(self, settings: SyntheticSettings) -> None:
        self.settings = settings
        self.facts = _facts(settings, settings.channels)

    def train(self) -> Examples:
        """Return the training images [N, C, H, W] in 0 to 1, with their labels."""
        return self._draw("train", self.facts.train)

    def test(self) -> Examples:
        """Return the test images, drawn apart from the training images."""
        return self._draw("test", self.facts.test)

    def _draw(self, part: str, count: int) -> Examples:
        at, facts = self.settings, self.facts
        shape = (facts.channels, facts.height, facts.width)
        # The means lie well inside 0 to 1, so that noise is rarely cut off.
        means = 0.25 + 0.5 * torch.rand((at.classes, *shape), generator=_generator(at.seed, "means"))
        labels = torch.arange(count) % at.classes
        noise = at.noise * torch.randn((count, *shape), generator=_generator(at.seed, part))
        return Examples(images=(means[labels] + noise).clamp(0, 1), labels=labels)


class PlantedPatterns:
    """The class is which pattern of 3x3 pixels is in the image; where it is means nothing.

    All patterns have equally many bright pixels, so neither brightness nor any single pixel tells the class:
    a network has to look at neighbouring pixels everywhere, which is what a convolution does.
    """

    def __init__(self, settings: PlantedDataSettings) -> None:
        self.settings = settings
        self.facts = _facts(settings, 1)

    def train(self) -> Examples:
        """Return the training images [N, 1, H, W] in 0 to 1, with their labels."""
        return self._draw("train", self.facts.train)

    def test(self) -> Examples:
        """Return the test images, drawn apart from the training images."""
        return self._draw("test", self.facts.test)

    def patterns(self) -> Tensor:
        """Return the patterns [classes, 3, 3], of four bright pixels each."""
        every = list(combinations(range(PATTERN * PATTERN), BRIGHT))
        chosen = Random(f"{self.settings.seed}/patterns").sample(every, self.settings.classes)  # noqa: S311
        patterns = torch.zeros(self.settings.classes, PATTERN * PATTERN)
        for pattern, bright in zip(patterns, chosen, strict=True):
            pattern[list(bright)] = 1
        return patterns.view(-1, PATTERN, PATTERN)

    def _draw(self, part: str, count: int) -> Examples:
        at, size = self.settings, self.settings.size
        generator = _generator(at.seed, part)
        labels = torch.arange(count) % at.classes
        images = at.noise * torch.randn((count, 1, size, size), generator=generator)
        places = torch.randint(size - PATTERN + 1, (count, 2), generator=generator)
        patterns = self.patterns()
        for image, label, (top, left) in zip(images, labels, places.tolist(), strict=True):
            image[0, top : top + PATTERN, left : left + PATTERN] += patterns[label]
        return Examples(images=images.clamp(0, 1), labels=labels)


def _facts(settings: SyntheticSettings | PlantedDataSettings, channels: int) -> DataFacts:
    return DataFacts(
        channels=channels,
        height=settings.size,
        width=settings.size,
        classes=settings.classes,
        train=settings.count,
        test=settings.count // TEST_SHARE,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )


def _generator(seed: int, part: str) -> Generator:
    # Hashing of text differs between processes of Python; Random seeded by text does not.
    return torch.Generator().manual_seed(Random(f"{seed}/{part}").getrandbits(63))  # noqa: S311
