"""Reading runs back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.errors import RunFolderError
from nascore.gallery import Gallery
from nascore.run.folder import METRICS, RESULT

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = "recipe.yaml"


@frozen(kw_only=True)
class Record:
    """A run's folder, as it is on the disk.

    Attributes:
        path: The folder.
        recipe: Text of the recipe that repeats the run.
        result: What the run gave; None while it is under way, or if it was killed.
        gallery: Its architectures; empty for a run that has found none.
    """

    path: Path
    recipe: str
    result: dict[str, Any] | None
    gallery: Gallery

    @property
    def status(self) -> str:
        """`done`, `failed`, `interrupted`, or `unfinished` where there is no result."""
        return "unfinished" if self.result is None else str(self.result.get("status", "done"))

    @property
    def best(self) -> Path:
        """The folder with the best architecture."""
        return self.path / "best"

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of `metrics.jsonl`; a last line that was cut off by a kill is left out."""
        path = self.path / METRICS
        lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
        return [json.loads(line) for line in lines[:-1]]


def read(path: Path) -> Record:
    """Read a run's folder.

    Raises:
        RunFolderError: There is no run, or one of its files cannot be read.
    """
    if not (path / RECIPE).is_file():
        raise RunFolderError(f"{path} is no run: it holds no {RECIPE}.")
    try:
        result, gallery = path / RESULT, path / "gallery.json"
        return Record(
            path=path,
            recipe=(path / RECIPE).read_text(encoding="utf-8"),
            result=json.loads(result.read_text(encoding="utf-8")) if result.is_file() else None,
            gallery=Gallery.from_json(gallery.read_text(encoding="utf-8"))
            if gallery.is_file()
            else Gallery(),
        )
    except (OSError, ValueError) as error:
        raise RunFolderError(f"the run {path} cannot be read: {error}") from error


def listed(root: Path) -> list[Record]:
    """Return the runs in a folder, oldest name first; what is no run is left out."""
    if not root.is_dir():
        return []
    return [read(path) for path in sorted(root.iterdir()) if (path / RECIPE).is_file()]
