"""Paths as users give them, and as they are shown to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike


def given_path(path: str | PathLike[str]) -> Path:
    """Return a path that a user gave, with ``~`` and ``~name`` as the home folder.

    A shell expands ``~`` at the beginning of a word alone: not in `file:~/chain.yaml`, not in quotes, not in
    a recipe, not in Python. One that stands for no home folder stays as it is.
    """
    given = Path(path)
    try:
        return given.expanduser()
    except RuntimeError:  # nobody is called so
        return given


def shown_path(path: Path) -> Path:
    """Return a path as a user would type it here: from the working folder, where it lies below that."""
    try:
        return path.relative_to(Path.cwd())
    except (OSError, ValueError):
        return path
