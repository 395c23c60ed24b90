"""Labelled images: those of a data set, and those of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor


class StreamedExamples(Protocol):
    """Images that are read one at a time: a map-style `torch.utils.data.Dataset` with known labels.

    Several processes read images at the same time, in any order; each has a copy of the object, forked or
    pickled. An item therefore depends on its index alone: it draws no random numbers, and opens its file
    itself. An error of an item names the file.

    Two more attributes are optional: `workers`, the number of processes that read ahead (none: 0), and
    `fingerprint`, a digest of images and labels; without it the engine reads all images for the digest.

    Attributes:
        targets: The labels: classes [N], int64, or numbers [N, K], float32.
    """

    targets: Tensor

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def __getitem__(self, index: int) -> tuple[Tensor, Any]:
        """Return an image [C, H, W], not normalised, floats from 0 to 1 or uint8, and its target."""
        ...


class ImageSource(Protocol):
    """The labelled images of a run, which are in memory or are streamed.

    Attributes:
        labels: The labels, [N] or [N, K], on the device of the run.
        workers: Number of processes that read ahead; 0: images are read when they are needed.
    """

    labels: Tensor
    workers: int

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def part(self, chosen: Tensor) -> ImageSource:
        """Return some of the images, by their indices, without a copy of them."""
        ...

    def read(self, pieces: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield for each tensor of indices the images [B, C, H, W], not normalised, and their labels.

        The indices are on the CPU; images and labels are on the device of the run. With workers, `pieces` is
        iterated ahead. Closing the iterator stops the workers.
        """
        ...
