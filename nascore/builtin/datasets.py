"""Built-in data sets: 1,797 handwritten digits, and synthetic images of any size."""

from __future__ import annotations

from itertools import combinations
from math import erf, exp, pi, sqrt
from random import Random
from typing import TYPE_CHECKING

import torch

from nascore.api import DataFacts, PluginError
from nascore.nn import Examples

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nascore.api import NoSettings
    from nascore.builtin.components import PlantedDataSettings, SyntheticSettings


TEST_SHARE = 4
PATTERN = 3
BRIGHT = 4
RARELY_CUT = 0.2
"""Noise up to which the clamping of pixels to 0 and 1 is negligible."""
STEPS = 64
MEANS_SPAN = 0.5
"""Width of the range of pixels of class means, in the middle of 0 to 1."""


class Synthetic:
    """Images that are the mean image of their class plus normal noise."""

    def __init__(self, settings: SyntheticSettings) -> None:
        self.settings = settings
        self.facts = _facts(settings, settings.channels, mean=0.5, std=_deviation(settings.noise))

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
        means = (1 - MEANS_SPAN) / 2 + MEANS_SPAN * torch.rand(
            (at.classes, *shape), generator=_generator(at.seed, "means")
        )
        labels = torch.arange(count) % at.classes
        noise = at.noise * torch.randn((count, *shape), generator=_generator(at.seed, part))
        return Examples(images=(means[labels] + noise).clamp(0, 1), labels=labels)


class PlantedPatterns:
    """Images whose class is the pattern of 3x3 pixels that they contain at a random position.

    All patterns have the same number of bright pixels, so neither brightness nor a single pixel reveals the
    class: a network must compare neighbouring pixels at every position, as a convolution does.
    """

    def __init__(self, settings: PlantedDataSettings) -> None:
        self.settings = settings
        self.facts = _facts(settings, 1, **_moments(settings))

    def train(self) -> Examples:
        """Return the training images [N, 1, H, W] in 0 to 1, with their labels."""
        return self._draw("train", self.facts.train)

    def test(self) -> Examples:
        """Return the test images, drawn apart from the training images."""
        return self._draw("test", self.facts.test)

    def patterns(self) -> Tensor:
        """Return the patterns [classes, 3, 3] of 0 and 1, each with four ones."""
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


def _deviation(noise: float) -> float:
    """Return the standard deviation of pixels whose means are spread evenly over MEANS_SPAN."""
    if noise <= RARELY_CUT:
        return sqrt(MEANS_SPAN**2 / 12 + noise**2)  # clamping is negligible
    steps = [0.5 + MEANS_SPAN * ((step + 0.5) / STEPS - 0.5) for step in range(STEPS)]
    return sqrt(sum(_cut(mean, noise)[1] for mean in steps) / STEPS - 0.25)


def _cut(mean: float, noise: float) -> tuple[float, float]:
    """Return the first two moments of normal noise around a mean, clamped to 0 and 1."""
    low, high = -mean / noise, (1 - mean) / noise
    within, above = _share(high) - _share(low), 1 - _share(high)
    first = mean * within + noise * (_density(low) - _density(high))
    square = (mean**2 + noise**2) * within + noise * (mean * _density(low) - (mean + 1) * _density(high))
    return first + above, square + above


def _share(place: float) -> float:
    return (1 + erf(place / sqrt(2))) / 2


def _density(place: float) -> float:
    return exp(-(place**2) / 2) / sqrt(2 * pi)


def _moments(settings: PlantedDataSettings) -> dict[str, float]:
    """Return mean and standard deviation of the pixels: noise around 0 and 1, half of which is clamped.

    Half a normal distribution of deviation s has the mean ``s/sqrt(2 pi)`` and the second moment ``s^2/2``.
    """
    bright, noise = BRIGHT / settings.size**2, settings.noise
    if noise > RARELY_CUT:
        (dark, dark_square), (light, light_square) = _cut(0, noise), _cut(1, noise)
        mean = bright * light + (1 - bright) * dark
        square = bright * light_square + (1 - bright) * dark_square
        return {"mean": mean, "std": sqrt(square - mean**2)}
    first, second = noise / sqrt(2 * pi), noise**2 / 2
    mean = bright * (1 - first) + (1 - bright) * first
    square = bright * (1 - 2 * first + second) + (1 - bright) * second
    return {"mean": mean, "std": sqrt(square - mean**2)}


def _facts(
    settings: SyntheticSettings | PlantedDataSettings, channels: int, *, mean: float, std: float
) -> DataFacts:
    return DataFacts(
        channels=channels,
        height=settings.size,
        width=settings.size,
        classes=settings.classes,
        train=settings.count,
        test=settings.count // TEST_SHARE,
        mean=(mean,) * channels,
        std=(std,) * channels,
    )


def _generator(seed: int, part: str) -> Generator:
    # The hash of a string differs between Python processes; Random seeded with a string does not.
    return torch.Generator().manual_seed(Random(f"{seed}/{part}").getrandbits(63))  # noqa: S311


CLASSES = 10
TEST_PER_CLASS = 36
BRIGHTEST = 16


class Digits:
    """Handwritten digits, from 43 writers (Alpaydin and Kaynak, UCI 1998; the part known as its test set).

    The split is fixed: of each class, 36 images evenly spaced over the file are for testing.
    """

    facts = DataFacts(
        channels=1,
        height=8,
        width=8,
        classes=CLASSES,
        train=1437,
        test=CLASSES * TEST_PER_CLASS,
        mean=(0.3054,),
        std=(0.3761,),
        # Measured: a pad of 4 with flips, right for CIFAR-10, costs 25 points of accuracy; this costs none.
        crop_pad=1,
        flip=False,
        class_names=tuple(map(str, range(CLASSES))),
    )

    def __init__(self, settings: NoSettings) -> None:
        del settings

    def train(self) -> Examples:
        """Return the 1,437 training images [N, 1, 8, 8] in 0 to 1, with their labels."""
        images, labels = _load()
        return _part(images, labels, ~_is_test(labels))

    def test(self) -> Examples:
        """Return the 360 test images [N, 1, 8, 8] in 0 to 1, with their labels."""
        images, labels = _load()
        return _part(images, labels, _is_test(labels))


def _load() -> tuple[Tensor, Tensor]:
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 - a slow import
    except ImportError as error:
        raise PluginError(
            f"the data set digits needs scikit-learn ({error}): pip install scikit-learn, "
            "or choose --dataset synthetic"
        ) from None
    found = load_digits()
    images = torch.as_tensor(found.images, dtype=torch.float32).unsqueeze(1) / BRIGHTEST
    return images, torch.as_tensor(found.target, dtype=torch.int64)


def _is_test(labels: Tensor) -> Tensor:
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(CLASSES):
        places = torch.nonzero(labels == label).flatten()
        chosen[places[torch.arange(TEST_PER_CLASS) * len(places) // TEST_PER_CLASS]] = True
    return chosen


def _part(images: Tensor, labels: Tensor, chosen: Tensor) -> Examples:
    return Examples(images=images[chosen], labels=labels[chosen])
