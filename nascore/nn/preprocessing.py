"""Turns images into network inputs; the same source is used in the `model.py` of a run."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Images: TypeAlias = Any
"""One image or a batch: a tensor, an array, an image of PIL, or a list of them."""


@frozen(kw_only=True)
class Preprocessing:
    """What is done to an image before a network reads it, and what its outputs stand for.

    Attributes:
        shape: Channels, height and width of an image, in pixels.
        mean: Mean of each channel over the training images, in the scale 0 to 1.
        std: Standard deviation of each channel, in the same scale.
        classes: Names of the classes, in the order of the outputs; None where the data set names none.
    """

    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...] | None = None

    def __call__(self, images: Images) -> Tensor:
        """Return images [N, C, H, W], normalised; takes what :func:`batch_of` takes."""
        return normalised(batch_of(images, self.shape), self.mean, self.std)

    def plain(self) -> dict[str, Any]:
        """Return it as the contents of `preprocess.json`."""
        channels, height, width = self.shape
        return {
            "channels": channels,
            "height": height,
            "width": width,
            "value_range": [0, 1],
            "mean": list(self.mean),
            "std": list(self.std),
            "classes": None if self.classes is None else list(self.classes),
        }

    def source(self) -> str:
        """Return Python source that needs torch alone: the function `preprocess` and the name `classes`."""
        constants = f"SHAPE = {self.shape!r}\nMEAN = {self.mean!r}\nSTD = {self.std!r}\n"
        named = f"classes = {self.classes!r}\n" + ("" if self.classes else '"""The data set names none."""\n')
        own = (_preprocess, batch_of, tensor_of, scaled, normalised)
        functions = (inspect.getsource(one).rstrip() for one in own)
        text = "\n\n\n".join([f"{constants}{named}".rstrip(), *functions])
        return text.replace("def _preprocess(", "def preprocess(")


SHAPE: tuple[int, ...] = ()
MEAN: tuple[float, ...] = ()
STD: tuple[float, ...] = ()
"""Of the `model.py` in which the next function stands."""


def _preprocess(images: Images) -> Tensor:
    """Return images [N, C, H, W] of float32, normalised as in training: what the model reads.

    Takes one image or a batch: tensors, NumPy arrays, images of PIL, or a list of them. Values are uint8 from
    0 to 255 or floats from 0 to 1; channels stand first or last. Sizes are not changed.
    """
    return normalised(batch_of(images, SHAPE), MEAN, STD)


def batch_of(images: Images, shape: Sequence[int]) -> Tensor:
    """Return images as a batch [N, C, H, W] of float32 in the scale 0 to 1.

    Args:
        images: One image or a batch: a tensor, an array, an image of PIL, or a list of them. Values are uint8
            from 0 to 255, or floats from 0 to 1. Channels stand first ([C, H, W]) or last ([H, W, C]); grey
            images need none ([H, W]).
        shape: Channels, height and width that they must have.

    Raises:
        ValueError: They have another size, other values, or are of another kind of number.
    """
    channels, height, width = shape
    if isinstance(images, (list, tuple)):
        if not images:
            raise ValueError("there are no images")
        return torch.cat([batch_of(each, shape) for each in images])
    tensor = tensor_of(images, channels)
    got, first, last = tuple(tensor.shape), (channels, height, width), (height, width, channels)
    if got[-3:] != first and got[-3:] == last:
        tensor = tensor.movedim(-1, -3)
    elif got[-3:] != first and channels == 1 and got[-2:] == (height, width):
        tensor = tensor.unsqueeze(-3)
    if tensor.dim() == len(first):
        tensor = tensor.unsqueeze(0)
    if tuple(tensor.shape[1:]) != first:
        wanted = f"[{channels}, {height}, {width}], with channels first or last, or a batch of them"
        raise ValueError(f"images are {wanted}, not {list(got)}: resize them first")
    return scaled(tensor)


def tensor_of(images: Images, channels: int) -> Tensor:
    """Return a tensor, an array or an image of PIL as a tensor; PIL's is brought to grey or to RGB first."""
    if isinstance(images, torch.Tensor):
        return images.detach()
    if hasattr(images, "convert") and hasattr(images, "getbands"):
        if images.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
            raise ValueError(f"an image of mode {images.mode} is not read: bring it to L or RGB first")
        images = images.convert({1: "L", 3: "RGB"}.get(channels, images.mode))
        flat = torch.frombuffer(bytearray(images.tobytes()), dtype=torch.uint8)
        return flat.reshape(images.height, images.width, len(images.getbands()))
    try:
        # A copy: an array with steps below zero, or one that cannot be written to, no tensor can share.
        return torch.as_tensor(images.copy() if hasattr(images, "__array__") else images, device="cpu")
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{type(images).__name__} is no image: give a tensor or an array") from error


def scaled(images: Tensor) -> Tensor:
    """Return uint8 from 0 to 255, or floats from 0 to 1, as float32 from 0 to 1; other values are refused."""
    if images.dtype == torch.uint8:
        return images.to(torch.float32) / 255
    if not images.is_floating_point():
        raise ValueError(f"images are uint8 from 0 to 255 or floats from 0 to 1, not {images.dtype}")
    images = images.to(torch.float32)
    if images.numel() and not bool(((images >= 0) & (images <= 1)).all()):
        low, high = float(images.min()), float(images.max())
        raise ValueError(f"floats go from 0 to 1, and these from {low:g} to {high:g}: scale them first")
    return images


def normalised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return images [N, C, H, W] from the scale 0 to 1 with the mean and deviation taken off, by channel."""
    return (images - images.new_tensor(mean).view(1, -1, 1, 1)) / images.new_tensor(std).view(1, -1, 1, 1)
