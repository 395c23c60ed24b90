"""Data sets in files of the user: a folder of images, a CSV file, or an archive of NumPy arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from nascore.api import RecipeError
from nascore.nn import Examples
from nascore_vision.arrays import read_npz
from nascore_vision.images import ImageFiles, Reading, check_memory, decode_all, file_problems, named
from nascore_vision.listing import class_problems, listing_of, read_csv, read_folder
from nascore_vision.memory import InFiles, InMemory, Loaded, held
from nascore_vision.streaming import Form, answers_of, cache_key, cached_examination, examine, keep, streamed

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from pathlib import Path

    from nascore.api import Problem
    from nascore_vision.images import Headers
    from nascore_vision.items import Found, Item, Listing
    from nascore_vision.settings import (
        CsvSettings,
        FolderSettings,
        FormSettings,
        ImageSettings,
        NpzSettings,
        SplitSettings,
    )
    from nascore_vision.streaming import Examination, Stamp

IN_MEMORY: Final = Form()
"""Images are held in memory."""


class Folder(InFiles):
    """Images in one folder for each class."""

    def __init__(self, settings: FolderSettings) -> None:
        def load() -> Loaded:
            found = read_folder(_named(settings.path))
            return load_files(found, reading_of(settings), settings, form_of(settings))

        super().__init__(load, settings)


class Csv(InFiles):
    """Images that a CSV file lists."""

    def __init__(self, settings: CsvSettings) -> None:
        def load() -> Loaded:
            found = read_csv(settings, _named(settings.path))
            return load_files(found, reading_of(settings), settings, form_of(settings))

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


def form_of(settings: FormSettings) -> Form:
    """Return how the settings say where images are kept."""
    return Form(memory=settings.memory, workers=settings.workers)


def load_files(
    found: Found, reading: Reading, settings: SplitSettings | None, form: Form = IN_MEMORY
) -> Loaded:
    """Return the images of files.

    Args:
        found: The files.
        reading: How they are read.
        settings: How images that the data assign to no part are divided; None: the data assign all.
        form: Whether they are held in memory.

    Raises:
        RecipeError: With all problems of the files and of their classes.
    """
    listing, problems = listing_of(found, settings)
    files, stamps = ImageFiles(items=listing.items, reading=reading), tuple(map(_stamp, listing.items))
    if problems:
        if not listing.items:
            raise RecipeError(problems)
        return _decoded(files, listing, problems)

    def load() -> Loaded:
        return (
            _decoded(files, listing, []) if form.memory == "memory" else _loaded(files, listing, stamps, form)
        )

    return held((listing, reading, stamps, form), load)


def _stamp(item: Item) -> Stamp:
    try:
        seen = item.path.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size


def _loaded(files: ImageFiles, listing: Listing, stamps: Sequence[Stamp], form: Form) -> Loaded:
    """Return images that are streamed if they are large; files are examined once, not by each process."""
    key = cache_key(files, listing, stamps)
    known = cached_examination(key)
    if known is not None:
        files.channels, files.shape = known.channels, known.shape
        if form.streams(files):
            return _streamed(files, listing, known, form)
    headers = files.headers()
    # Files whose shape is unknown have problems, which reading them one by one reports.
    if not files.channels or files.shape is None or not form.streams(files):
        return _decoded(files, listing, [], headers)
    known, transparent = examine(files, headers, listing, stamps, form.processes)
    problems = [*file_problems(files, headers, transparent)]
    problems += class_problems(listing.without(known.bad))
    if problems:
        raise RecipeError(problems)
    keep(key, known)
    return _streamed(files, listing, known, form)


def _streamed(files: ImageFiles, listing: Listing, known: Examination, form: Form) -> Loaded:
    parts = streamed(files, listing.without(known.bad), known, form.processes)
    return Loaded(
        train=parts["train"],
        test=parts["test"],
        moments=(known.mean, known.std),
        number=len(listing.target_names or listing.classes),
        classes=listing.classes,
        target_names=listing.target_names,
        sizes={(width, height): number for width, height, number in known.sizes},
        skipped=tuple(named(files, known.bad)),
    )


def _decoded(
    files: ImageFiles, listing: Listing, problems: list[Problem], headers: Headers | None = None
) -> Loaded:
    """Return images in memory."""
    if headers is None:
        check_memory(files)  # before the headers, which take long if there are many
        headers = files.headers()
    decoded = decode_all(files, headers, listing, problems)
    if decoded is not None:
        problems += class_problems(decoded.listing)  # of classes whose files were all left out
    if problems or decoded is None:
        raise RecipeError(problems)
    labels = answers_of(decoded.listing, range(len(decoded.listing.items)))
    is_test = torch.tensor([part == "test" for part in decoded.listing.parts])
    return Loaded(
        train=Examples(images=decoded.train, labels=labels[~is_test]),
        test=Examples(images=decoded.test, labels=labels[is_test]),
        number=len(listing.target_names or listing.classes),
        classes=listing.classes,
        target_names=listing.target_names,
        sizes=decoded.sizes,
        skipped=decoded.skipped,
    )
