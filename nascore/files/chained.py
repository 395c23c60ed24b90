"""Files of JSON lines, each with a checksum of itself and of all lines before it.

Nothing in the middle can change unnoticed, and what a kill cut off at the end is a line without its end.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from attrs import define

from nascore.files.plain import DamagedError, open_plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_DIGITS: Final = 16
"""Hexadecimal digits of the checksum of a line."""

_MARK: Final = b', "line": "'
_END: Final = b'"}'


@define
class ChainedWriter:
    """A file to which lines are added.

    Attributes:
        path: The file.
    """

    path: Path
    _chain: str = ""
    _size: int = 0

    def add(self, bodies: Iterable[dict[str, Any]]) -> None:
        """Add a line for each object, all or none.

        Raises:
            OSError: They cannot be written.
        """
        chain, text = self._chain, b""
        for body in bodies:
            plain = json.dumps(body, allow_nan=False).encode()[: -len(b"}")]
            chain = _chained(chain, plain)
            text += plain + _MARK + chain.encode() + _END + b"\n"
        with self.path.open("ab") as file:
            # What an interrupt left of a line, which nobody knows of.
            file.truncate(self._size)
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                # A disk that is full for a moment must not leave half a line in the middle.
                file.truncate(self._size)
                raise
        self._chain, self._size = chain, self._size + len(text)


def read_chained(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of chained lines; a last line without its end is left out.

    Raises:
        DamagedError: A line was changed, or is missing.
        OSError: It cannot be read.
    """
    with open_plain(path) as file:
        return chained(file.read())


def chained(content: bytes) -> list[dict[str, Any]]:
    """Return the objects of chained lines; a last line without its end is left out.

    Raises:
        DamagedError: A line was changed, or is missing.
    """
    *lines, _cut_off = content.split(b"\n")
    chain, bodies = "", []
    for number, line in enumerate(lines, start=1):
        body, mark, end = line.rpartition(_MARK)
        new = end[: -len(_END)].decode("ascii", "replace")
        if not mark or not end.endswith(_END) or new != _chained(chain, body):
            raise DamagedError(f"its line {number} was changed")
        chain = new
        bodies.append(_object(body + b"}", number))
    return bodies


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DamagedError(f"its line {number} holds no JSON object")
    return found


def _chained(chain: str, body: bytes) -> str:
    return sha256(chain.encode() + body).hexdigest()[:_DIGITS]
