"""Turns images into network inputs; the `model.py` of a run contains the same source."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import torch
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Images: TypeAlias = Any
"""One image or a batch: a tensor, an array, an image of PIL, or a list of them."""


TARGETS: Final = ("target_names", "target_mean", "target_std")
"""The attributes of a preprocessing that describe numbers of images."""


@frozen(kw_only=True)
class Preprocessing:
    """How an image becomes a network input, and the class or the number that each output is.

    Attributes:
        shape: Channels, height and width of an image, in pixels.
        mean: Mean of each channel over the training images, in the scale 0 to 1.
        std: Standard deviation of each channel, in the same scale.
        classes: Names of the classes, in the order of the outputs; None if the data set has no class names.
        target_names: Names of the numbers of each image; empty if images have classes.
        target_mean: Mean of each number over the training images.
        target_std: Standard deviation of each number over the training images.
    """

    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...] | None = None
    target_names: tuple[str, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()

    def __call__(self, images: Images) -> Tensor:
        """Return normalised images [N, C, H, W]; accepts the same inputs as :func:`batch_of`."""
        return normalised(batch_of(images, self.shape), self.mean, self.std)

    def plain(self) -> dict[str, Any]:
        """Return the contents of `preprocess.json`."""
        channels, height, width = self.shape
        named = {name: list(getattr(self, name)) for name in TARGETS} if self.target_names else {}
        return {
            "channels": channels,
            "height": height,
            "width": width,
            "value_range": [0, 1],
            "mean": list(self.mean),
            "std": list(self.std),
            "classes": None if self.classes is None else list(self.classes),
            **named,
        }

    def source(self) -> str:
        """Return Python source that needs torch alone: the function `preprocess` and the name `classes`."""
        constants = f"SHAPE = {self.shape!r}\nMEAN = {self.mean!r}\nSTD = {self.std!r}\n"
        comment = "" if self.classes else '"""The data set has no class names."""\n'
        classes = f"classes = {self.classes!r}\n{comment}"
        shared = (_preprocess, batch_of, tensor_of, scaled, normalised)
        functions = (inspect.getsource(one).rstrip() for one in shared)
        text = "\n\n\n".join([f"{constants}{classes}".rstrip(), *functions])
        return text.replace("def _preprocess(", "def preprocess(")


SHAPE: tuple[int, ...] = ()
MEAN: tuple[float, ...] = ()
STD: tuple[float, ...] = ()
"""Placeholders for the constants of `model.py`, which the next function reads there."""


def _preprocess(images: Images) -> Tensor:
    """Return model inputs: images [N, C, H, W] of float32, normalised as in training.

    Accepts one image or a batch: tensors, NumPy arrays, PIL images, or a list of them. Values are uint8 from
    0 to 255 or floats from 0 to 1; channels come first or last. Images are not resized.
    """
    return normalised(batch_of(images, SHAPE), MEAN, STD)


def batch_of(images: Images, shape: Sequence[int]) -> Tensor:
    """Return images as a batch [N, C, H, W] of float32 in the scale 0 to 1.

    Args:
        images: One image or a batch: a tensor, an array, a PIL image, or a list of them. Values are uint8
            from 0 to 255, or floats from 0 to 1. Channels come first ([C, H, W]) or last ([H, W, C]); grey
            images need no channel dimension ([H, W]).
        shape: Channels, height and width that the images must have.

    Raises:
        ValueError: The images have a different size, range of values, or data type.
    """
    channels, height, width = shape
    if isinstance(images, (list, tuple)):
        if not images:
            raise ValueError("there are no images")
        return torch.cat([batch_of(each, shape) for each in images])
    tensor = tensor_of(images, channels)
    actual, first, last = tuple(tensor.shape), (channels, height, width), (height, width, channels)
    if actual[-3:] != first and actual[-3:] == last:
        tensor = tensor.movedim(-1, -3)
    elif actual[-3:] != first and channels == 1 and actual[-2:] == (height, width):
        tensor = tensor.unsqueeze(-3)
    if tensor.dim() == len(first):
        tensor = tensor.unsqueeze(0)
    if tuple(tensor.shape[1:]) != first:
        expected = f"[{channels}, {height}, {width}], with channels first or last, or a batch of them"
        raise ValueError(f"images must be {expected}, not {list(actual)}: resize them first")
    return scaled(tensor)


def tensor_of(images: Images, channels: int) -> Tensor:
    """Return a tensor, an array or a PIL image as a tensor; a PIL image is converted to grey or RGB."""
    if isinstance(images, torch.Tensor):
        return images.detach()
    if hasattr(images, "convert") and hasattr(images, "getbands"):
        if images.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
            raise ValueError(
                f"images of mode {images.mode} are not supported: convert them to L or RGB first"
            )
        images = images.convert({1: "L", 3: "RGB"}.get(channels, images.mode))
        flat = torch.frombuffer(bytearray(images.tobytes()), dtype=torch.uint8)
        return flat.reshape(images.height, images.width, len(images.getbands()))
    try:
        # A copy: a tensor cannot share memory with an array that has negative strides or is read-only.
        return torch.as_tensor(images.copy() if hasattr(images, "__array__") else images, device="cpu")
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{type(images).__name__} is not an image: pass a tensor or an array") from error


def scaled(images: Tensor) -> Tensor:
    """Return uint8 from 0 to 255, or floats from 0 to 1, as float32 from 0 to 1.

    Raises:
        ValueError: The values have another type or another range.
    """
    if images.dtype == torch.uint8:
        return images.to(torch.float32) / 255
    if not images.is_floating_point():
        raise ValueError(f"images must be uint8 from 0 to 255 or floats from 0 to 1, not {images.dtype}")
    images = images.to(torch.float32)
    if images.numel() and not bool(((images >= 0) & (images <= 1)).all()):
        low, high = float(images.min()), float(images.max())
        raise ValueError(f"float images must be from 0 to 1, not from {low:g} to {high:g}: scale them first")
    return images


def normalised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return images [N, C, H, W] minus the mean, divided by the standard deviation, by channel.

    Args:
        images: Values from 0 to 1.
        mean: One number per channel, in the same scale.
        std: One number per channel, in the same scale.
    """
    return (images - images.new_tensor(mean).view(1, -1, 1, 1)) / images.new_tensor(std).view(1, -1, 1, 1)
