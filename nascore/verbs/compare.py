"""Compare: several runs in one table, with what may be concluded from it."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from nascore.comparison import compared
from nascore.errors import RunFolderError
from nascore.files import given_path
from nascore.verbs.runs import Run

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.comparison import Comparison


def compare(*runs: Run | str | Path, against: str | None = None) -> Comparison:
    """Put runs into one table: what differs between their recipes names the rows, seeds are averaged.

    Args:
        runs: Runs, or their folders; the folder of a comparison stands for all runs in it. They need not be
            done: what is there counts, and the warnings say what is not.
        against: Label of the row that all others are compared with, such as that of a control; fewer
            differences are told from chance more easily. None: all with all.

    Raises:
        RunFolderError: There is none, one of them is no run, or cannot be read.
        RecipeError: No row is called `against`.
    """
    if not runs:
        raise RunFolderError("there is nothing to compare: name the folders of runs.")
    return compared([run.path if isinstance(run, Run) else _folder(run) for run in runs], against)


def _folder(run: object) -> Path:
    if not isinstance(run, (str, PathLike)):
        text = f"a {type(run).__name__} is no run. Give runs or their folders one by one: compare(*runs)."
        raise RunFolderError(text)
    return given_path(run)
