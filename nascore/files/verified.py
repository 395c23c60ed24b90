"""Reads files and compares each with the checksums of its run, if it belongs to one."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nascore.files.checksums import Checksum, checksums_of
from nascore.files.plain import MOST, open_plain, refuse_outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.files.checksums import Checksums

BLOCK: Final = 1 << 16
LEVELS: Final = 4
"""The number of parent folders in which the list of a file is searched: `jobs/0001-search/best/model.py`."""


def read_bytes(path: Path, *, most: int = MOST) -> bytes:
    """Return the content of a plain file.

    Args:
        path: The file.
        most: The largest size in bytes that is read.

    Raises:
        OSError: It cannot be read, is not a plain file, or is too large.
        DamagedError: It is a file of a run and was changed.
        ValueError: The path has an invalid character.
    """
    with open_plain(path, most=most) as file:
        # Not `most`: reading reserves that much memory. BLOCK is for files of /proc, whose size is 0.
        content = file.read(os.fstat(file.fileno()).st_size or BLOCK)
    _compare(path, Checksum.of(content))
    return content


def read_text(path: Path, *, most: int = MOST) -> str:
    """Return the text of a plain file in UTF-8, with all line ends as a line feed.

    Raises:
        OSError: As :func:`read_bytes`.
        ValueError: As :func:`read_bytes`, or it is not UTF-8 (UnicodeDecodeError).
    """
    return read_bytes(path, most=most).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a plain file, however large; after the last line it is compared with its checksum.

    Raises:
        OSError: As :func:`read_bytes`.
    """
    state, size = sha256(), 0
    with open_plain(path, most=1 << 50) as file:
        for line in file:
            state.update(line)
            size += len(line)
            yield line
    _compare(path, Checksum(size=size, sha256=state.hexdigest()))


def check_file(path: Path) -> None:
    """Compare a file, however large, with the checksum of its run; a file outside runs passes.

    Raises:
        OSError: As :func:`read_bytes`.
    """
    _compare(path, Checksum.of_file(path))


def _compare(path: Path, found: Checksum) -> None:
    known = _listed(path)
    if known is not None:
        known[0].refuse_damaged(known[1], found)


def _listed(path: Path) -> tuple[Checksums, str] | None:
    """Return the list of a file's run, with the file's path in it; None where there is no list."""
    named = Path(os.path.abspath(path))  # noqa: PTH100 - without following links
    real = Path(os.path.realpath(named))
    # Both paths: a link may lead into a run's folder, but not out of it.
    for candidate in (named,) if real == named else (named, real):
        for folder in list(candidate.parents)[:LEVELS]:
            known = checksums_of(folder)
            if known is not None:
                if real != named:
                    refuse_outside(candidate, folder)
                return known, candidate.relative_to(folder).as_posix()
    return None
