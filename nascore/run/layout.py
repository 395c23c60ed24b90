"""The files in the folder of a run: names, format, and reading.

`pathlib` of Python 3.11 raises for a name that is too long (a genotype's text) and for a folder that may not
be entered; `os.path` says no.
"""

from __future__ import annotations

import json
import os.path
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from nascore.errors import RunFolderError
from nascore.files import read_bytes, read_lines, read_text
from nascore.run.errors import cause
from nascore.run.schemas import ENVIRONMENT_SCHEMA, checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


FORMAT: Final = 1
"""The form of a run's folder and of every file in it; `environment.json` says it, a newer one is refused."""

RECIPE: Final = "recipe.yaml"
COMPARISON: Final = "comparison.json"
"""What a comparison has in place of a recipe: each of its jobs is a run with a recipe of its own."""
ENVIRONMENT: Final = "environment.json"
METRICS: Final = "metrics.jsonl"
CHANGES: Final = "changes.jsonl"
LOG: Final = "run.log"
JOBS: Final = "jobs"
GALLERY: Final = "gallery.json"
GALLERY_LINES: Final = "gallery.jsonl"
"""What a run under way has found since it wrote the gallery."""
ARCHITECTURE: Final = "best/architecture.yaml"
WEIGHTS: Final = "best/weights.safetensors"
PREPROCESS: Final = "best/preprocess.json"
"""What is done to an image before a network of the run reads it."""
RESULT: Final = "result.json"
DERIVED: Final = "derived.yaml"
"""What a search would have derived after its last epoch, in the folder of its job."""
DESCRIPTION: Final = "description.yaml"
"""What a job trains, in its folder."""

WRITTEN: Final = (
    RECIPE,
    ENVIRONMENT,
    LOG,
    METRICS,
    JOBS,
    GALLERY,
    ARCHITECTURE,
    WEIGHTS,
    "best/metrics.json",
    RESULT,
)
"""What a run that is done holds, in the order in which it comes; an evaluation has no gallery."""

WRITTEN_BY_COMPARISON: Final = (COMPARISON, ENVIRONMENT, LOG, JOBS, RESULT)
"""What a comparison that is done holds, in the order in which it comes."""


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


def text_of(path: Path) -> str:
    """Return the text of a file.

    Raises:
        RunFolderError: It cannot be read, or is no text.
    """
    try:
        return read_text(path)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {cause(error)}.") from error
    except UnicodeDecodeError as error:
        raise RunFolderError(f"{path} cannot be read: it is no text in UTF-8.") from error


def bytes_of(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        RunFolderError: It cannot be read, or is not as its run wrote it.
    """
    try:
        return read_bytes(path)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {cause(error)}.") from error


def object_of(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        RunFolderError: It cannot be read, is cut off, or holds something else.
    """
    return _object(text_of(path), str(path))


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects that a file holds, one a line; a last line without its end was cut off by a kill.

    Raises:
        RunFolderError: It cannot be read, or another line holds no object.
    """
    if not is_there(path):
        return
    try:
        for number, line in enumerate(read_lines(path), start=1):
            if line.endswith(b"\n"):
                yield _object(line.decode("utf-8"), f"{path}, line {number}")
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {cause(error)}.") from error
    except UnicodeDecodeError as error:
        raise RunFolderError(f"{path} cannot be read: it is no text in UTF-8.") from error


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        what = "it is empty" if not text.strip() else f"it is cut off or damaged ({error})"
        raise RunFolderError(f"{where} cannot be read: {what}.") from error
    except RecursionError as error:
        raise RunFolderError(f"{where} cannot be read: it is nested too deeply.") from error
    if not isinstance(value, dict):
        raise RunFolderError(f"{where} cannot be read: it holds no JSON object.")
    return value


def refuse_newer(path: Path) -> None:
    """Refuse a run that a newer nascore made, with both versions.

    Raises:
        RunFolderError: It is newer.
    """
    made = environment_of(path)
    found = made.get("format", FORMAT)  # runs before there were formats have the first
    if found > FORMAT:
        maker = made.get("packages", {}).get("nascore")
        raise RunFolderError(
            f"{path} was made by nascore {maker or 'of a newer version'}, which writes run folders of format "
            f"{found}; this is nascore {version('nascore')}, which reads formats up to {FORMAT}. "
            "Upgrade: pip install --upgrade nascore"
        )


def environment_of(path: Path) -> dict[str, Any]:
    """Return what a run was made on and for; empty where that is not kept.

    Raises:
        RunFolderError: It cannot be read, or is not as the run wrote it.
    """
    file = path / ENVIRONMENT
    return checked(object_of(file), ENVIRONMENT_SCHEMA, file) if is_there(file) else {}
