"""Images in memory, which a process loads once, and the facts that are measured on them."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import frozen

from nascore.api import DataFacts
from nascore.nn import Examples, image_moments

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from nascore_vision.settings import AugmentationSettings

PAD_SHARE: Final = 8
"""Pixels of a side for one pixel of padding: 4 for the 32 of CIFAR-10, where 4 is usual."""

LEAST_STD: Final = 1 / 255
"""The deviation of images of one colour, by which they can still be divided."""

HELD: Final = 2
"""Number of data sets that a process holds in memory to use them again."""


@frozen(kw_only=True, eq=False)
class Loaded:
    """Images in memory.

    Attributes:
        train: The training images, uint8 or float32, with their labels.
        test: The test images.
        classes: The names of the classes; empty if they have none.
        number: The number of classes.
        sizes: Number of files by width and height, before resizing; empty if they are not in files.
        skipped: The files that were left out, each with the reason.
    """

    train: Examples
    test: Examples
    number: int
    classes: tuple[str, ...] = ()
    sizes: dict[tuple[int, int], int]
    skipped: tuple[str, ...] = ()


_HELD: OrderedDict[Hashable, Loaded] = OrderedDict()


def held(key: Hashable, load: Callable[[], Loaded]) -> Loaded:
    """Return the images of a key, loaded unless this process holds them.

    A process builds the data set of a recipe several times: for its checks, its run and its evaluation.
    """
    if key not in _HELD:
        _HELD[key] = load()
    _HELD.move_to_end(key)
    while len(_HELD) > HELD:
        _HELD.popitem(last=False)
    return _HELD[key]


class InMemory:
    """A data set whose images are in memory. They are read when the facts are asked for.

    Args:
        load: Returns the images; raises a RecipeError with all problems of the files.
        settings: The settings of the augmentation.
        flip: Whether mirrored images are images of the same class, if the settings do not say it.
        pad: Pixels of padding, if the settings do not say it; None: an eighth of a side.
    """

    def __init__(
        self,
        load: Callable[[], Loaded],
        settings: AugmentationSettings,
        *,
        flip: bool = False,
        pad: int | None = None,
    ) -> None:
        self._load = load
        self._augmentation = settings
        self._flip = flip
        self._pad = pad

    @cached_property
    def _loaded(self) -> Loaded:
        return self._load()

    @cached_property
    def facts(self) -> DataFacts:
        """The facts, measured on the training images."""
        loaded, settings = self._loaded, self._augmentation
        images = loaded.train.images
        _, channels, height, width = images.shape
        mean, std = image_moments(images)
        default = min(height, width) // PAD_SHARE if self._pad is None else self._pad
        return DataFacts(
            channels=channels,
            height=height,
            width=width,
            classes=loaded.number,
            train=len(loaded.train.labels),
            test=len(loaded.test.labels),
            mean=tuple(mean.tolist()),
            std=tuple(max(each, LEAST_STD) for each in std.tolist()),
            crop_pad=default if settings.crop_pad is None else settings.crop_pad,
            flip=self._flip if settings.flip is None else settings.flip,
            class_names=loaded.classes,
            dtype="uint8" if images.dtype == torch.uint8 else "float32",
        )

    def train(self) -> Examples:
        """Return the training images [N, C, H, W] with their labels."""
        return self._loaded.train

    def test(self) -> Examples:
        """Return the test images [N, C, H, W] with their labels."""
        return self._loaded.test


class InFiles(InMemory):
    """A data set in memory whose images come from files."""

    def files(self) -> dict[str, Any]:
        """Return the sizes of the image files, and the files that were left out."""
        sizes = [
            {"width": width, "height": height, "images": images}
            for (width, height), images in self._loaded.sizes.items()
        ]
        return {"sizes": sizes, "skipped": list(self._loaded.skipped)}
