"""The images of a run, in memory or streamed: any part of them, in any order, without a copy."""

from __future__ import annotations

from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from nascore.engine.workers import Reader, read_batches
from nascore.nn import Examples
from nascore.nn.transfers import sent

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from nascore.contract import DataFacts, ImageSource, StreamedExamples

PIECE = 256
"""Number of images that are read at a time when all are read in their order."""


def source_of(
    examples: Examples | StreamedExamples | ImageSource,
    device: torch.device | None = None,
    facts: DataFacts | None = None,
) -> ImageSource:
    """Return the images of a data set, with labels on a device; images in memory are sent there at once.

    Args:
        examples: The images, floats or uint8.
        device: The device; None: images and labels stay as they are.
        facts: The facts that streamed images must agree with; None: they only agree with each other.
    """
    if isinstance(examples, (InMemory, Streamed)):
        return examples
    if isinstance(examples, Examples):
        images, labels = examples.images, examples.labels
        if device is None:
            return InMemory(images, labels)
        dtype = torch.uint8 if images.dtype == torch.uint8 else torch.float32
        return InMemory(images.to(device, dtype), _on(device, labels))
    streamed: StreamedExamples = examples  # type: ignore[assignment]  # the only form that is left
    shape = None if facts is None else (facts.channels, facts.height, facts.width)
    device = device or streamed.targets.device
    workers = int(getattr(streamed, "workers", 0))
    return Streamed(Reader(streamed, shape), _on(device, streamed.targets), workers=workers)


def _on(device: torch.device, labels: Tensor) -> Tensor:
    return labels.to(device, None if labels.is_floating_point() else torch.int64)


class InMemory:
    """Images in memory, of which a part is a list of indices.

    Args:
        images: All images, [N, C, H, W], float32 or uint8, on the device.
        labels: All labels, [N], on the device.
        chosen: Indices of the images of this part, on the device; None: all.
    """

    workers = 0

    def __init__(self, images: Tensor, labels: Tensor, chosen: Tensor | None = None) -> None:
        self._images = images
        self._every_label = labels
        self._chosen = chosen
        self.labels = labels if chosen is None else labels[chosen]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def part(self, chosen: Tensor) -> InMemory:
        """Return some of the images, by their indices."""
        places = chosen if self._chosen is None else self._chosen[chosen]
        return InMemory(self._images, self._every_label, places)

    def read(self, pieces: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield for each tensor of indices the images [B, C, H, W] and their labels [B]."""
        for piece in pieces:
            places = sent(piece, self.labels.device)
            labels = self.labels[places]
            yield self._images[places if self._chosen is None else self._chosen[places]], labels


class Streamed:
    """Images that are read when they are needed, or ahead by workers.

    Args:
        reader: Reads all images.
        labels: All labels, [N], on the device.
        workers: Number of processes that read ahead.
        chosen: Indices of the images of this part, on the CPU; None: all.
    """

    def __init__(
        self, reader: Reader, labels: Tensor, *, workers: int = 0, chosen: Tensor | None = None
    ) -> None:
        self.workers = workers
        self.labels = labels if chosen is None else labels[chosen.to(labels.device)]
        self._reader = reader
        self._every_label = labels
        self._chosen = chosen

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def part(self, chosen: Tensor) -> Streamed:
        """Return some of the images, by their indices."""
        chosen = chosen.cpu()
        places = chosen if self._chosen is None else self._chosen[chosen]
        return Streamed(self._reader, self._every_label, workers=self.workers, chosen=places)

    def read(self, pieces: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield for each tensor of indices the images [B, C, H, W] and their labels [B].

        Raises:
            NascoreError: An image cannot be read.
        """
        device, taken = self.labels.device, deque[Tensor]()

        def places() -> Iterator[list[int]]:
            for piece in pieces:
                taken.append(piece)
                yield (piece if self._chosen is None else self._chosen[piece]).tolist()

        for images in read_batches(self._reader, places(), self.workers):
            yield sent(images, device), self.labels[sent(taken.popleft(), device)]


class ReadAhead:
    """Reads batches whose order is known beforehand, so that workers can read the next ones.

    Args:
        source: The images.
        coming: Yields the indices of the batches after the current one, without an end.
    """

    def __init__(self, source: ImageSource, coming: Callable[[], Iterator[Tensor]]) -> None:
        self._source = source
        self._coming = coming
        self._expected = deque[Tensor]()
        self._reading: Generator[tuple[Tensor, Tensor]] | None = None

    def read(self, piece: Tensor) -> tuple[Tensor, Tensor]:
        """Return images and labels at the indices of the current batch.

        After a change of the order, for example by a checkpoint, reading starts anew.
        """
        if not self._source.workers:
            return next(iter(self._source.read([piece])))
        try:
            batch = self._next()
            if batch is None or not torch.equal(self._expected.popleft(), piece):
                self.close()
                self._reading = self._begin(piece)
                batch = self._next()
                self._expected.popleft()
        except BaseException:
            self.close()
            raise
        assert batch is not None
        return batch

    def _begin(self, piece: Tensor) -> Generator[tuple[Tensor, Tensor]]:
        reading = self._source.read(self._noted(piece))
        return cast("Generator[tuple[Tensor, Tensor]]", reading)

    def _next(self) -> tuple[Tensor, Tensor] | None:
        return None if self._reading is None else next(self._reading)

    def _noted(self, piece: Tensor) -> Iterator[Tensor]:
        for one in chain((piece,), self._coming()):
            self._expected.append(one)
            yield one

    def close(self) -> None:
        """Stop the workers."""
        reading, self._reading = self._reading, None
        self._expected.clear()
        if reading is not None:
            reading.close()


def read_in_order(source: ImageSource) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all images once, in their order, in pieces [B, C, H, W] with their labels."""
    return source.read(torch.split(torch.arange(len(source)), PIECE))
