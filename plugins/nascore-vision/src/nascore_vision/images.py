"""Reads image files with Pillow: their headers first, then their pixels as uint8."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import torch
from attrs import Factory, define, frozen
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from nascore.api import DataFacts
from nascore.engine.api import check_images
from nascore_vision.problems import count, listed, problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nascore.api import Problem
    from nascore_vision.items import Item, Listing

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

    def counted(self, indices: Iterable[int]) -> dict[Size, int]:
        """Return the number of files of each width and height, the most frequent first."""
        return dict(Counter(self.sizes[index] for index in indices).most_common())


TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the orientation in the EXIF data of a photo, the turn that makes it upright."""

SIDEWAYS: Final = (5, 6, 7, 8)
"""The orientations that exchange width and height."""


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
        mode = "L" if self.channels == 1 else "RGB"
        image = upright_image(self.items[index].path, mode, self.reading.background)
        pixels = np.asarray(_fitted(image, self.reading))
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
        found.sizes[index] = image.size[::-1] if _orientation(image) in SIDEWAYS else image.size
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


def upright_image(path: Path, mode: str, background: str | None) -> Image.Image:
    """Return the image in a file in a mode of Pillow, turned as its EXIF data say.

    Raises:
        TransparentError: It has transparent pixels, and there is no background.
        OSError: It cannot be read.
    """
    with _opened(path) as image:
        turn = TURNS.get(_orientation(image))
        plain = _plain(image, background).convert(mode)
    return plain if turn is None else plain.transpose(turn)


def is_deep(path: Path) -> bool:
    """Return whether an image has more than 8 bits in a channel."""
    with _opened(path) as image:
        return image.mode in DEEP


def _opened(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on large images and on damaged metadata; what fails, raises
        return Image.open(path)


def _orientation(image: Image.Image) -> int:
    """Return the orientation in the EXIF data of an image; 1, upright, if there is none."""
    # Pillow turns TIFF itself; without the test, it would decode every PNG to look behind its pixels.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - damaged metadata raise errors of many types; the pixels may be right
        return 1


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
        train: The training images, uint8 [N, C, H, W].
        test: The test images; both are in one array.
        listing: The listing, without skipped files.
        sizes: Number of files of each width and height, before resizing.
        skipped: The files that were left out, each with the reason.
    """

    train: torch.Tensor
    test: torch.Tensor
    listing: Listing
    sizes: dict[Size, int]
    skipped: tuple[str, ...]


def decode_all(
    files: ImageFiles, headers: Headers, listing: Listing, problems: list[Problem]
) -> Decoded | None:
    """Read all files of a listing into memory.

    Args:
        files: The files.
        headers: Their headers; files that cannot be read are added.
        listing: The same files with their classes and parts.
        problems: Receives the problems of the files.

    Returns:
        The images; None if there are problems.

    Raises:
        RecipeError: The images need more memory than this machine has.
    """
    known = bool(files.channels) and files.shape is not None
    if files.shape is not None:
        check_memory(files)
    # With problems only one image is held at a time: the rest of the files are still examined.
    empty = (len(files), files.channels, *files.shape) if known and files.shape else (0,)
    pixels = np.empty(empty, np.uint8)
    # Training images first, so that both parts are views of one array.
    order = sorted(range(len(files)), key=lambda index: listing.parts[index] == "test")
    rows = {index: row for row, index in enumerate(order)}
    transparent = _read_all(files, headers, pixels if known else None, rows)
    problems += file_problems(files, headers, transparent)
    if problems:
        return None
    kept = [index for index in order if index not in headers.bad]
    whole = torch.from_numpy(pixels if len(kept) == len(files) else pixels[[rows[index] for index in kept]])
    train = sum(listing.parts[index] == "train" for index in kept)
    return Decoded(
        train=whole[:train],
        test=whole[train:],
        listing=listing.without(headers.bad),
        sizes=headers.counted(sorted(kept)),
        skipped=tuple(named(files, headers.bad)),
    )


def check_memory(files: ImageFiles) -> None:
    """Refuse images that do not fit in memory, as far as their size is known.

    Raises:
        RecipeError: They need more memory than this machine has.
    """
    size = files.reading.size
    shape = files.shape if size is None else (size, size)
    if shape is None:
        return
    images, channels = len(files), files.channels or CHANNELS.get(files.reading.colour, 1)
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


def _read_all(
    files: ImageFiles, headers: Headers, pixels: np.ndarray | None, rows: Mapping[int, int]
) -> list[int]:
    """Decode all files into an array; returns the indices of the transparent ones, and notes the bad ones."""
    transparent = []
    refused = {*headers.bad, *headers.deep}
    for index in range(len(files)):
        if index in refused:
            continue
        try:
            image = files.decode(index)
            if pixels is not None:
                pixels[rows[index]] = image
        except TransparentError:
            transparent.append(index)
        except Exception as error:  # noqa: BLE001 - as above
            headers.bad[index] = reason(error)
    return transparent


def file_problems(files: ImageFiles, headers: Headers, transparent: Sequence[int]) -> Iterator[Problem]:
    """Yield the problems of files that were read."""
    number = len(files)
    if headers.bad and not files.reading.skip_bad:
        text = f"{len(headers.bad):,} of {count(number, 'image')} cannot be read: "
        hint = "Repair or remove them, or leave them out: --set dataset.skip_bad=true."
        yield problem(f"{text}{listed(list(named(files, headers.bad)))}.", hint)
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


def named(files: ImageFiles, bad: Mapping[int, str]) -> Iterator[str]:
    """Yield the names of files that cannot be read, each with the reason."""
    return (f"{files.items[index].place} ({bad[index]})" for index in sorted(bad))


def _places(files: ImageFiles, indices: Sequence[int]) -> str:
    return listed([files.items[index].place for index in indices])
