"""A small file that keeps room on the disk for the last files of a run."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

RESERVE: Final = ".reserve"

SIZE: Final = 1 << 18
"""Bytes: enough for the gallery, the list of checksums and the result of a long run."""


def keep_reserve(folder: Path) -> None:
    """Write the reserve file into a run's folder, if the disk has room for it."""
    with suppress(OSError):
        # Random, since some file systems store no blocks for zeros.
        (folder / RESERVE).write_bytes(os.urandom(SIZE))


def free_reserve(folder: Path) -> None:
    """Remove the file: the run is about to write its last files."""
    with suppress(OSError):
        (folder / RESERVE).unlink(missing_ok=True)
