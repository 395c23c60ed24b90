"""Image data sets for nascore, files of your own and published ones, and tricks for training.

This module declares them and imports none of torch, torchvision and Pillow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from nascore.api import Component, Give, ImageReader, Preset, Problem, did_you_mean, hookimpl
from nascore_vision.networks import (  # hooks of this plugin
    nascore_operations as nascore_operations,
)
from nascore_vision.networks import (
    nascore_translators as nascore_translators,
)
from nascore_vision.settings import (
    CsvSettings,
    FolderSettings,
    Imagenet16Settings,
    ImagenetSettings,
    NpzSettings,
    PublishedFilesSettings,
    PublishedSettings,
)
from nascore_vision.tasks import nascore_tasks as nascore_tasks
from nascore_vision.tricks import nascore_tricks as nascore_tricks  # a hook of this plugin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Choice

SUFFIXES: Final = (
    ".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip
"""The suffixes of files that are read as images."""

EXAMPLE: Final = Path(__file__).with_name("example")
"""Small data of each form, for the conformance kit."""


ARRAYS: Final = (
    ("mnist", "Mnist", "MNIST: 70,000 grey handwritten digits of 28x28 pixels."),
    ("fashion-mnist", "FashionMnist", "Fashion-MNIST: 70,000 grey images of clothes, 28x28 pixels."),
    ("kmnist", "Kmnist", "Kuzushiji-MNIST: 70,000 grey cursive characters of 28x28 pixels."),
    ("cifar10", "Cifar10", "CIFAR-10: 60,000 images in colour of 32x32 pixels, 10 classes."),
    ("cifar100", "Cifar100", "CIFAR-100: 60,000 images in colour of 32x32 pixels, 100 classes."),
    ("svhn", "Svhn", "Street View House Numbers: 99,289 images in colour of 32x32 pixels."),
    ("stl10", "Stl10", "STL-10: its 13,000 labelled images in colour of 96x96 pixels."),
)
"""Published data sets in arrays: name, class, summary."""

FILES: Final = (
    ("flowers102", "Flowers102", "Oxford Flowers: 8,189 photos of 102 kinds.", PublishedFilesSettings),
    ("food101", "Food101", "Food-101: 101,000 photos of 101 dishes.", PublishedFilesSettings),
    ("imagenet", "Imagenet", "ImageNet: 1.3 million photos of 1,000 classes.", ImagenetSettings),
    ("imagenet16-120", "Imagenet16", "ImageNet of 16x16 pixels, 120 classes.", Imagenet16Settings),
)
"""Published data sets in image files: name, class, summary, settings."""


class _Named(Protocol):
    path: Path | None


def _path_check(name: str, kind: str) -> Any:  # noqa: ANN401 - a check of any settings with a path
    """Return the check of a component whose setting `path` must exist.

    Args:
        name: The component.
        kind: `folder` or `file`.
    """

    def check(settings: _Named, recipe: Choice) -> Iterable[Problem]:
        del recipe
        hint, path = f"Write --dataset {name}:PATH.", settings.path
        if path is None:
            text = f"no {kind} is named."
        elif not path.expanduser().exists():
            text = f"there is no {kind} {path}."
            hint = _near(path.expanduser()) or hint
        else:
            return
        yield Problem(path="dataset.path", text=text, hint=hint, slots=("dataset",))

    return check


def _near(path: Path) -> str:
    try:
        names = [str(one) for one in path.parent.iterdir()]
    except OSError:
        return ""
    return did_you_mean(str(path), names)


def _has_numbers(settings: CsvSettings) -> bool:
    return settings.target is not None or settings.label_separator is not None


@hookimpl
def nascore_datasets() -> Iterable[Component]:
    """Yield the data sets."""
    yield Component(
        name="folder",
        slot="dataset",
        summary="Your own images, in one folder for each class.",
        config=FolderSettings,
        build="nascore_vision.datasets:Folder",
        provides=("halves", "files"),
        argument="path",
        check=_path_check("folder", "folder"),
        example={"path": EXAMPLE / "folder"},
    )
    yield Component(
        name="csv",
        slot="dataset",
        summary="Your own images, listed in a CSV file with their classes, labels or numbers.",
        config=CsvSettings,
        build="nascore_vision.datasets:Csv",
        provides=("halves", "files", Give(capability="vectors", when=_has_numbers)),
        argument="path",
        check=_path_check("csv", "file"),
        example={"path": EXAMPLE / "images.csv"},
    )
    yield Component(
        name="npz",
        slot="dataset",
        summary="Your own images, in an archive of NumPy arrays.",
        config=NpzSettings,
        build="nascore_vision.datasets:Npz",
        provides=("halves", "classes", "vectors"),  # the file decides which, and is read later
        argument="path",
        check=_path_check("npz", "file"),
        example={"path": EXAMPLE / "images.npz"},
    )
    yield from _published()


@hookimpl
def nascore_image_readers() -> Iterable[ImageReader]:
    """Yield the reader of image files."""
    yield ImageReader(name="pillow", suffixes=SUFFIXES, read="nascore_vision.predicted:read_image")


def _published() -> Iterable[Component]:
    for name, build, summary in ARRAYS:
        yield Component(
            name=name,
            slot="dataset",
            summary=summary,
            config=PublishedSettings,
            build=f"nascore_vision.published_arrays:{build}",
            provides=("halves",),
            argument="root",
        )
    for name, build, summary, config in FILES:
        yield Component(
            name=name,
            slot="dataset",
            summary=summary,
            config=config,
            build=f"nascore_vision.published_files:{build}",
            provides=("halves", "files"),
            argument="root",
        )


@hookimpl
def nascore_presets() -> Iterable[Preset]:
    """Yield the training procedures of timm."""
    for name, epochs in (("a1", 600), ("a2", 300), ("a3", 100)):
        yield Preset(
            name=f"timm-{name}",
            summary=f"Procedure {name.upper()} of timm (ResNet strikes back), {epochs} epochs.",
            path=Path(__file__).parent / "presets" / f"timm-{name}.yaml",
        )
