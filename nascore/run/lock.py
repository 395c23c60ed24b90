"""The lock of a run's folder, so that two processes never write to one run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from attrs import define

from nascore.errors import RunFolderError
from nascore.run.atomic import writing
from nascore.shell import command_line

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import FileLock

LOCK: Final = ".lock"


@define
class RunLock:
    """The lock that a process holds while it writes to a run; the system frees it when the process ends.

    Attributes:
        folder: The run's folder.
    """

    folder: Path
    _lock: FileLock | None = None

    def take(self, patience: float = 0.0) -> None:
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

    def free(self) -> None:
        """Release the lock; do nothing if it is not held."""
        if self._lock is not None:
            with suppress(OSError):
                (self.folder / LOCK).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None


def is_held(folder: Path) -> bool:
    """Return whether a process holds the lock of a run's folder, as far as this machine can see."""
    if not (folder / LOCK).exists():
        return False
    from filelock import FileLock  # noqa: PLC0415 - as above

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except OSError:  # a Timeout too
        return True
    lock.release()
    return False
