"""Removing what killed runs left half written."""

from __future__ import annotations

import re
from contextlib import suppress
from shutil import rmtree
from time import time
from typing import TYPE_CHECKING, Final

from nascore.run.looking import is_file, is_folder
from nascore.run.names import RECIPE, RESULT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR: Final = 3600
"""Seconds after which nobody writes to a file any more that is written at once."""

_TEMPORARY: Final = re.compile(r"\..+\.[a-z0-9_]{8}|\.best\.(new|old)")


def sweep(root: Path) -> None:
    """Remove the temporary files of runs that were killed; what cannot be removed stays.

    Args:
        root: The folder of runs; what lies in it and is no run is left alone.
    """
    for run in _inside(root):
        if is_file(run / RECIPE) and not is_file(run / RESULT):
            for folder in (run, run / "best", *_inside(run / "jobs")):
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
