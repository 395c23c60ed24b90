"""File functions that fail at a chosen call, as those of a full disk or of a killed process do."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from nascore.run import atomic


class Killed(BaseException):
    """The process is killed: no cleanup reaches the disk any more."""


class Faults:
    """Counts the calls of file functions on some files, and fails at one of them.

    Args:
        of: Tells whether the path of a call counts.
        at: Number of the failing call, from 0; None: none fails.
        killing: Whether that call and all later ones raise :class:`Killed`; else it raises a full disk, once.
        failed: Called at that call.
    """

    def __init__(self, of, at=None, *, killing=True, failed=lambda: None):
        self.of, self.at, self.killing, self.failed = of, at, killing, failed
        self.calls = []

    def reach(self, name, path):
        """Count a call; raises where it fails."""
        if not self.of(str(path)):
            return
        number = len(self.calls)
        self.calls.append(name)
        if self.at is None or number < self.at:
            return
        if number == self.at:
            self.failed()
        if self.killing:
            raise Killed
        if number == self.at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


class _File:
    """A temporary file whose functions may fail; half of a failing write reaches the disk."""

    def __init__(self, file, faults):
        self._file, self._faults, self.name = file, faults, file.name

    def __enter__(self):
        return self

    def __exit__(self, *ended):
        self._file.close()

    def write(self, content):
        half = len(content) // 2
        self._file.write(content[:half])
        self._file.flush()
        self._faults.reach("write", self.name)
        return half + self._file.write(content[half:])

    def flush(self):
        self._faults.reach("flush", self.name)
        self._file.flush()

    def fileno(self):
        return self._file.fileno()

    def close(self):
        self._file.close()


@contextmanager
def failing(monkeypatch, faults):
    """Inside, every file function of `nascore.run.atomic` that is called while a file is written counts."""

    def opened(**given):
        faults.reach("open", given["dir"] / given["prefix"])
        return _File(tempfile.NamedTemporaryFile(**given), faults)

    def patched(name):
        right = getattr(Path, name)

        def call(path, *given, **named):
            faults.reach(name, path)
            return right(path, *given, **named)

        return call

    fsync = os.fsync

    def synced(number):
        faults.reach("fsync", Path(f"/proc/self/fd/{number}").readlink())
        fsync(number)

    with monkeypatch.context() as patches:
        patches.setattr(atomic, "NamedTemporaryFile", opened)
        patches.setattr(os, "fsync", synced)
        for name in ("replace", "chmod", "unlink"):
            patches.setattr(Path, name, patched(name))
        yield faults
