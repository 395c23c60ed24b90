"""The digest of images and labels, by which a run knows its data set again."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class ImageDigest:
    """The digest of images that come in pieces: other data, or other types or shapes, have another.

    Args:
        count: Number of all images.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._begun = False
        self._digest = blake2b(digest_size=20)

    def add(self, images: Tensor) -> None:
        """Add the next images, [B, C, H, W]."""
        if not self._begun:
            self._begun = True
            self._digest.update(f"{images.dtype} {(self._count, *images.shape[1:])}".encode())
        self._bytes(images)

    def finish(self, labels: Tensor) -> str:
        """Return the digest of all images and their labels."""
        self._digest.update(f"{labels.dtype} {tuple(labels.shape)}".encode())
        self._bytes(labels)
        return self._digest.hexdigest()

    def _bytes(self, tensor: Tensor) -> None:
        self._digest.update(tensor.detach().cpu().contiguous().numpy().data)  # without a copy
