"""Images in memory, which a process loads once, and the facts that are measured on them."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from attrs import frozen

from nascore.api import DataFacts
from nascore.nn import Examples, image_moments, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from torch import Tensor

    from nascore_vision.settings import AugmentationSettings
    from nascore_vision.streaming import StreamedFiles

PAD_SHARE: Final = 8
"""Pixels of a side for one pixel of padding: 4 for the 32 of CIFAR-10, where 4 is usual."""

LEAST_STD: Final = 1 / 255
"""The deviation of images of one colour, by which they can still be divided."""

HELD: Final = 2
"""Number of data sets that a process holds in memory to use them again."""


@frozen(kw_only=True, eq=False)
class Loaded:
    """Images in memory, or streamed from their files.

    Attributes:
        train: The training images, uint8 or float32, with their labels.
        test: The test images.
        moments: Mean and deviation of each channel of streamed images; None: they are measured in memory.
        classes: The names of the classes; empty if they have none.
        number: The number of classes.
        sizes: Number of files by width and height, before resizing; empty if they are not in files.
        skipped: The files that were left out, each with the reason.
        target_names: The names of the numbers of each image; empty if images have classes.
    """

    train: Examples | StreamedFiles
    test: Examples | StreamedFiles
    number: int
    classes: tuple[str, ...] = ()
    sizes: dict[tuple[int, int], int]
    skipped: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    moments: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def shape(self) -> tuple[int, int, int]:
        """Return channels, height and width of an image."""
        if isinstance(self.train, Examples):
            channels, height, width = self.train.images.shape[1:]
            return channels, height, width
        assert self.train.files.shape is not None
        return self.train.files.channels, *self.train.files.shape

    def dtype(self) -> Literal["float32", "uint8"]:
        """Return the type of the images; files are read as bytes."""
        whole = isinstance(self.train, Examples) and self.train.images.dtype != torch.uint8
        return "float32" if whole else "uint8"

    def measured(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and deviation of each channel of the training images."""
        if not isinstance(self.train, Examples):
            assert self.moments is not None
            return self.moments
        mean, std = image_moments(self.train.images)
        return tuple(mean.tolist()), tuple(std.tolist())


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
        channels, height, width = loaded.shape()
        mean, std = loaded.measured()
        default = min(height, width) // PAD_SHARE if self._pad is None else self._pad
        return DataFacts(
            channels=channels,
            height=height,
            width=width,
            classes=loaded.number,
            train=len(labels_of(loaded.train)),
            test=len(labels_of(loaded.test)),
            mean=mean,
            std=tuple(max(each, LEAST_STD) for each in std),
            crop_pad=default if settings.crop_pad is None else settings.crop_pad,
            flip=self._flip if settings.flip is None else settings.flip,
            class_names=loaded.classes,
            **target_facts(loaded.target_names, labels_of(loaded.train)),
            dtype=loaded.dtype(),
            streamed=not isinstance(loaded.train, Examples),
        )

    def train(self) -> Examples | StreamedFiles:
        """Return the training images [N, C, H, W] with their labels, or a data set of their files."""
        return self._loaded.train

    def test(self) -> Examples | StreamedFiles:
        """Return the test images in the same form."""
        return self._loaded.test


def target_facts(names: tuple[str, ...], targets: Tensor) -> dict[str, Any]:
    """Return the facts of numbers [N, K]: their names, means and deviations; none without names."""
    if not names:
        return {}
    std, mean = (each.tolist() for each in torch.std_mean(targets.double(), 0, correction=0))
    # Numbers that are all equal have no scale; a task that needs one refuses them.
    return {
        "target_names": names,
        "target_mean": tuple(mean),
        "target_std": tuple(each or 1.0 for each in std),
    }


class InFiles(InMemory):
    """A data set whose images come from files; it may be streamed."""

    def files(self) -> dict[str, Any]:
        """Return the sizes of the image files, and the files that were left out."""
        sizes = [
            {"width": width, "height": height, "images": images}
            for (width, height), images in self._loaded.sizes.items()
        ]
        return {"sizes": sizes, "skipped": list(self._loaded.skipped)}
