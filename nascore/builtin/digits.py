"""The data set ``digits``: 1,797 real handwritten digits of 8x8 pixels that come with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.api import DataFacts, PluginError
from nascore.nn import Examples

if TYPE_CHECKING:
    from torch import Tensor

    from nascore.api import NoSettings

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
