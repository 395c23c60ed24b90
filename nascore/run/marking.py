"""Which run an exception went through: said on the exception itself, as a note.

Who calls from Python reads it under the traceback; the command line reads it to say where the log is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

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
