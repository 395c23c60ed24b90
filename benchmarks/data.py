"""How fast are images read, and how much memory do they take?

    python benchmarks/data.py
    python benchmarks/data.py --images 20000 --batch 96 --cifar10 DIR

Writes random colour images of 32x32 pixels as PNG files, and trains nothing: training batches are read,
cropped, flipped and normalised, from memory, streamed without and with 2 workers, and by torchvision's
ImageFolder with its transforms in a DataLoader. Each way has a process of its own, three times, and the
fastest counts. Printed are images per second after the first batches, their ratio to torchvision with as
many workers, and the peak of the memory over that of the same process before it read an image, after
batches of a few blank ones. The last line is CIFAR-10 in memory, training and test images with their two
halves: the binary files of DIR, or random files of the same size. Exits with 1 where these take more than
200 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from attrs import frozen
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from nascore.api import DataFacts
from nascore.engine.batches import Batches, halves
from nascore.engine.sources import source_of
from nascore.nn import Examples
from nascore_vision.datasets import Folder
from nascore_vision.published_arrays import Cifar10
from nascore_vision.settings import FolderSettings, PublishedSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.contract import Dataset

SIZE: Final = 32
CLASSES: Final = 10
FIRST: Final = 10
"""Number of batches before the clock starts: workers start, and files come into the cache of the system."""

REPEATS: Final = 3
"""Number of times that each way is measured: the fastest counts, since other programs slow the others."""

MB: Final = 10**6
GOAL: Final = 200
PER_FILE: Final = 10_000
"""Images of a binary file of CIFAR-10."""


@frozen
class Way:
    """A way to read images.

    Attributes:
        name: Its name in the table.
        workers: Number of processes that read ahead.
        memory: The setting `dataset.memory`; None: torchvision reads.
    """

    name: str
    workers: int
    memory: str | None


WAYS: Final = (
    Way("in memory", 0, "memory"),
    Way("streamed", 0, "stream"),
    Way("streamed, 2 workers", 2, "stream"),
    Way("torchvision", 0, None),
    Way("torchvision, 2 workers", 2, None),
)
CIFAR: Final = "CIFAR-10 in memory"


def write_images(folder: Path, count: int) -> None:
    """Write random images as PNG files, in a folder for each class."""
    numbers = np.random.default_rng(0)
    for index in range(count):
        path = folder / str(index % CLASSES) / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(numbers.integers(0, 256, (SIZE, SIZE, 3), np.uint8)).save(path)


def write_cifar(root: Path) -> None:
    """Write random images in the binary files of CIFAR-10."""
    folder, numbers = root / "cifar-10-batches-bin", np.random.default_rng(0)
    folder.mkdir()
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        rows = numbers.integers(0, 256, (PER_FILE, 1 + 3 * SIZE * SIZE), np.uint8)
        rows[:, 0] = np.arange(PER_FILE) % CLASSES
        (folder / name).write_bytes(rows.tobytes())


def batches_of(data: Dataset, size: int) -> Batches:
    """Return the training batches of a data set, as an evaluation makes them."""
    order, noise = (torch.Generator().manual_seed(seed) for seed in (0, 1))
    source = source_of(data.train(), torch.device("cpu"), data.facts)
    return Batches(source, data.facts, size=size, order=order, noise=noise)


def by_nascore(way: Way, folder: Path, size: int) -> Iterator[Any]:
    """Yield batches of nascore."""
    settings = FolderSettings(
        path=folder, memory=way.memory, workers=way.workers, crop_pad=4, flip=True, test_share=0.01
    )
    made = batches_of(Folder(settings), size)
    try:
        while True:
            yield made.next()
    finally:
        made.close()


def by_torchvision(way: Way, folder: Path, size: int) -> Iterator[Any]:
    """Yield batches of torchvision."""
    change = transforms.Compose(
        [
            transforms.RandomCrop(SIZE, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.25,) * 3),
        ]
    )
    data = ImageFolder(str(folder), change)
    kept = way.workers > 0
    loader = DataLoader(
        data, size, shuffle=True, drop_last=True, num_workers=way.workers, persistent_workers=kept
    )
    while True:
        yield from loader


def peak() -> float:
    """Return the largest memory of this process so far, in MB."""
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MB


def make_batches(size: int) -> None:
    """Make batches of a few images: the first ones take memory for torch, not for images."""
    images = torch.zeros((size, 3, SIZE, SIZE), dtype=torch.uint8)
    examples, facts = Examples(images=images, labels=torch.arange(size) % CLASSES), cifar_facts(size)
    order, noise = torch.Generator(), torch.Generator()
    for _ in range(FIRST):
        Batches(examples, facts, size=size, order=order, noise=noise).next()


def cifar_facts(count: int) -> DataFacts:
    """Return the facts of images like those of CIFAR-10."""
    return DataFacts(
        channels=3,
        height=SIZE,
        width=SIZE,
        classes=CLASSES,
        train=count,
        test=count,
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
        crop_pad=4,
        flip=True,
        dtype="uint8",
    )


def measure(name: str, folder: Path, size: int, steps: int) -> dict[str, float]:
    """Read batches in one way; returns images per second, and the memory that it takes."""
    torch.set_num_threads(1)
    make_batches(size)
    before = peak()
    if name == CIFAR:
        return {"memory": cifar(folder, size) - before}
    way = next(way for way in WAYS if way.name == name)
    made = (by_nascore if way.memory else by_torchvision)(way, folder, size)
    for _ in islice(made, FIRST):
        pass
    began = perf_counter()
    for _ in islice(made, steps):
        pass
    seconds = perf_counter() - began
    taken = peak() - before
    made.close()  # type: ignore[attr-defined]
    return {"speed": steps * size / seconds, "memory": taken}


def cifar(root: Path, size: int) -> float:
    """Read CIFAR-10, divide its training images, and make batches of all; returns the peak of the memory."""
    data = Cifar10(PublishedSettings(root=root))
    made, test = batches_of(data, size), source_of(data.test(), torch.device("cpu"), data.facts)
    parts = halves(made.examples, torch.Generator().manual_seed(0))
    for _ in range(FIRST):
        made.next()
    assert (len(parts[0]), len(parts[1]), len(test)) == (25_000, 25_000, 10_000)
    return peak()


def apart(name: str, folder: Path, asked: argparse.Namespace) -> dict[str, float]:
    """Measure one way in a new process."""
    words = [sys.executable, __file__, "--measure", name, "--folder", str(folder)]
    words += ["--batch", str(asked.batch), "--steps", str(max(1, asked.images // asked.batch))]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache")}
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, env=environment)  # noqa: S603 - itself
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description="How fast are images read, and how much memory do they take?"
    )
    parser.add_argument("--images", type=int, default=10_000, help="number of images (default 10,000)")
    parser.add_argument("--batch", type=int, default=96, help="images in a batch (default 96)")
    parser.add_argument("--cifar10", type=Path, metavar="DIR", help="folder with cifar-10-batches-bin")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.folder, asked.batch, asked.steps)))
        return 0
    with TemporaryDirectory() as temporary:
        folder, root = Path(temporary, "images"), asked.cifar10 or Path(temporary, "arrays")
        folder.mkdir()
        write_images(folder, asked.images)
        if asked.cifar10 is None:
            root.mkdir()
            write_cifar(root)
        runs = [{way.name: apart(way.name, folder, asked) for way in WAYS} for _ in range(REPEATS)]
        found = {way.name: max((run[way.name] for run in runs), key=lambda one: one["speed"]) for way in WAYS}
        whole = apart(CIFAR, root, asked)["memory"]
    print(f"{'way':24}{'images/s':>10}{'ratio':>8}{'MB':>8}")
    for way in WAYS:
        speed = found[way.name]["speed"]
        beside = next(one.name for one in WAYS if one.memory is None and one.workers == way.workers)
        ratio, memory = speed / found[beside]["speed"], found[way.name]["memory"]
        print(f"{way.name:24}{speed:10,.0f}{ratio:8.2f}{memory:8,.0f}")
    print(f"{CIFAR:24}{'':18}{whole:8,.0f}")
    return int(whole > GOAL)


if __name__ == "__main__":
    sys.exit(main())
