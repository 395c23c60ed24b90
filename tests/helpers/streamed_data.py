"""A data set of small image files, in memory or streamed: a plugin for tests of the engine."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from time import sleep

import torch
from torch.utils.data import Dataset

from nascore.api import Component, DataFacts, NoSettings, hookimpl
from nascore.engine.sources import read_in_order
from nascore.nn import Examples

CLASSES, SIDE = 3, 8
COUNTS = {"train": 48, "test": 12}


def images_of(source):
    """Return all images of a source in one tensor."""
    return torch.cat([images for images, _ in read_in_order(source)])


def write_images(root):
    """Write the image files, each of which can be told from the others."""
    numbers = torch.Generator().manual_seed(0)
    for part, count in COUNTS.items():
        (root / part).mkdir()
        for index in range(count):
            image = torch.randint(128, (1, SIDE, SIDE), generator=numbers, dtype=torch.uint8)
            image[:, 2 * (index % CLASSES)] += 120
            (root / part / f"{index}.bin").write_bytes(image.numpy().tobytes())


class Pictures(Dataset):
    """Reads the files of a part one by one."""

    def __init__(self, folder, workers=0):
        self.folder = Path(folder)
        self.workers = workers
        self.targets = torch.arange(COUNTS[self.folder.name]) % CLASSES

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        content = (self.folder / f"{index}.bin").read_bytes()
        if content == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if content == b"slow":
            (self.folder / "slow").touch()
            sleep(60)
        if len(content) != SIDE * SIDE:
            raise ValueError(f"{self.folder.name}/{index}.bin is truncated")
        image = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        return image.view(1, SIDE, SIDE), int(self.targets[index])


class Files:
    """The data set; its form is that of the environment, so that recipes of all forms are equal."""

    def __init__(self, settings):
        del settings
        self.root = Path(os.environ["TEST_IMAGES"])
        self.workers = {"memory": None, "0": 0, "2": 2}[os.environ["TEST_FORM"]]
        self.facts = DataFacts(
            channels=1,
            height=SIDE,
            width=SIDE,
            classes=CLASSES,
            train=COUNTS["train"],
            test=COUNTS["test"],
            mean=(0.309,),
            std=(0.205,),
            crop_pad=1,
            flip=True,
            dtype="uint8",
            streamed=self.workers is not None,
        )

    def _part(self, name):
        pictures = Pictures(self.root / name, self.workers or 0)
        if self.workers is not None:
            return pictures
        images = torch.stack([pictures[index][0] for index in range(len(pictures))])
        return Examples(images=images, labels=pictures.targets)

    def train(self):
        return self._part("train")

    def test(self):
        return self._part("test")


@hookimpl
def nascore_datasets():
    yield Component(
        name="files",
        slot="dataset",
        summary="Small image files.",
        config=NoSettings,
        build=f"{__name__}:Files",
        provides=("halves",),
    )
