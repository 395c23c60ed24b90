"""Reads image files with Pillow: their headers first, then their pixels as uint8."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import torch
from attrs import Factory, define, frozen
from PIL import Image, ImageOps, UnidentifiedImageError

from nascore.api import DataFacts
from nascore.engine.api import check_images
from nascore_vision.problems import count, listed, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nascore.api import Problem
    from nascore_vision.listing import Item, Listing

Size = tuple[int, int]
"""Width and height of an image, in pixels."""

GREY: Final = frozenset(("1", "L", "LA", "La"))
DEEP: Final = frozenset(("I", "F", "I;16", "I;16L", "I;16B", "I;16N"))
"""The modes of Pillow for grey images, and for images of more than 8 bits."""

WITH_ALPHA: Final = frozenset(("LA", "La", "PA", "RGBA", "RGBa"))
OPAQUE: Final = 255
SHOWN_SIZES: Final = 5
CHANNELS: Final = {"grey": 1, "rgb": 3}


@frozen(kw_only=True)
class Reading:
    """How image files are read.

    Attributes:
        size: Height and width to which images are resized; None: they are not resized.
        fit: Whether the middle of an image is cropped, or the image stretched.
        colour: Whether images are read as grey or in colour; auto: as all of them are stored.
        background: The colour behind transparent pixels; None: such images are refused.
        skip_bad: Whether files that cannot be read are left out.
    """

    size: int | None = None
    fit: Literal["crop", "stretch"] = "crop"
    colour: Literal["auto", "grey", "rgb"] = "auto"
    background: Literal["black", "white"] | None = None
    skip_bad: bool = False


@define(kw_only=True)
class Headers:
    """The facts that the headers of image files state.

    Attributes:
        sizes: Width and height of each readable image, by its index.
        grey: Indices of grey images.
        colour: Indices of images in colour.
        deep: Indices of images of more than 8 bits in a channel.
        bad: The reason by the index of each file that cannot be read.
    """

    sizes: dict[int, Size] = Factory(dict)
    grey: list[int] = Factory(list)
    colour: list[int] = Factory(list)
    deep: list[int] = Factory(list)
    bad: dict[int, str] = Factory(dict)


class TransparentError(ValueError):
    """An image has transparent pixels, and no background is set."""


@define(kw_only=True)
class ImageFiles:
    """Image files that are decoded one by one, to images of one shape.

    Attributes:
        items: The files.
        reading: How they are read.
        channels: Channels of a decoded image; 0: unknown before the headers are read.
        shape: Height and width of a decoded image; None: unknown before the headers are read.
    """

    items: Sequence[Item]
    reading: Reading
    channels: int = 0
    shape: tuple[int, int] | None = None

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.items)

    def decode(self, index: int) -> np.ndarray:
        """Return the image at an index as uint8 [C, H, W].

        Raises:
            TransparentError: It has transparent pixels, and no background is set.
            OSError: It cannot be read.
        """
        with _opened(self.items[index].path) as image:
            plain = _plain(image, self.reading.background).convert("L" if self.channels == 1 else "RGB")
        pixels = np.asarray(_fitted(plain, self.reading))
        return pixels[None] if self.channels == 1 else pixels.transpose(2, 0, 1)

    def headers(self) -> Headers:
        """Read the headers of all files; sets channels and shape if they are the same for all."""
        found = Headers()
        for index, item in enumerate(self.items):
            try:
                with _opened(item.path) as image:
                    self._note(found, index, image)
            except Exception as error:  # noqa: BLE001 - Pillow raises errors of many types for broken files
                found.bad[index] = reason(error)
        if self.reading.colour == "auto":
            self.channels = 0 if found.grey and found.colour else 1 if found.grey else 3
        else:
            self.channels = CHANNELS[self.reading.colour]
        self.shape = self._shape({*found.sizes.values()})
        return found

    @staticmethod
    def _note(found: Headers, index: int, image: Image.Image) -> None:
        found.sizes[index] = image.size
        if image.mode in DEEP:
            found.deep.append(index)
        else:
            (found.grey if image.mode in GREY else found.colour).append(index)

    def _shape(self, sizes: set[Size]) -> tuple[int, int] | None:
        if self.reading.size is not None:
            return self.reading.size, self.reading.size
        if len(sizes) != 1:
            return None
        ((width, height),) = sizes
        return height, width


def _opened(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on large images and on damaged metadata; what fails, raises
        return Image.open(path)


def _plain(image: Image.Image, background: str | None) -> Image.Image:
    """Return an image without transparency.

    Raises:
        TransparentError: It has transparent pixels, and there is no background.
        OSError: It cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.load()
    if image.mode not in WITH_ALPHA and "transparency" not in image.info:
        return image
    whole = image.convert("RGBA")
    alpha = whole.getchannel("A")
    if alpha.getextrema()[0] == OPAQUE:
        return image.convert("L") if image.mode in GREY else whole.convert("RGB")
    if background is None:
        raise TransparentError
    behind = Image.new("RGBA", whole.size, background)
    merged = Image.alpha_composite(behind, whole)
    return merged.convert("L") if image.mode in GREY else merged.convert("RGB")


def _fitted(image: Image.Image, reading: Reading) -> Image.Image:
    if reading.size is None or image.size == (reading.size, reading.size):
        return image
    size = (reading.size, reading.size)
    if reading.fit == "stretch":
        return image.resize(size, Image.Resampling.BILINEAR)
    return ImageOps.fit(image, size, Image.Resampling.BILINEAR)


def reason(error: Exception) -> str:
    """Return why a file cannot be read, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image"
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels"
    return "it is truncated" if "truncated" in str(error) else "it is damaged"


@frozen(kw_only=True, eq=False)
class Decoded:
    """The images of a listing in memory.

    Attributes:
        pixels: uint8 [N, C, H, W].
        listing: The listing, without skipped files.
        sizes: Number of files of each width and height, before resizing.
        skipped: The files that were left out, each with the reason.
    """

    pixels: torch.Tensor
    listing: Listing
    sizes: dict[Size, int]
    skipped: tuple[str, ...]


def decode_all(listing: Listing, reading: Reading, problems: list[Problem]) -> Decoded | None:
    """Read all files of a listing.

    Args:
        listing: The files.
        reading: How they are read.
        problems: Receives the problems of the files.

    Returns:
        The images; None if there are problems.

    Raises:
        RecipeError: The images need more memory than this machine has.
    """
    files = ImageFiles(items=listing.items, reading=reading)
    if reading.size is not None:  # before the headers, which take long if there are many
        _check_memory(len(files), CHANNELS.get(reading.colour, 1), (reading.size, reading.size))
    headers = files.headers()
    known = bool(files.channels) and files.shape is not None
    if files.shape is not None:
        _check_memory(len(files), files.channels or 1, files.shape)
    # With problems only one image is held at a time: the rest of the files are still examined.
    empty = (len(files), files.channels, *files.shape) if known and files.shape else (0,)
    pixels = np.empty(empty, np.uint8)
    transparent = _read_all(files, headers, pixels if known else None)
    problems += _problems(files, headers, transparent)
    if problems:
        return None
    kept = [index for index in range(len(files)) if index not in headers.bad]
    return Decoded(
        pixels=torch.from_numpy(pixels if len(kept) == len(files) else pixels[kept]),
        listing=listing.without(headers.bad),
        sizes=dict(Counter(headers.sizes[index] for index in kept).most_common()),
        skipped=tuple(_named(files, headers.bad)),
    )


def _check_memory(images: int, channels: int, shape: tuple[int, int]) -> None:
    """Refuse images that do not fit in memory, before they are read."""
    height, width = shape
    level = (0.5,) * channels
    check_images(
        DataFacts(
            channels=channels,
            height=height,
            width=width,
            classes=2,
            train=images,
            test=1,
            mean=level,
            std=level,
            dtype="uint8",
        )
    )


def _read_all(files: ImageFiles, headers: Headers, pixels: np.ndarray | None) -> list[int]:
    """Decode all files into an array; returns the indices of the transparent ones, and notes the bad ones."""
    transparent = []
    refused = {*headers.bad, *headers.deep}
    for index in range(len(files)):
        if index in refused:
            continue
        try:
            image = files.decode(index)
            if pixels is not None:
                pixels[index] = image
        except TransparentError:
            transparent.append(index)
        except Exception as error:  # noqa: BLE001 - as above
            headers.bad[index] = reason(error)
    return transparent


def _problems(files: ImageFiles, headers: Headers, transparent: Sequence[int]) -> Iterator[Problem]:
    number = len(files)
    if headers.bad and not files.reading.skip_bad:
        text = f"{len(headers.bad):,} of {count(number, 'image')} cannot be read: "
        hint = "Repair or remove them, or leave them out: --set dataset.skip_bad=true."
        yield problem(f"{text}{listed(list(_named(files, headers.bad)))}.", hint)
    if headers.deep:
        names = _places(files, headers.deep)
        text = f"{_share(headers.deep, number)} more than 8 bits in a channel: {names}."
        yield problem(text, "Convert them to 8 bits.")
    if transparent:
        names = _places(files, transparent)
        text = f"{_share(transparent, number)} transparent pixels: {names}."
        hint = "Set dataset.background to black or white."
        yield problem(text, hint, setting="background")
    if headers.grey and headers.colour and not files.channels:
        grey, colour = headers.grey, headers.colour
        few, name = (grey, "grey") if len(grey) <= len(colour) else (colour, "in colour")
        text = f"{count(len(grey), 'image is', 'images are')} grey and {len(colour):,} in colour"
        text = f"{text}; {name}: {_places(files, few)}."
        yield problem(text, "Set dataset.colour to grey or rgb.", setting="colour")
    if headers.sizes and files.shape is None:
        yield _of_sizes(headers)


def _share(indices: Sequence[int], number: int) -> str:
    return f"{len(indices):,} of {count(number, 'image')} {'has' if len(indices) == 1 else 'have'}"


def _of_sizes(headers: Headers) -> Problem:
    sizes = Counter(headers.sizes.values()).most_common()
    names = [f"{width}x{height} ({number:,})" for (width, height), number in sizes]
    text = f"the images have {len(sizes)} sizes: {listed(names, SHOWN_SIZES)}."
    common = min(sizes[0][0])
    return problem(text, f"Resize them: --set dataset.size={common}.", setting="size")


def _named(files: ImageFiles, bad: dict[int, str]) -> Iterator[str]:
    return (f"{files.items[index].place} ({bad[index]})" for index in sorted(bad))


def _places(files: ImageFiles, indices: Sequence[int]) -> str:
    return listed([files.items[index].place for index in indices])
