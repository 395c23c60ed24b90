"""Published data sets in image files."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from torchvision import datasets

from nascore.api import RecipeError
from nascore_vision.datasets import form_of, load_files
from nascore_vision.images import Reading
from nascore_vision.items import Found, Item
from nascore_vision.listing import read_folder
from nascore_vision.memory import InFiles
from nascore_vision.problems import problem, readable
from nascore_vision.roots import absent, download, root_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore_vision.memory import Loaded
    from nascore_vision.settings import PublishedFilesSettings


class Files(InFiles):
    """A published data set in image files.

    Attributes:
        name: The component.
        forms: The files or folders below the root, one of which must exist.
        source: The class of torchvision that downloads the files; None: they cannot be downloaded.
        flip: Whether mirrored images are images of the same class.
    """

    name: str
    forms: tuple[str, ...]
    source: Any = None
    flip = True

    def __init__(self, settings: PublishedFilesSettings) -> None:
        super().__init__(lambda: self._found(settings), settings, flip=self.flip)

    def _found(self, settings: PublishedFilesSettings) -> Loaded:
        """Return the images of the files below the root; downloads them if the settings say so."""
        root = root_of(settings)
        found = self._form(root)
        if found is None and settings.download and self.source is not None:
            download(self.name, root, partial(self.source, str(root), download=True))
            found = self._form(root)
        if found is None:
            raise RecipeError([absent(self.name, root, self.forms, settings, self.source)])
        try:
            files = self.read(root / found)
        except Exception as error:  # noqa: BLE001 - damaged files raise errors of many types
            text = f"{readable(str(root / found))} cannot be read: {' '.join(str(error).split())}."
            raise RecipeError([problem(text, setting="root")]) from None
        reading = Reading(size=settings.size, colour="rgb", skip_bad=settings.skip_bad)
        return load_files(files, reading, None, form_of(settings))

    def _form(self, root: Path) -> str | None:
        return next((form for form in self.forms if (root / form).exists()), None)

    def read(self, path: Path) -> Found:
        """Return the files, each with its class and part."""
        return read_folder(path)


class Flowers102(Files):
    """Oxford 102 Flowers (Nilsback and Zisserman 2008)."""

    name, forms, source = "flowers102", ("flowers-102/setid.mat",), datasets.Flowers102

    def read(self, path: Path) -> Found:
        """Return the files that the two tables list."""
        from scipy.io import loadmat  # noqa: PLC0415 - a slow import

        parts = loadmat(path, squeeze_me=True)
        labels = loadmat(path.with_name("imagelabels.mat"), squeeze_me=True)["labels"]
        names = datasets.Flowers102.classes
        return Found(
            items=[
                Item(
                    path=path.parent / "jpg" / file,
                    name=file,
                    place=file,
                    label=names[int(labels[number - 1]) - 1],
                    part=part,
                )
                for key, part in (("trnid", "train"), ("valid", "val"), ("tstid", "test"))
                for number in np.atleast_1d(parts[key]).tolist()
                for file in (f"image_{number:05d}.jpg",)
            ]
        )


class Food101(Files):
    """Food-101 (Bossard et al. 2014)."""

    name, forms, source = "food101", ("food-101/meta/train.json",), datasets.Food101

    def read(self, path: Path) -> Found:
        """Return the files that the two lists name."""
        return Found(items=[item for part in ("train", "test") for item in self._items(path, part)])

    @staticmethod
    def _items(path: Path, part: str) -> Iterator[Item]:
        listing: dict[str, list[str]] = json.loads(path.with_name(f"{part}.json").read_text(encoding="utf-8"))
        for label, names in listing.items():
            for name in names:
                file = path.parents[1] / "images" / f"{name}.jpg"
                yield Item(path=file, name=name, place=readable(name), label=label, part=part)


class Imagenet(Files):
    """ImageNet (Russakovsky et al. 2015), in a folder for each class below `train` and `val`."""

    name, forms = "imagenet", ("imagenet",)


class Imagenet16(Files):
    """ImageNet16-120 (Chrabaszcz et al. 2017; Dong and Yang 2020), in a folder for each class."""

    name, forms = "imagenet16-120", ("imagenet16-120", "ImageNet16-120")
