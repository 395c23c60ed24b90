"""Image files that are read when they are needed: they are examined once, and their mean is measured."""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from attrs import evolve, frozen
from torch.utils.data import Dataset

from nascore.api import RecipeError
from nascore.engine.api import ImageDigest, available_memory, read_in_order, source_of
from nascore.nn import moments_of_counts, pixel_counts
from nascore_vision.cache import read_cached, write_cached
from nascore_vision.images import ImageFiles, TransparentError, reason
from nascore_vision.problems import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from torch import Tensor

    from nascore_vision.images import Headers
    from nascore_vision.items import Listing

VERSION: Final = 1
"""Version of the values in the cache."""

SHARE: Final = 4
"""Images are held in memory if they take at most one part of so many of it."""

MOST_WORKERS: Final = 4

LARGE: Final = 200_000
"""Number of files from which on a sample of them is examined."""

SAMPLE: Final = 10_000
"""Number of images in this sample."""

READ, TRANSPARENT, BAD = range(3)
"""The outcomes of reading a file."""

Stamp = tuple[int, int]
"""Time of the last change and size of a file."""


@frozen(kw_only=True)
class Form:
    """Where images are kept.

    Attributes:
        memory: In memory, in their files, or in memory if they take a quarter of it at most.
        workers: Number of processes that read ahead; None: as many as there are cores, at most four.
    """

    memory: Literal["auto", "memory", "stream"] = "memory"
    workers: int | None = None

    def streams(self, files: ImageFiles) -> bool:
        """Return whether images with known channels and shape are streamed."""
        if self.memory != "auto" or files.shape is None:
            return self.memory == "stream"
        size, available = len(files) * files.channels * files.shape[0] * files.shape[1], available_memory()
        return available is not None and size * SHARE > available

    @property
    def processes(self) -> int:
        """Number of processes that read ahead."""
        return min(os.cpu_count() or 1, MOST_WORKERS) if self.workers is None else self.workers


class StreamedFiles(Dataset[Any]):
    """The files of a part, read one by one.

    Args:
        files: The files, with known channels and shape.
        targets: Their labels, [N].
        fingerprint: The digest of images and labels.
        workers: Number of processes that read ahead.
    """

    def __init__(self, files: ImageFiles, targets: Tensor, *, fingerprint: str, workers: int) -> None:
        self.files = files
        self.targets = targets
        self.fingerprint = fingerprint
        self.workers = workers

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return an image [C, H, W] of uint8, and its label.

        Raises:
            RecipeError: The file cannot be read, although it could before; names it.
        """
        try:
            image = self.files.decode(index)
        except Exception as error:  # noqa: BLE001 - Pillow raises errors of many types for broken files
            text = f"{self.files.items[index].place} cannot be read: {reason(error)}."
            raise RecipeError([problem(text, "Repair it, or leave it out.")]) from None
        return _tensor(image), self.targets[index]


def _tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.copy())  # an array of Pillow cannot be written to


class Attempts(Dataset[Any]):
    """The pixels of files in one row, and the outcome as the last byte: a broken file raises no error."""

    def __init__(self, files: ImageFiles, indices: Sequence[int], workers: int) -> None:
        assert files.shape is not None
        self.files = files
        self.indices = indices
        self.workers = workers
        self.targets = torch.zeros(len(indices), dtype=torch.int64)
        self.size = files.channels * files.shape[0] * files.shape[1]

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.indices)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        """Return the pixels of a file with its outcome."""
        row = torch.zeros(self.size + 1, dtype=torch.uint8)
        try:
            row[:-1] = _tensor(self.files.decode(self.indices[place])).flatten()
        except TransparentError:
            row[-1] = TRANSPARENT
        except Exception:  # noqa: BLE001 - as above
            row[-1] = BAD
        return row, 0


@frozen(kw_only=True)
class Examination:
    """What is known of readable files.

    Attributes:
        channels: Channels of an image.
        shape: Height and width of an image.
        sizes: Width and height before resizing, with the number of images of that size.
        bad: The reason by the index of each file that is left out.
        mean: Mean of each channel of the training images, in the scale 0 to 1.
        std: Standard deviation of each channel.
        train: Digest of the training images and their labels.
        test: Digest of the test images and their labels.
    """

    channels: int
    shape: tuple[int, int]
    sizes: tuple[tuple[int, int, int], ...]
    bad: dict[int, str]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train: str
    test: str


def cache_key(files: ImageFiles, listing: Listing, stamps: Sequence[Stamp]) -> str:
    """Return the key of files: their paths, sizes and times, labels and parts, and how they are read."""
    digest = blake2b(f"{VERSION} {files.reading}".encode(), digest_size=20)
    rows = zip(listing.items, stamps, listing.answers(), listing.parts, strict=True)
    for item, stamp, target, part in rows:
        line = f"{item.path.absolute()}\0{stamp}\0{target}\0{part}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def cached_examination(key: str) -> Examination | None:
    """Return the examination of earlier processes; None if there is none that can be used."""
    found = read_cached(key)
    try:
        return None if found is None else _examination(found)
    except (KeyError, TypeError, ValueError):
        return None


def _examination(found: dict[str, Any]) -> Examination:
    height, width = map(int, found["shape"])
    return Examination(
        channels=int(found["channels"]),
        shape=(height, width),
        sizes=tuple((int(w), int(h), int(n)) for w, h, n in found["sizes"]),
        bad={int(index): str(why) for index, why in found["bad"].items()},
        mean=tuple(map(float, found["mean"])),
        std=tuple(map(float, found["std"])),
        train=str(found["train"]),
        test=str(found["test"]),
    )


def keep(key: str, examination: Examination) -> None:
    """Keep an examination for other processes."""
    names = ("channels", "shape", "sizes", "bad", "mean", "std", "train", "test")
    write_cached(key, {name: getattr(examination, name) for name in names})


def examine(
    files: ImageFiles, headers: Headers, listing: Listing, stamps: Sequence[Stamp], workers: int
) -> tuple[Examination, list[int]]:
    """Read all files once, or a sample of very many; returns what is known, and indices of transparent ones.

    Files that cannot be read are added to `headers.bad`.
    """
    assert files.shape is not None
    transparent: list[int] = []
    while True:
        left_out = {*headers.bad, *headers.deep, *transparent}
        indices = [index for index in range(len(files)) if index not in left_out]
        measured = _Measured(files, listing, indices)
        outcomes = measured.read(workers)
        for index, outcome in outcomes.items():
            if outcome == TRANSPARENT:
                transparent.append(index)
            else:
                headers.bad[index] = _why(files, index)
        if not outcomes:  # else the digests hold too few images: they begin with the number of images
            break
    mean, std = moments_of_counts(measured.counts)
    examination = Examination(
        channels=files.channels,
        shape=files.shape,
        sizes=tuple((*size, number) for size, number in headers.counted(indices).items()),
        bad=dict(headers.bad),
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        train=measured.fingerprint("train", stamps),
        test=measured.fingerprint("test", stamps),
    )
    return examination, transparent


def _why(files: ImageFiles, index: int) -> str:
    try:
        files.decode(index)
    except Exception as error:  # noqa: BLE001 - as above
        return reason(error)
    return "it changed while it was read"


class _Measured:
    """The images of a pass over files: digests of the parts, and counts of the training pixels."""

    def __init__(self, files: ImageFiles, listing: Listing, indices: Sequence[int]) -> None:
        self.files = files
        self.listing = listing
        self.indices = indices
        self.sample = [*indices]
        if len(indices) > LARGE:
            self.sample = [indices[place * len(indices) // SAMPLE] for place in range(SAMPLE)]
        counts = {
            part: sum(self.listing.parts[at] == part for at in self.sample) for part in ("train", "test")
        }
        self.digests = {part: ImageDigest(count) for part, count in counts.items()}
        self.counts = torch.zeros(files.channels, 256, dtype=torch.float64)

    def read(self, workers: int) -> dict[int, int]:
        """Read the images; returns the outcomes of those that cannot be used, by index."""
        assert self.files.shape is not None
        outcomes: dict[int, int] = {}
        parts, done = torch.tensor([self.listing.parts[at] == "train" for at in self.sample]), 0
        for rows, _ in read_in_order(source_of(Attempts(self.files, self.sample, workers))):
            is_train, status = parts[done : done + len(rows)], rows[:, -1]
            images = rows[:, :-1].reshape(-1, self.files.channels, *self.files.shape)
            outcomes |= {
                self.sample[done + at]: int(status[at]) for at in status.nonzero().flatten().tolist()
            }
            for part, chosen in (("train", is_train), ("test", ~is_train)):
                if bool((chosen & (status == READ)).any()):
                    self.digests[part].add(images[chosen & (status == READ)])
            self.counts += pixel_counts(images[is_train & (status == READ)])
            done += len(rows)
        return outcomes

    def fingerprint(self, part: str, stamps: Sequence[Stamp]) -> str:
        """Return the digest of a part; that of a sample has the names and sizes of all files too."""
        chosen = [at for at in self.sample if self.listing.parts[at] == part]
        digest = self.digests[part].finish(answers_of(self.listing, chosen))
        if len(self.sample) == len(self.indices):
            return digest
        whole, answers = blake2b(digest.encode(), digest_size=20), self.listing.answers()
        for at in self.indices:
            if self.listing.parts[at] == part:
                line = f"{self.listing.items[at].name}\0{stamps[at][1]}\0{answers[at]}\n"
                whole.update(line.encode("utf-8", "surrogateescape"))
        return whole.hexdigest()


def answers_of(listing: Listing, chosen: Sequence[int]) -> Tensor:
    """Return the classes [N], int64, or the numbers [N, K], float32, of some images of a listing."""
    answers = listing.answers()
    kind = torch.float32 if listing.target_names else torch.int64
    return torch.tensor([answers[index] for index in chosen], dtype=kind)


def streamed(
    files: ImageFiles, listing: Listing, examination: Examination, workers: int
) -> dict[str, StreamedFiles]:
    """Return the two parts of a listing without files that are left out."""
    found = {}
    for part in ("train", "test"):
        chosen = [index for index, of in enumerate(listing.parts) if of == part]
        found[part] = StreamedFiles(
            evolve(files, items=[listing.items[index] for index in chosen]),
            answers_of(listing, chosen),
            fingerprint=getattr(examination, part),
            workers=workers,
        )
    return found
