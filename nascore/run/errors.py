"""The text of an exception in one line, with advice for errors of the system.

Who calls from Python reads it under the traceback; the command line reads it to say where the log is.
"""

from __future__ import annotations

from errno import EACCES, EDQUOT, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from typing import Final

_CURES: Final = {
    EACCES: "you have no right to it",
    EPERM: "you have no right to it",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
    EDQUOT: "your share of the disk is used up",
    EISDIR: "a folder stands there",
    ENOTDIR: "a file stands where a folder must be",
}


def cause(error: OSError) -> str:
    """Return why the system refused; the path is left out, since the message names it already."""
    if error.errno in _CURES:
        return _CURES[error.errno]
    return error.strerror or str(error) or type(error).__name__


_NOTE: Final = "The run is kept in "


def mark(error: BaseException, folder: Path) -> None:
    """Say on an exception which run it ended."""
    if run_of(error) is None:
        error.add_note(f"{_NOTE}{folder}")


def mark_whole(error: BaseException, folder: Path) -> None:
    """Say on an exception which run of several runs it ended, instead of which of these."""
    notes: list[str] = getattr(error, "__notes__", [])
    notes[:] = [note for note in notes if not note.startswith(_NOTE)]
    mark(error, folder)


def run_of(error: BaseException) -> Path | None:
    """Return the folder of the run that an exception ended; None where it ended none."""
    notes: list[str] = getattr(error, "__notes__", [])
    return next((Path(note.removeprefix(_NOTE)) for note in notes if note.startswith(_NOTE)), None)
