"""Reads files and compares each with the checksums of its run, if there are any."""

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
"""Folders above a file of a run in which the list may be: `jobs/0001-search/best/model.py`."""


def read_bytes(path: Path, *, most: int = MOST) -> bytes:
    """Return the content of a plain file.

    Args:
        path: The file.
        most: The largest size in bytes that is read.

    Raises:
        OSError: It cannot be read, is no plain file, or is too large.
        DamagedError: It is a file of a run, and not as the run wrote it.
        ValueError: The path has a character that no path has.
    """
    with open_plain(path, most=most) as file:
        # Not `most`: a reader reserves as much memory as it may read. Files of /proc have a size of 0.
        content = file.read(os.fstat(file.fileno()).st_size or BLOCK)
    _compare(path, Checksum.of(content))
    return content


def read_text(path: Path, *, most: int = MOST) -> str:
    """Return the text of a plain file in UTF-8, its line ends as one character each.

    Raises:
        OSError: As :func:`read_bytes`.
        ValueError: As :func:`read_bytes`, or it is no text (UnicodeDecodeError).
    """
    return read_bytes(path, most=most).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a plain file, however large; compared with the list when the last one was read.

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
    """Compare a file, however large, with the list of its run; one that belongs to none passes.

    Raises:
        OSError: As :func:`read_bytes`.
    """
    _compare(path, Checksum.of_file(path))


def _compare(path: Path, found: Checksum) -> None:
    known = _listed(path)
    if known is not None:
        known[0].refuse_damaged(known[1], found)


def _listed(path: Path) -> tuple[Checksums, str] | None:
    """Return the list that speaks of a file, with the file's path there; None where there is none."""
    given = Path(os.path.abspath(path))  # noqa: PTH100 - without following links
    real = Path(os.path.realpath(given))
    # As it was named, and where it is: a link may lead into a run's folder, and must not lead out of it.
    for one in (given,) if real == given else (given, real):
        for folder in list(one.parents)[:LEVELS]:
            known = checksums_of(folder)
            if known is not None:
                if real != given:
                    refuse_outside(one, folder)
                return known, one.relative_to(folder).as_posix()
    return None
