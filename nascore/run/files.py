"""Reading the plain files of a run; what is wrong with one is said with its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nascore.errors import RunFolderError
from nascore.files import read_bytes, read_lines, read_text
from nascore.run.cause import cause
from nascore.run.looking import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
