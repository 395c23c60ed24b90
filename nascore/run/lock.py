"""The lock of a run's folder: two processes never write to one run, and readers see whether one does."""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Final
from uuid import getnode

from attrs import define, frozen

from nascore.errors import RunFolderError
from nascore.run.atomic import writing
from nascore.run.layout import COMPARISON, JOBS, LOG, METRICS, RESULT, is_file
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filelock import FileLock

LOCK: Final = ".lock"
OWNER: Final = ".owner"
"""File with the machine of the process that holds the lock: others may not see that it is held."""

FRESH: Final = 120.0
"""Age of the last line, in seconds, below which a run on another machine counts as running."""

PATIENCE: Final = 0.2
"""Seconds to wait for the lock: a reader holds it for a moment to test it."""


@define
class RunLock:
    """The lock that a process holds while it writes to a run; the system frees it when the process ends.

    Attributes:
        folder: The run's folder.
    """

    folder: Path
    _lock: FileLock | None = None

    def take(self, patience: float = PATIENCE) -> None:
        """Take the lock.

        Args:
            patience: Seconds to wait for another process that has it.

        Raises:
            RunFolderError: Another process holds the lock, or the folder cannot be written to.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415 - its import takes a share of `nascore list`

        lock = FileLock(self.folder / LOCK)
        with writing(self.folder / LOCK):
            try:
                lock.acquire(timeout=patience)
            except Timeout:  # an OSError
                raise RunFolderError(
                    f"{self.folder} is in use: another process is working on this run. "
                    f"Stop that process, or wait for it to finish; see {command_line('nascore', 'runs')}."
                ) from None
        self._lock = lock
        with suppress(OSError):  # without it others judge by the age of the last line
            (self.folder / OWNER).write_text(machine(), encoding="utf-8")

    def free(self) -> None:
        """Release the lock; do nothing if it is not held."""
        if self._lock is not None:
            for name in (OWNER, LOCK):
                with suppress(OSError):
                    (self.folder / name).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None


@frozen
class Activity:
    """Whether a process works on a run that has no result yet.

    Attributes:
        running: Whether a process works on it; otherwise it was killed.
        by_age: Whether this is judged by the age of the last line, since the run is on another machine or its
            lock cannot be tested.
    """

    running: bool
    by_age: bool = False


def activity_of(folder: Path) -> Activity:
    """Return whether a process works on a run: by its lock, or else by the age of its last line."""
    if not (folder / LOCK).exists():
        return Activity(running=False)
    held = _is_held(folder)
    if held or (held is not None and _owner(folder) == machine()):
        return Activity(running=held)
    return Activity(running=age_of(folder) < FRESH, by_age=True)


def age_of(folder: Path) -> float:
    """Return the seconds since a run or one of its unfinished jobs wrote a line; never negative."""
    now = time()
    return max(0.0, now - max(_times(folder), default=now))


def _times(folder: Path) -> Iterator[float]:
    """Yield the times at which the files of a run and of its unfinished jobs were written."""
    folders = [folder]
    with suppress(OSError):
        folders += (job for job in (folder / JOBS).iterdir() if not is_file(job / RESULT))
    for each in folders:
        for name in (METRICS, LOG, COMPARISON):
            with suppress(OSError):
                yield (each / name).stat().st_mtime


def _is_held(folder: Path) -> bool | None:
    """Return whether a process that this machine knows holds the lock; None if it cannot be tested."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - as above

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return None
    lock.release()
    return False


def _owner(folder: Path) -> str:
    try:
        return (folder / OWNER).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


@cache
def machine() -> str:
    """Return a digest of this machine and its current start, on which all processes share their locks."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        text = f"{platform.node()} {getnode()}"
    return blake2b(text.encode(), digest_size=8).hexdigest()
