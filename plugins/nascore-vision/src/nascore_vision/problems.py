"""Problems of data, in the words of all data sets of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.api import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

SLOT: Final = "dataset"
NAMED: Final = 5
"""Number of files that a message names."""


def problem(text: str, hint: str = "", *, setting: str = "path") -> Problem:
    """Return a problem of a setting of the data set."""
    return Problem(path=f"{SLOT}.{setting}", text=text, hint=hint, slots=(SLOT,))


def listed(names: Collection[str], most: int = NAMED) -> str:
    """Return the first names with commas between them, and the number of the others."""
    first = [readable(name) for name in list(names)[:most]]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def readable(name: str) -> str:
    """Return a name that can be printed and encoded; bytes that are not UTF-8 become escapes."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def of_classes(classes: Iterable[str]) -> str:
    """Return names of classes in quotes."""
    return listed([repr(readable(name)) for name in classes])


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 image``, ``3,000 images``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def missing(path: Path, what: str) -> Problem:
    """Return the problem of a path that does not exist or is of the wrong kind."""
    kind = "is a folder" if path.is_dir() else "is not a folder" if path.exists() else "does not exist"
    return problem(f"{readable(str(path))} {kind}.", f"Name {what}.")
