"""Reads the images of a data set, one batch after the other, in this process or ahead in others."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import warnings
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Any, Final, cast

import torch
from attrs import frozen
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.errors import (
    NascoreError,
    PluginError,
    Problem,
    RunFailed,
    error_line,
    error_of,
    plain_error,
)
from nascore.plugin.guard import raised_at
from nascore.slots import DATASET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.process import BaseProcess

    from nascore.contract import StreamedExamples

POLL: Final = 0.2
"""Seconds between two looks of a worker at whether the process that it works for still lives."""

PATIENCE: Final = 5.0
"""Seconds that a killed worker has to end."""

METHOD: Final = "fork" if sys.platform == "linux" else "spawn"
"""How workers start. A fork needs neither an importable main module nor a data set that can be pickled."""

LOST: Final = "DataLoader worker"
"""The beginning of torch's message about a worker that ended."""


@frozen
class Reader(Dataset[Any]):
    """Reads batches of a streamed data set.

    Attributes:
        items: The data set.
        shape: Shape of an image, [C, H, W]; None: that of the first image of a batch.
    """

    items: StreamedExamples
    shape: tuple[int, ...] | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.items)

    def __getitems__(self, indices: list[int]) -> Tensor | dict[str, Any]:
        """Return the images [B, C, H, W] at some indices; or the error of one of them, as plain values.

        The values survive the way from a worker, which an exception with arguments of its own may not.
        """
        try:
            return self.batch(indices)
        except NascoreError as error:
            return plain_error(error)

    def batch(self, indices: list[int]) -> Tensor:
        """Return the images [B, C, H, W] at some indices, float32 or uint8.

        Raises:
            NascoreError: An image cannot be read, or is not one.
        """
        first = self._image(indices[0], self.shape, None)
        shape, dtype = tuple(first.shape), first.dtype
        return torch.stack([first, *(self._image(index, shape, dtype) for index in indices[1:])])

    def _image(self, index: int, shape: tuple[int, ...] | None, dtype: torch.dtype | None) -> Tensor:
        try:
            found: object = self.items[index]
        except NascoreError:
            raise
        except Exception as error:
            raise PluginError([_unreadable(self.items, index, error)]) from error
        check = ReturnCheck(self.items, "__getitem__", DATASET)
        if not isinstance(found, (tuple, list)) or len(found) != 2:  # noqa: PLR2004 - an image and its target
            raise check.wrong(f"{describe_value(found)} for {index}", "a pair of an image and its target")
        image: object = found[0]
        if not isinstance(image, Tensor) or not (image.is_floating_point() or image.dtype == torch.uint8):
            actual = f"{describe_value(image)} as the image {index}"
            raise check.wrong(actual, "a tensor [C, H, W] of floats or uint8")
        plain = image if image.dtype == torch.uint8 else image.to(torch.float32)
        if tuple(plain.shape) != (shape or tuple(plain.shape)) or plain.dtype != (dtype or plain.dtype):
            expected = f"[{', '.join(map(str, shape or plain.shape))}] of the same type for all images"
            raise check.wrong(f"{describe_value(image)} as the image {index}", expected)
        return plain


def _unreadable(items: StreamedExamples, index: int, error: Exception) -> Problem:
    kind = type(items)
    text = f"reading image {index} of {kind.__name__} raised {error_line(error)}."
    origin = raised_at(error)
    return Problem(path=DATASET, text=text, origin=origin, slots=(DATASET,), of_plugin=True)


def read_batches(reader: Reader, pieces: Iterable[list[int]], workers: int) -> Iterator[Tensor]:
    """Yield the images [B, C, H, W] of each list of indices, in this order.

    Args:
        reader: Reads a batch.
        pieces: The indices of each batch; with workers they are iterated ahead.
        workers: Number of processes; 0: this process reads. They end with the iterator.

    Raises:
        NascoreError: An image cannot be read.
        RunFailed: A worker ended.
    """
    if not workers:
        for piece in pieces:
            yield reader.batch(piece)
        return
    with explain_lost_workers(), _started(reader, pieces, workers) as batches:
        for batch in batches:
            if isinstance(batch, dict):
                raise error_of(batch)
            yield batch


@contextmanager
def _started(reader: Reader, pieces: Iterable[list[int]], workers: int) -> Iterator[Iterator[Any]]:
    """Start workers, and stop them at the end; yields their batches."""
    loader: DataLoader[Any] = DataLoader(
        reader,
        batch_sampler=cast("Any", _Pieces(pieces)),
        num_workers=workers,
        collate_fn=_unchanged,
        worker_init_fn=_Begin(os.getpid()),
        multiprocessing_context=get_context(METHOD),
        generator=torch.Generator(),  # otherwise torch draws from its global one
    )
    before = {child.pid for child in active_children()}
    with warnings.catch_warnings():
        # The thread that forks is the one that computes; the others hold no lock that a worker needs.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        batches = iter(loader)
    stop = partial(_stop, batches, [child for child in active_children() if child.pid not in before])
    atexit.register(stop)  # for iterators that are never closed
    try:
        yield batches
    finally:
        atexit.unregister(stop)
        stop()


def _stop(batches: Any, children: Iterable[BaseProcess]) -> None:  # noqa: ANN401 - torch's own, of a private class
    """Stop workers, also those in the middle of a slow file."""
    # torch does it with the last reference, but the traceback of an error holds one.
    batches._shutdown_workers()  # noqa: SLF001 - there is no public way
    for child in children:
        if child.is_alive():
            child.kill()
            child.join(PATIENCE)


@frozen
class _Pieces:
    """The batch sampler of torch for lists of indices."""

    pieces: Iterable[list[int]]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.pieces)


def _unchanged(batch: Any) -> Any:  # noqa: ANN401 - a batch, or an error
    return batch


@frozen
class _Begin:
    """Begins a worker of a process."""

    parent: int

    def __call__(self, number: int) -> None:
        """Leave signals to the parent, and end with it.

        Ctrl-C and SIGTERM may reach all processes at once: the parent finishes its step, for which it needs
        the worker.
        """
        del number
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        Thread(target=_end_with, args=(self.parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        sleep(POLL)
    os._exit(1)


@contextmanager
def explain_lost_workers() -> Iterator[None]:
    """Replace torch's error about a worker that ended; see :func:`lost_worker_error`.

    Raises:
        RunFailed: A worker ended.
    """
    try:
        yield
    except RuntimeError as error:
        known = lost_worker_error(error)
        if known is None:
            raise
        raise known from error


def lost_worker_error(error: BaseException) -> RunFailed | None:
    """Return an error that explains torch's error about a worker that ended; None for any other error.

    torch raises it from a signal handler, in the middle of any work.
    """
    if not isinstance(error, RuntimeError) or not str(error).startswith(LOST):
        return None
    reason = str(error).partition("\n")[0].removeprefix(LOST).strip().rstrip(".")
    text = f"a process that reads images ended: {reason}."
    hint = "The memory may be too small: set fewer dataset.workers, or 0."
    return RunFailed([Problem(path=DATASET, text=text, hint=hint)])
