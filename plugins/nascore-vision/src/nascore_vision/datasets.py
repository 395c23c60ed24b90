"""Data sets in files of the user: a folder of images, a CSV file, or an archive of NumPy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nascore.api import RecipeError
from nascore.nn import Examples
from nascore_vision.arrays import read_npz
from nascore_vision.images import Reading, decode_all
from nascore_vision.listing import class_problems, listing_of, read_csv, read_folder
from nascore_vision.memory import InFiles, InMemory, Loaded, held
from nascore_vision.problems import problem

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from nascore.api import Problem
    from nascore_vision.listing import Found, Item, Listing
    from nascore_vision.settings import (
        CsvSettings,
        FolderSettings,
        ImageSettings,
        NpzSettings,
        SplitSettings,
    )


class Folder(InFiles):
    """Images in one folder for each class."""

    def __init__(self, settings: FolderSettings) -> None:
        def load() -> Loaded:
            found = read_folder(_named(settings.path))
            return load_files(found, reading_of(settings), settings)

        super().__init__(load, settings)


class Csv(InFiles):
    """Images that a CSV file lists."""

    def __init__(self, settings: CsvSettings) -> None:
        def load() -> Loaded:
            found = read_csv(settings, _named(settings.path))
            return load_files(found, reading_of(settings), settings)

        super().__init__(load, settings)


class Npz(InMemory):
    """Images in an archive of NumPy arrays."""

    def __init__(self, settings: NpzSettings) -> None:
        def load() -> Loaded:
            path = _named(settings.path)
            try:
                seen = path.stat()
                key: Hashable = (settings, seen.st_mtime_ns, seen.st_size)
            except OSError:
                key = settings
            return held(key, lambda: read_npz(settings, path))

        super().__init__(load, settings)


def _named(path: Path | None) -> Path:
    assert path is not None  # the check of the component refused it
    return path.expanduser()


def reading_of(settings: ImageSettings) -> Reading:
    """Return how the settings say that image files are read."""
    return Reading(
        size=settings.size,
        fit=settings.fit,
        colour=settings.colour,
        background=settings.background,
        skip_bad=settings.skip_bad,
    )


def load_files(found: Found, reading: Reading, settings: SplitSettings | None) -> Loaded:
    """Return the images of files.

    Args:
        found: The files.
        reading: How they are read.
        settings: How images that the data assign to no part are divided; None: the data assign all.

    Raises:
        RecipeError: With all problems of the files and of their classes.
    """
    listing, problems = listing_of(found, settings)
    stamps = tuple(map(_stamp, listing.items))
    if problems:
        return _decoded(listing, reading, problems)
    return held((listing, reading, stamps), lambda: _decoded(listing, reading, problems))


def _stamp(item: Item) -> tuple[int, int]:
    try:
        seen = item.path.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size


def _decoded(listing: Listing, reading: Reading, problems: list[Problem]) -> Loaded:
    decoded = decode_all(listing, reading, problems) if listing.items else None
    if decoded is not None:
        problems += class_problems(decoded.listing)  # of classes whose files were all left out
    if problems or decoded is None:
        raise RecipeError(problems or [problem("there are no images.")])
    parts = decoded.listing.parts
    labels = torch.tensor(decoded.listing.targets, dtype=torch.int64)
    is_test = torch.tensor([part == "test" for part in parts])
    return Loaded(
        train=Examples(images=decoded.pixels[~is_test], labels=labels[~is_test]),
        test=Examples(images=decoded.pixels[is_test], labels=labels[is_test]),
        number=len(listing.classes),
        classes=listing.classes,
        sizes=decoded.sizes,
        skipped=decoded.skipped,
    )
