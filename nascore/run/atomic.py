"""Writes files completely or not at all."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import NamedTemporaryFile
from time import time
from typing import TYPE_CHECKING, Final

from nascore.errors import Problem, RunFolderError
from nascore.files import CHECKSUMS
from nascore.run.errors import cause
from nascore.run.layout import RESULT, is_file, is_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill at any moment, finds it whole or not at all.

    The content goes to another name in the same folder first, since only there renaming is one act.

    Raises:
        RunFolderError: The file cannot be written; what was there before still is.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                file.close()  # before it is renamed: Windows renames no open file
                temporary.chmod(0o644)  # temporary files are private by default
                temporary.replace(path)
            except BaseException:
                with suppress(OSError):
                    file.close()
                temporary.unlink(missing_ok=True)
                raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system refuses inside into the error of a run's folder.

    Args:
        path: The file that is written.

    Raises:
        RunFolderError: The system refused.
    """
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            [Problem(path=str(path), text=f"the run cannot write this file: {cause(error)}.")]
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 with the line ends that it has, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, whole or not at all.

    Raises:
        RunFolderError: The file cannot be written.
        ValueError: The value holds a number that JSON cannot say (infinity, or none).
    """
    write_text(path, json_text(value))


def json_text(value: object) -> str:
    """Return a value as the text of a JSON file.

    Raises:
        ValueError: The value holds a number that JSON cannot say (infinity, or none).
    """
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


@contextmanager
def replacing(folder: Path, filled: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Give an empty folder to fill, which then takes the place of this one as a whole.

    So nobody finds some files of what was there before beside some of what comes: weights, and the program of
    another network. What cannot be filled leaves what was there.

    Args:
        folder: It may be there or not.
        filled: Called with the folder when it is filled, before it takes its place.

    Raises:
        RunFolderError: The system refused to make or to rename a folder.
    """
    fresh, former = (folder.with_name(f".{folder.name}.{part}") for part in ("new", "old"))
    rmtree(fresh, ignore_errors=True)  # what a kill left
    with writing(folder):
        if former.exists() and not folder.exists():
            former.replace(folder)  # it was between the two renames
        fresh.mkdir(parents=True)
    rmtree(former, ignore_errors=True)
    try:
        yield fresh
        if filled is not None:
            with writing(folder):
                filled(fresh)
    except BaseException:
        rmtree(fresh, ignore_errors=True)
        raise
    with writing(folder):
        _swap(folder, fresh, former)
    rmtree(former, ignore_errors=True)


def _swap(folder: Path, fresh: Path, former: Path) -> None:
    if folder.exists():
        folder.replace(former)
    try:
        fresh.replace(folder)
    except OSError:
        if former.exists():
            former.replace(folder)
        raise


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
