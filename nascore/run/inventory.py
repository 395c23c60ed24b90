"""What is in a run's folder, and what is not: the answer to a run that is half there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.errors import RunFolderError
from nascore.run.files import lines_of
from nascore.run.format import environment_of
from nascore.run.looking import is_file, is_there
from nascore.run.names import (
    COMPARISON,
    DERIVED,
    DESCRIPTION,
    GALLERY,
    JOBS,
    METRICS,
    WRITTEN,
    WRITTEN_BY_COMPARISON,
)

if TYPE_CHECKING:
    from pathlib import Path


def inventory(path: Path) -> str:
    """Return in a sentence which files of a run are there, and which are missing."""
    written = WRITTEN_BY_COMPARISON if is_there(path / COMPARISON) else WRITTEN
    there = [name for name in written if is_there(path / name)]
    missing = [name for name in _expected(path) if name not in there]
    there = [_named(path, name) for name in there]
    said = f"It holds {', '.join(there) or 'no file of a run'}"
    return f"{said}; missing: {', '.join(missing)}." if missing else f"{said}."


def learned_file(path: Path) -> Path | None:
    """Return the file with what a search that was stopped had chosen by then; None where there is none.

    That is what it had begun to train; before that, what it would have derived after its last epoch.

    Args:
        path: The run's folder.
    """
    jobs = sorted(_jobs(path), reverse=True)
    for name in (
        *(f"{job}/{DESCRIPTION}" for job in jobs if not job.endswith("-search")),
        *(f"{job}/{DERIVED}" for job in jobs),
    ):
        if is_file(path / JOBS / name):
            return path / JOBS / name
    return None


def _named(path: Path, name: str) -> str:
    if name == METRICS:
        try:
            epochs = sum(1 for _ in lines_of(path / name))
        except RunFolderError:
            return f"{name} (damaged)"
        return f"{name} ({epochs} epoch{'' if epochs == 1 else 's'})"
    if name == JOBS:
        return ", ".join(f"{name}/{job}" for job in _jobs(path)) or f"{name} (none)"
    return name


def _expected(path: Path) -> list[str]:
    if is_there(path / COMPARISON):
        return list(WRITTEN_BY_COMPARISON)
    try:
        evaluation = environment_of(path).get("kind") == "evaluate"
    except RunFolderError:
        evaluation = False  # that it is damaged is said by whoever reads it
    return [name for name in WRITTEN if not (evaluation and name == GALLERY)]


def _jobs(path: Path) -> list[str]:
    try:
        return sorted(job.name for job in (path / JOBS).iterdir())
    except OSError:
        return []
