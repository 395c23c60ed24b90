"""The files in the folder of a run: names, format, and reading.

Paths are tested with `os.path`: `pathlib` of Python 3.11 raises for a name that is too long (a genotype's
text) and for a folder without permission.
"""

from __future__ import annotations

import json
import os.path
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from nascore.errors import RunFolderError, cause
from nascore.files import read_bytes, read_lines, read_text
from nascore.run.schemas import ENVIRONMENT_SCHEMA, checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


FORMAT: Final = 1
"""Version of the format of a run's folder, recorded in `environment.json`; a newer one is refused."""

RECIPE: Final = "recipe.yaml"
COMPARISON: Final = "comparison.json"
"""File of a comparison in place of a recipe: each of its jobs is a run with its own recipe."""
ABLATION: Final = "ablation.json"
"""File of a comparison that measures the contributions of tricks, with its variants and their trainings."""
RECIPES: Final = "recipes"
"""Folder of a comparison with the recipe of each job, so that jobs can begin after it was stopped."""
ENVIRONMENT: Final = "environment.json"
METRICS: Final = "metrics.jsonl"
CHANGES: Final = "changes.jsonl"
LOG: Final = "run.log"
JOBS: Final = "jobs"
JOB: Final = "job.yaml"
"""The facts of a job, in its folder."""
GALLERY: Final = "gallery.json"
GALLERY_LINES: Final = "gallery.jsonl"
"""Events of a run in progress since it last wrote the gallery."""
ARCHITECTURE: Final = "best/architecture.yaml"
WEIGHTS: Final = "best/weights.safetensors"
BEST_METRICS: Final = "best/metrics.json"
PREPROCESS: Final = "best/preprocess.json"
"""Preprocessing of an image before a network of the run reads it."""
RESULT: Final = "result.json"
DERIVED: Final = "derived.yaml"
"""Architecture that a search would derive after its latest epoch, in the folder of its job."""
GIVEN: Final = "architectures/given.yaml"
"""The architecture of an evaluation as it was given, before it was brought to its size."""
DESCRIPTION: Final = "description.yaml"
"""Architecture that a job trains, in the folder of the job."""
PROPOSED: Final = "opened.yaml"
"""Open description whose candidates a job trains first, in the folder of the job."""

WRITTEN: Final = (
    RECIPE,
    ENVIRONMENT,
    LOG,
    METRICS,
    JOBS,
    GALLERY,
    ARCHITECTURE,
    WEIGHTS,
    BEST_METRICS,
    RESULT,
)
"""Files of a finished run, in the order of writing; an evaluation has no gallery."""

WRITTEN_BY_COMPARISON: Final = (COMPARISON, ENVIRONMENT, LOG, JOBS, RESULT)
"""Files of a finished comparison, in the order of writing."""


def beside_of(path: Path) -> Iterable[Path]:
    """Return the entries of a path's parent folder; none if it cannot be read."""
    try:
        return list(path.parent.iterdir())
    except (OSError, ValueError):
        return []


def is_file(path: Path) -> bool:
    """Return whether a path is a file."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def is_there(path: Path) -> bool:
    """Return whether a path exists; a broken link counts."""
    return os.path.lexists(path)


def text_of(path: Path) -> str:
    """Return the text of a file.

    Raises:
        RunFolderError: The file cannot be read, or is not UTF-8 text.
    """
    try:
        return read_text(path)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {cause(error)}.") from error
    except UnicodeDecodeError as error:
        raise RunFolderError(f"{path} cannot be read: it is not UTF-8 text.") from error


def bytes_of(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        RunFolderError: The file cannot be read, or has changed since its run wrote it.
    """
    try:
        return read_bytes(path)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {cause(error)}.") from error


def object_of(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        RunFolderError: The file cannot be read, is truncated, or holds no JSON object.
    """
    return _object(text_of(path), str(path))


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a file, one per line; a truncated last line, which a kill leaves, is skipped.

    Raises:
        RunFolderError: The file cannot be read, or another line holds no JSON object.
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
        raise RunFolderError(f"{path} cannot be read: it is not UTF-8 text.") from error


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not a JSON number")


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        reason = "it is empty" if not text.strip() else f"it is truncated or damaged ({error})"
        raise RunFolderError(f"{where} cannot be read: {reason}.") from error
    except RecursionError as error:
        raise RunFolderError(f"{where} cannot be read: it is nested too deeply.") from error
    if not isinstance(value, dict):
        raise RunFolderError(f"{where} cannot be read: it is not a JSON object.")
    return value


def refuse_newer(path: Path) -> None:
    """Refuse a run that a newer nascore made.

    Raises:
        RunFolderError: The format is newer than this version of nascore can read.
    """
    recorded = environment_of(path)
    found = recorded.get("format", FORMAT)  # the oldest runs, which name no format, have the first one
    if found > FORMAT:
        maker = recorded.get("packages", {}).get("nascore")
        source = f"nascore {maker}" if maker else "a newer version of nascore"
        raise RunFolderError(
            f"{path} was made by {source}, which writes run folders of format {found}; "
            f"this is nascore {version('nascore')}, which reads formats up to {FORMAT}. "
            "Upgrade: pip install --upgrade nascore"
        )


def environment_of(path: Path) -> dict[str, Any]:
    """Return the versions, machine and device of a run; empty if the run has no `environment.json`.

    Raises:
        RunFolderError: The file cannot be read, or holds a value that is not allowed.
    """
    file = path / ENVIRONMENT
    return checked(object_of(file), ENVIRONMENT_SCHEMA, file) if is_there(file) else {}
