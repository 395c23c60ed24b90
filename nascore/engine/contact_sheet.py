"""Draws the images of a data set on a contact sheet, a PNG file."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import torch
from torch.nn.functional import pad

from nascore.engine.sources import source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from nascore.contract import StreamedExamples
    from nascore.nn import Examples

COLOURS: Final = (1, 3)
"""Numbers of channels of an image that can be shown."""

COLUMNS: Final = 10
ROWS: Final = 100
"""Most images of a class, and most classes, on a contact sheet."""

SIDE: Final = 32
"""Least side of an image on a contact sheet, in pixels: smaller images are enlarged by a whole factor."""

GAP: Final = 2
WHITE: Final = 255


def contact_sheet(examples: Examples | StreamedExamples, classes: Sequence[int]) -> Tensor:
    """Return a picture [H, W, C] as uint8: a row for each class, with the first of its images.

    Images with numbers instead of classes are in their order.
    """
    source = source_of(examples)
    if source.labels.dim() > 1:
        first = [*torch.split(torch.arange(min(len(source), COLUMNS * COLUMNS)), COLUMNS)]
    else:
        first = [torch.nonzero(source.labels == label).flatten()[:COLUMNS] for label in classes[:ROWS]]
    (drawn, _) = next(iter(source.read([torch.cat(first).cpu()])))
    channels = drawn.shape[1] if drawn.shape[1] in COLOURS else 1
    factor = max(1, -(-SIDE // min(drawn.shape[2:])))
    counts = [len(each) for each in first]
    rows = [_row(images, factor) for images in torch.split(drawn[:, :channels], counts)]
    sheet = torch.cat(rows, 1)
    return pad(sheet, (GAP, 0, GAP, 0), value=WHITE).permute(1, 2, 0)


def _row(images: Tensor, factor: int) -> Tensor:
    """Return the images of a class side by side, [C, H, W]."""
    if images.dtype != torch.uint8:
        images = (images * WHITE).round().to(torch.uint8)
    large = images.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    large = pad(large, (0, GAP, 0, GAP), value=WHITE)
    row = torch.cat([*large], 2) if len(large) else large.new_empty(*large.shape[1:3], 0)
    width = COLUMNS * large.shape[3]
    return pad(row, (0, width - row.shape[2], 0, 0), value=WHITE)


def png(picture: Tensor) -> bytes:
    """Return a picture [H, W, C] of uint8, grey or in colour, as a PNG file."""
    height, width, channels = picture.shape
    kind = {1: 0, 3: 2}[channels]  # grey, or RGB
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, kind, 0, 0, 0))
    # Each line begins with the number of its filter; 0 is none.
    lines = b"".join(b"\0" + line.contiguous().numpy().tobytes() for line in picture)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
        for name, content in chunks
    )
