"""Gives short texts for `OSError`, and notes on an exception which run it ended.

The run is a note on the exception: Python prints it under the traceback, and the command line reads it to
name the log.
"""

from __future__ import annotations

import os
from errno import EACCES, EDQUOT, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from typing import Final

_CAUSES: Final = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
    EDQUOT: "your disk quota is used up",
    EISDIR: "it is a folder",
    ENOTDIR: "part of its path is a file",
}


def cause(error: OSError) -> str:
    """Return the cause of an `OSError` without the path, which the caller's message names already."""
    if error.errno in _CAUSES:
        return _CAUSES[error.errno]
    return error.strerror or str(error) or type(error).__name__


_NOTE: Final = "The run is kept in "
_GONE: Final = "The folder of the run is gone: "


def mark(error: BaseException, folder: Path) -> None:
    """Add a note to an exception that names the run that it ended; a first note stays."""
    if run_of(error) is None:
        error.add_note(f"{_NOTE if os.access(folder, os.F_OK) else _GONE}{folder}")


def mark_whole(error: BaseException, folder: Path) -> None:
    """Replace an exception's note of the single run with one that names the comparison it ended."""
    notes: list[str] = getattr(error, "__notes__", [])
    notes[:] = [note for note in notes if not note.startswith((_NOTE, _GONE))]
    mark(error, folder)


def run_of(error: BaseException) -> Path | None:
    """Return the folder of the run that an exception ended; None if it ended no run.

    The folder may be gone: somebody may have removed it during the run.
    """
    for note in getattr(error, "__notes__", ()):
        for start in (_NOTE, _GONE):
            if note.startswith(start):
                return Path(note.removeprefix(start))
    return None


def further_notes(error: BaseException) -> list[str]:
    """Return the notes of an exception that do not name its run."""
    return [note for note in getattr(error, "__notes__", ()) if not note.startswith((_NOTE, _GONE))]
