"""Lists image files with their classes: those of a folder, and those of a CSV file."""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.api import did_you_mean, read_text
from nascore_vision import SUFFIXES
from nascore_vision.items import Found, Item, Listing, Part
from nascore_vision.problems import count, listed, missing, of_classes, problem, readable
from nascore_vision.targets import PREFIX, Numbers, target_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.api import Problem
    from nascore_vision.settings import CsvSettings, SplitSettings

LEVELS: Final[Mapping[str, str]] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""Names of parts, in folders and in columns of tables, in lower case."""

FEWEST_CLASSES: Final = 2

NUMBER: Final = re.compile(r"-?[0-9]+")
"""Names of classes that are sorted as numbers, if all are."""


def read_folder(path: Path) -> Found:
    """Return the images of a folder with a sub-folder for each class, perhaps below train, val and test.

    A folder `train` is a level only if it has sub-folders: it can also be the name of a class.
    """
    found = Found()
    if not path.is_dir():
        found.problems.append(missing(path, "a folder with one sub-folder for each class"))
        return found
    try:
        levels = _levels(path)
        for folder, part in levels.items() or [(path, "")]:
            for of_class in _folders(folder):
                _read_class(of_class, part, path, found)
        stray = _stray(path, levels)
    except OSError as error:
        found.problems.append(problem(f"{readable(str(error.filename))} cannot be read: {error.strerror}."))
        return found
    if stray:
        text = f"{listed(stray)} in {readable(str(path))} belong to no part."
        found.problems.append(problem(text, "Move them into train, val or test, or remove them."))
    if not found.items and not found.empty:
        found.problems.append(_without_classes(path))
    return found


def _levels(path: Path) -> dict[Path, str]:
    """Return the folders of parts by path; none if the sub-folders are classes."""
    named = {
        folder: LEVELS[folder.name.lower()] for folder in _folders(path) if folder.name.lower() in LEVELS
    }
    nested = {folder: part for folder, part in named.items() if _folders(folder)}
    return nested if "train" in nested.values() else {}


def _stray(path: Path, levels: Mapping[Path, str]) -> list[str]:
    """Return the names of folders with images beside those of the parts."""
    if not levels:
        return []
    return [folder.name for folder in _folders(path) if folder not in levels and any(_images(folder))]


def _without_classes(path: Path) -> Problem:
    beside = sum(1 for _ in _images(path))
    if beside:
        text = f"{readable(str(path))} has {count(beside, 'image')}, but no sub-folder for each class."
        return problem(text, "Move the images of each class into a folder with the name of the class.")
    return problem(
        f"{readable(str(path))} has no images.", "Put one sub-folder with images for each class there."
    )


def _read_class(folder: Path, part: str, root: Path, found: Found) -> None:
    label = unicodedata.normalize("NFC", folder.name)
    files = sorted(_images(folder))
    for file in files:
        name = file.relative_to(root).as_posix()
        found.items.append(Item(path=file, name=name, place=readable(name), label=label, part=part))
    if not files:
        others = sorted(one.name for one in folder.iterdir() if not _hidden(one.name))
        found.empty[folder.relative_to(root).as_posix()] = (
            f"only {listed(others, 2)}" if others else "it is empty"
        )


def _folders(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if not _hidden(entry.name) and entry.is_dir())


def _images(folder: Path) -> Iterator[Path]:
    """Yield the image files of a folder and its sub-folders; links are followed, but not in a circle."""
    seen: set[str] = set()
    for base, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(base)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _hidden(name))
        for name in names:
            if not _hidden(name) and Path(name).suffix.lower() in SUFFIXES:
                yield Path(base, name)


def _hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX"))


def read_csv(settings: CsvSettings, path: Path) -> Found:
    """Return the images that a CSV file lists."""
    found = Found()
    if not path.is_file():
        found.problems.append(missing(path, "a CSV file with a row for each image"))
        return found
    try:
        text = read_text(path).removeprefix("\ufeff")
        rows = list(csv.reader(text.splitlines(), delimiter=_delimiter(text), strict=True))
    except UnicodeDecodeError:
        found.problems.append(problem(f"{readable(str(path))} is not UTF-8 text.", "Save it as UTF-8."))
        return found
    except (OSError, ValueError, csv.Error) as error:
        found.problems.append(problem(f"{readable(str(path))} cannot be read: {error}."))
        return found
    columns = _columns(settings, rows[0] if rows else [], path, found)
    if columns is not None:
        _read_rows(settings, columns, rows, path, found)
    return found


def _delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def _columns(settings: CsvSettings, head: Sequence[str], path: Path, found: Found) -> dict[str, int] | None:
    """Return the position of each column by its setting; None if one is missing."""
    names = [name.strip() for name in head]
    needed = {
        "image_column": settings.image_column,
        "label_column": settings.label_column,
        "split_column": settings.split_column,
    }
    targets = target_columns(settings)
    if targets:
        del needed["label_column"]
    there = {setting: names.index(name) for setting, name in needed.items() if name in names}
    for name in targets:
        if name not in names:
            text = (
                f"{readable(path.name)} has no column {name}; its columns are: {listed(names, 20) or 'none'}."
            )
            hint = (
                did_you_mean(name, names) or "Set dataset.target to some of them, with commas between them."
            )
            found.problems.append(problem(text, hint, setting="target"))
        else:
            there[f"{PREFIX}{name}"] = names.index(name)
    for setting in ("image_column", "label_column"):
        if setting in needed and setting not in there:
            columns = listed(names, 20) if names else "none"
            text = f"{readable(path.name)} has no column {needed[setting]}; its columns are: {columns}."
            hint = did_you_mean(needed[setting], names) or f"Set dataset.{setting} to one of them."
            found.problems.append(problem(text, hint, setting=setting))
    return None if found.problems else there


def _read_rows(
    settings: CsvSettings, columns: Mapping[str, int], rows: Sequence[Sequence[str]], path: Path, found: Found
) -> None:
    faults: dict[str, list[str]] = {"file": [], "label": [], "part": [], "short": []}
    numbers = Numbers.of(settings, columns)
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) <= max(columns.values()):
            faults["short"].append(f"line {line}")
            continue
        values = numbers.values(row, line)
        item = _item(row, line, columns, path, faults)
        if not numbers.used and not item.label:
            faults["label"].append(f"line {line}")
        if item.name and item.path.is_file():
            found.items.append(evolve(item, values=values))
        else:
            faults["file"].append(item.place)
    if not any(rows[1:]):
        text = f"{readable(path.name)} has no rows."
        found.problems.append(problem(text, "Write a row for each image below the header."))
    _report(settings, faults, path, found)
    numbers.complete(found, readable(path.name))


def _item(
    row: Sequence[str], line: int, columns: Mapping[str, int], path: Path, faults: Mapping[str, list[str]]
) -> Item:
    """Return the image of a row of a table, and note an unknown part."""
    value = {setting: row[at].strip() for setting, at in columns.items()}
    part = LEVELS.get(value.get("split_column", "").lower(), "")
    if value.get("split_column") is not None and not part:
        faults["part"].append(f"{readable(value['split_column'])!r} (line {line})")
    name = value["image_column"]
    return Item(
        path=path.parent / Path(name).expanduser(),
        name=name,
        place=f"{readable(name)} (line {line})",
        label=value.get("label_column", ""),
        part=part,
    )


def _report(settings: CsvSettings, faults: Mapping[str, Sequence[str]], path: Path, found: Found) -> None:
    name = readable(path.name)
    if faults["short"]:
        lines = listed(faults["short"])
        text = f"{name} has {count(len(faults['short']), 'row')} with too few columns: {lines}."
        found.problems.append(problem(text))
    if faults["file"]:
        text = count(len(faults["file"]), f"file of {name} does not exist", f"files of {name} do not exist")
        hint = f"Paths are relative to {readable(str(path.parent))}."
        found.problems.append(problem(f"{text}: {listed(faults['file'])}.", hint, setting="image_column"))
    if faults["label"]:
        text = count(len(faults["label"]), f"row of {name} has no label", f"rows of {name} have no label")
        found.problems.append(problem(f"{text}: {listed(faults['label'])}.", setting="label_column"))
    if faults["part"]:
        text = f"column {settings.split_column} of {name} has values other than train, val and test: "
        hint = "Correct them, or set dataset.split_column to another name."
        found.problems.append(problem(f"{text}{listed(faults['part'])}.", hint, setting="split_column"))


def listing_of(found: Found, settings: SplitSettings | None) -> tuple[Listing, list[Problem]]:
    """Return the listing of found images, and its problems: too few classes, or classes missing in a part.

    Args:
        found: The images.
        settings: How images that the data assign to no part are divided; None: the data assign all.
    """
    if found.target_names:
        return _listing_of_numbers(found, settings)
    names = {item.label for item in found.items}
    numeric = all(NUMBER.fullmatch(name) for name in names)
    classes = sorted(names, key=lambda name: (int(name) if numeric else 0, name))
    numbers = {name: number for number, name in enumerate(classes)}
    items = sorted(found.items, key=lambda item: (numbers[item.label], item.name, item.place))
    targets = tuple(numbers[item.label] for item in items)
    listing = Listing(
        items=tuple(items),
        targets=targets,
        parts=_parts(items, targets, settings),
        classes=tuple(map(readable, classes)),
    )
    problems = list(found.problems)
    if found.empty:
        empty = [f"{readable(name)} ({reason})" for name, reason in found.empty.items()]
        text = f"{count(len(empty), 'class has', 'classes have')} no images: {listed(empty)}."
        problems.append(problem(text, "Add images, or remove the folders."))
    if not found.problems and len(classes) < FEWEST_CLASSES:
        only = f" {of_classes(classes)}" if classes else ""
        problems.append(problem(f"there is one class{only}; a classification needs at least two."))
    elif not found.problems:
        problems += class_problems(listing)
    return listing, problems


def _listing_of_numbers(found: Found, settings: SplitSettings | None) -> tuple[Listing, list[Problem]]:
    """Return the listing of images that have numbers, sorted by name, and its problems."""
    items = sorted(found.items, key=lambda item: (item.name, item.place))
    targets = (0,) * len(items)
    listing = Listing(
        items=tuple(items),
        targets=targets,
        parts=_parts(items, targets, settings),
        classes=(),
        target_names=tuple(map(readable, found.target_names)),
    )
    return listing, found.problems or class_problems(listing)


def class_problems(listing: Listing) -> list[Problem]:
    """Return a problem for each part in which classes have no image, or which has none at all."""
    problems = [
        problem(f"there is no {part} image.", "Two images are the least: one for training, one for testing.")
        for part in ("train", "test")
        if listing.target_names and part not in listing.parts
    ]
    for part in ("train", "test"):
        there = {target for target, of in zip(listing.targets, listing.parts, strict=True) if of == part}
        lacking = [name for number, name in enumerate(listing.classes) if number not in there]
        if lacking:
            text = (
                f"{count(len(lacking), 'class has', 'classes have')} no {part} image: {of_classes(lacking)}."
            )
            hint = "A class needs at least one image for training and one for testing."
            problems.append(problem(text, hint))
    return problems


def _parts(items: Sequence[Item], targets: Sequence[int], settings: SplitSettings | None) -> tuple[Part, ...]:
    """Return the part of each image.

    Validation images are training images if there are test images, and otherwise they are the test images: a
    search takes its own validation images from the training images.
    """
    assigned = {item.part for item in items}
    if settings is None or assigned != {""}:
        held = "test" if "test" in assigned else "val"
        return tuple("test" if item.part == held else "train" for item in items)
    return split([item.name for item in items], targets, settings)


def split(names: Sequence[str], targets: Sequence[int], settings: SplitSettings) -> tuple[Part, ...]:
    """Return a stratified split, which depends on the names and `split_seed` alone.

    Of each class, the images with the smallest digests are for testing: as many as `test_share` says, but at
    least one, and not all. A new image changes the part of at most one other image of its class.
    """
    by_class: dict[int, list[int]] = {}
    for index, target in enumerate(targets):
        by_class.setdefault(target, []).append(index)
    chosen: set[int] = set()
    for indices in by_class.values():
        number = min(max(1, round(settings.test_share * len(indices))), len(indices) - 1)
        chosen.update(sorted(indices, key=lambda index: _digest(settings.split_seed, names[index]))[:number])
    return tuple("test" if index in chosen else "train" for index in range(len(names)))


def _digest(seed: int, name: str) -> bytes:
    return blake2b(f"{seed}/{name}".encode("utf-8", "surrogateescape"), digest_size=16).digest()
