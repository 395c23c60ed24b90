"""Runs that are done: one of them, or all in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.description import load
from nascore.errors import RunFolderError
from nascore.run import default_root, listed, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.description import Description
    from nascore.gallery import Gallery
    from nascore.run import Record

ARCHITECTURE = Path("best") / "architecture.yaml"


@frozen(kw_only=True)
class Run:
    """A run that is done.

    Attributes:
        path: Its folder.
        recipe: The YAML text that repeats it.
        result: What it gave: the contents of `result.json`.
        gallery: Its architectures, each with its error and costs.
        best: The best architecture, a closed description.
    """

    path: Path
    recipe: str
    result: Mapping[str, Any]
    gallery: Gallery
    best: Description


def load_run(path: str | Path) -> Run:
    """Return the run in a folder.

    Args:
        path: The folder of a run, as `search` and `evaluate` make it.

    Raises:
        RunFolderError: The folder holds no run, or one that is not done.
    """
    record = read(Path(path))
    file = record.path / ARCHITECTURE
    if record.result is None or not file.is_file():
        raise RunFolderError(f"the run {path} is {record.status}: it has no best architecture.")
    return Run(
        path=record.path,
        recipe=record.recipe,
        result=record.result,
        gallery=record.gallery,
        best=load(file.read_text(encoding="utf-8"), where=str(file)),
    )


def runs(folder: str | Path | None = None) -> list[Record]:
    """Return all runs in a folder, done or not, oldest name first.

    Args:
        folder: Where runs are kept. None: the variable NASCORE_RUNS, or `runs` in the working folder.

    Raises:
        RunFolderError: There is no such folder.
    """
    if folder is not None and not Path(folder).is_dir():
        raise RunFolderError(f"there is no folder {folder}.")
    return listed(default_root() if folder is None else Path(folder))
