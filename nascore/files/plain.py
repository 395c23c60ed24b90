"""Opens plain files of limited size, and checks paths.

A named pipe blocks its reader for ever, a device never ends, and either may stand where a recipe or a file of
a run is expected.
"""

from __future__ import annotations

import os
from errno import EFBIG, EINVAL, EISDIR, EXDEV
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from io import BufferedReader
    from os import PathLike


MOST: Final = 1 << 30
"""Bytes of a file that is read as a whole: weights, results and galleries are smaller."""

MOST_OF_A_DOCUMENT: Final = 1_000_000
"""Bytes of a recipe or a description; the YAML parser takes seconds for so many."""

_KINDS: Final = (
    (S_ISFIFO, "a named pipe"),
    (S_ISCHR, "a device"),
    (S_ISBLK, "a device"),
    (S_ISSOCK, "a socket"),
)


class DamagedError(OSError):
    """The content of a file is not as it was written.

    Args:
        text: What is wrong, as a clause that follows the file's name and a colon.
    """

    def __init__(self, text: str) -> None:
        super().__init__(EINVAL, text)


def open_plain(path: Path, *, most: int = MOST) -> BufferedReader:
    """Open a file for reading.

    Args:
        path: The file; links are followed.
        most: The largest size in bytes that is opened.

    Raises:
        OSError: It cannot be opened, is no plain file, or is too large.
        ValueError: The path has a character that no path has.
    """
    # Asked twice: opening a device may already do something, and what is opened may be another file.
    _refuse_unless_plain(path, os.stat(path), most)  # noqa: PTH116 - as in `looking`
    # Without waiting for who writes to it, should it have become a pipe in between.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _refuse_unless_plain(path, os.fstat(file.fileno()), most)
    except BaseException:
        file.close()
        raise
    return file


def refuse_outside(path: Path, folder: Path) -> None:
    """Refuse a file that lies elsewhere than in a folder: behind a link, or behind `..`.

    Raises:
        OSError: It lies elsewhere.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise OSError(EXDEV, f"it lies outside {folder}")


def _refuse_unless_plain(path: Path, found: os.stat_result, most: int) -> None:
    if S_ISDIR(found.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if not S_ISREG(found.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "something else")
        raise OSError(EINVAL, f"it is {kind}, not a plain file")
    if found.st_size > most:
        raise OSError(EFBIG, f"it has {found.st_size:,} bytes, and at most {most:,} are read")


def given_path(path: str | PathLike[str]) -> Path:
    """Return a path that a user gave, with ``~`` and ``~name`` as the home folder.

    A shell expands ``~`` at the beginning of a word alone: not in `file:~/chain.yaml`, not in quotes, not in
    a recipe, not in Python. One that stands for no home folder stays as it is.
    """
    given = Path(path)
    try:
        return given.expanduser()
    except RuntimeError:  # nobody is called so
        return given


def shown_path(path: Path) -> Path:
    """Return a path as a user would type it here: from the working folder, where it lies below that."""
    try:
        return path.relative_to(Path.cwd())
    except (OSError, ValueError):
        return path
