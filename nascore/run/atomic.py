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

from nascore.errors import Problem, RunFolderError, cause
from nascore.files import CHECKSUMS
from nascore.run.layout import RESULT, is_file, is_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: after a kill at any moment the file is complete, or still the old one.

    The content goes to a temporary file in the same folder first, since a rename is atomic only within a file
    system.

    Raises:
        RunFolderError: The file cannot be written; the old file is unchanged.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                file.close()  # Windows cannot rename an open file
                temporary.chmod(0o644)  # temporary files are private by default
                temporary.replace(path)
            except BaseException:
                with suppress(OSError):
                    file.close()
                temporary.unlink(missing_ok=True)
                raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert an `OSError` of the body into a `RunFolderError`.

    Args:
        path: The file that the body writes.

    Raises:
        RunFolderError: The body raises an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            [Problem(path=str(path), text=f"the run cannot write this file: {cause(error)}.")]
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 atomically, with its line ends unchanged."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON atomically.

    Raises:
        RunFolderError: The file cannot be written.
        ValueError: The value holds an infinity or a NaN, which JSON cannot represent.
    """
    write_text(path, json_text(value))


def json_text(value: object) -> str:
    """Return the text of a JSON file that holds a value.

    Raises:
        ValueError: The value holds an infinity or a NaN, which JSON cannot represent.
    """
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


@contextmanager
def replacing(folder: Path, filled: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Yield an empty folder to fill, which then replaces a folder as a whole.

    Old and new files never lie side by side, such as the weights of one network and the program of another.
    If the body raises, the old folder is unchanged.

    Args:
        folder: The folder to replace; it need not exist.
        filled: Called with the new folder after the body, before it replaces the old one.

    Raises:
        RunFolderError: A folder cannot be made or renamed.
    """
    fresh, former = (folder.with_name(f".{folder.name}.{part}") for part in ("new", "old"))
    rmtree(fresh, ignore_errors=True)  # a killed process may have left it
    with writing(folder):
        if former.exists() and not folder.exists():
            former.replace(folder)  # a process was killed between its two renames
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
"""Age in seconds from which a temporary file belongs to no process that is still writing it."""

_TEMPORARY: Final = re.compile(
    r"\.[\w-]+\.(yaml|json|jsonl|safetensors|py|pt)\.[a-z0-9_]{8}|\.best\.(new|old)"
)
"""Names of a run's files while they are written; a user's `.env.template` does not match."""


def sweep(root: Path) -> None:
    """Remove the temporary files of killed runs; a file that cannot be removed stays.

    Args:
        root: The folder of runs; entries that are not runs are left alone.
    """
    for run in _inside(root):
        # A user's folder may hold a recipe too, but only a run writes a list of checksums.
        if is_file(run / CHECKSUMS) and not is_file(run / RESULT):
            sweep_run(run, HOUR)


def sweep_run(run: Path, age: float = 0) -> None:
    """Remove the temporary files of one run; a file that cannot be removed stays.

    Args:
        run: Its folder. Nobody else may write to it, or to files of this age.
        age: Seconds since a file was written, at least.
    """
    for folder in (run, run / "best", run / "architectures", *_inside(run / "jobs")):
        for path in _inside(folder):
            _remove(path, age)


def _remove(path: Path, age: float) -> None:
    if not _TEMPORARY.fullmatch(path.name):
        return
    with suppress(OSError):
        if time() - path.lstat().st_mtime < age:
            return
        if path.name == ".best.old" and not (path.parent / "best").exists():
            return  # the run was killed between its two renames: this is its only `best` folder
        if path.is_dir() and not path.is_symlink():
            rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _inside(folder: Path) -> Iterator[Path]:
    if is_folder(folder):
        with suppress(OSError):
            yield from sorted(folder.iterdir())
