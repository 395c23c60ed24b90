"""Reads image files for predictions, as the data set of a run read its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps

from nascore.nn import resized_images
from nascore_vision.images import TransparentError, is_deep, reason, upright_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

MODES = {1: "L", 3: "RGB"}
"""The mode of Pillow by the number of channels."""


def read_image(path: Path, shape: tuple[int, int, int], settings: Mapping[str, Any]) -> Tensor:
    """Return the image in a file as uint8 [C, H, W].

    A data set of files resizes with Pillow (settings `size` and `fit`), one of arrays as tensors.

    Args:
        path: The file.
        shape: Channels, height and width of the run's images.
        settings: The settings of the run's data set, by name.

    Raises:
        ValueError: It cannot be read, has transparent pixels or more than 8 bits in a channel, or the images
            of the run have neither 1 nor 3 channels.
    """
    channels, height, width = shape
    if channels not in MODES:
        raise ValueError(f"the images of the run have {channels} channels, and files have 1 or 3")
    try:
        if is_deep(path):
            raise ValueError("it has more than 8 bits in a channel")
        plain = upright_image(path, MODES[channels], settings.get("background"))
    except TransparentError:
        raise ValueError("it has transparent pixels") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(reason(error)) from error
    side = settings.get("size")
    if "fit" in settings:
        size = (width, height) if side is None else (side, side)
        plain = _fitted(plain, size, settings["fit"])
    else:
        plain = _cropped(plain, width, height)
    pixels = torch.from_numpy(np.array(plain))
    found = pixels[None] if channels == 1 else pixels.permute(2, 0, 1)
    # A search in a part of the data, and a data set of arrays, resize tensors.
    return resized_images(found[None], height, width)[0]


def _fitted(image: Image.Image, size: tuple[int, int], fit: str) -> Image.Image:
    """Return an image of a width and height, of which the middle is cut out, or which is stretched."""
    if image.size == size:
        return image
    if fit == "stretch":
        return image.resize(size, Image.Resampling.BILINEAR)
    return ImageOps.fit(image, size, Image.Resampling.BILINEAR)


def _cropped(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return the middle of an image that has the ratio of this width and height, not resized."""
    scale = min(image.width / width, image.height / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))
