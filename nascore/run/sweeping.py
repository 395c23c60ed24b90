"""Removing what killed runs left half written."""

from __future__ import annotations

import re
from contextlib import suppress
from shutil import rmtree
from time import time
from typing import TYPE_CHECKING, Final

from nascore.files import CHECKSUMS
from nascore.run.looking import is_file, is_folder
from nascore.run.names import RESULT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR: Final = 3600
"""Seconds after which nobody writes to a file any more that is written at once."""

_TEMPORARY: Final = re.compile(r"\.[\w-]+\.(yaml|json|jsonl|safetensors|py)\.[a-z0-9_]{8}|\.best\.(new|old)")
"""What a file of a run is called while it is written: a user's own `.env.template` is no such name."""


def sweep(root: Path) -> None:
    """Remove the temporary files of runs that were killed; what cannot be removed stays.

    Args:
        root: The folder of runs; what lies in it and is no run is left alone.
    """
    for run in _inside(root):
        # A folder of somebody's own may hold a recipe too; nobody but a run writes a list of checksums.
        if is_file(run / CHECKSUMS) and not is_file(run / RESULT):
            for folder in (run, run / "best", run / "architectures", *_inside(run / "jobs")):
                for path in _inside(folder):
                    _remove(path)


def _remove(path: Path) -> None:
    if not _TEMPORARY.fullmatch(path.name):
        return
    with suppress(OSError):
        if time() - path.lstat().st_mtime < HOUR:
            return
        if path.name == ".best.old" and not (path.parent / "best").exists():
            return  # the run was killed between two renames: it is the best that there is
        if path.is_dir() and not path.is_symlink():
            rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _inside(folder: Path) -> Iterator[Path]:
    if is_folder(folder):
        with suppress(OSError):
            yield from sorted(folder.iterdir())
