"""Whether there is something at a path, for paths that anyone may have typed.

`pathlib` of Python 3.11 raises for a name that is too long (a genotype's text) and for a folder that may not
be entered; `os.path` says no.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def beside_of(path: Path) -> Iterable[Path]:
    """Return what stands in the folder in which a path would be; nothing where that cannot be read."""
    try:
        return list(path.parent.iterdir())
    except (OSError, ValueError):
        return []


def is_file(path: Path) -> bool:
    """Return whether there is a file."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_folder(path: Path) -> bool:
    """Return whether there is a folder."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def is_there(path: Path) -> bool:
    """Return whether there is anything, be it a link to nothing."""
    return os.path.lexists(path)
