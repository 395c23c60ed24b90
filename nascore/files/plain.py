"""Opens plain files of limited size, and checks paths.

A named pipe can block its reader forever and a device may never end, so only plain files are read.
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
"""The largest file that is read as a whole, in bytes: weights, results and galleries are smaller."""

MOST_OF_A_DOCUMENT: Final = 1_000_000
"""The largest recipe or description, in bytes; the YAML parser takes seconds for it."""

_KINDS: Final = (
    (S_ISFIFO, "a named pipe"),
    (S_ISCHR, "a device"),
    (S_ISBLK, "a device"),
    (S_ISSOCK, "a socket"),
)


class DamagedError(OSError):
    """The content of a file was changed after it was written.

    Args:
        text: The fault, as a clause after the file's name and a colon.
    """

    def __init__(self, text: str) -> None:
        super().__init__(EINVAL, text)


def open_plain(path: Path, *, most: int = MOST) -> BufferedReader:
    """Open a file for reading.

    Args:
        path: The file; links are followed.
        most: The largest size in bytes that is opened.

    Raises:
        OSError: It cannot be opened, is not a plain file, or is too large.
        ValueError: The path has an invalid character.
    """
    # Checked twice: opening a device can have effects, and the file may be replaced before it is opened.
    _refuse_unless_plain(path, os.stat(path), most)  # noqa: PTH116 - as in `looking`
    # O_NONBLOCK: if the file has become a pipe in between, opening it must not wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _refuse_unless_plain(path, os.fstat(file.fileno()), most)
    except BaseException:
        file.close()
        raise
    return file


def refuse_outside(path: Path, folder: Path) -> None:
    """Raise if a file is outside a folder, through a link or `..`.

    Raises:
        OSError: The file is outside.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise OSError(EXDEV, f"it is outside {folder}")


def _refuse_unless_plain(path: Path, found: os.stat_result, most: int) -> None:
    if S_ISDIR(found.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if not S_ISREG(found.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "something else")
        raise OSError(EINVAL, f"it is {kind}, not a plain file")
    if found.st_size > most:
        raise OSError(EFBIG, f"it has {found.st_size:,} bytes; the limit is {most:,}")


def given_path(path: str | PathLike[str]) -> Path:
    """Return a user's path, with ``~`` and ``~name`` expanded to the home folder.

    A shell expands ``~`` only at the beginning of a word: not in `file:~/chain.yaml`, in quotes, in a recipe
    or in Python. An unknown ``~name`` stays unchanged.
    """
    unexpanded = Path(path)
    try:
        return unexpanded.expanduser()
    except RuntimeError:  # there is no such user
        return unexpanded


def shown_path(path: Path) -> Path:
    """Return a path as a user would type it: relative to the working folder if it is inside."""
    try:
        return path.relative_to(Path.cwd())
    except (OSError, ValueError):
        return path
