"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill at any moment, finds it whole or not at all.

    The content goes to another name in the same folder first, since only there renaming is one act.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            file.close()
            Path(file.name).unlink()
            raise
    Path(file.name).chmod(0o644)  # temporary files are private by default
    Path(file.name).replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 with the line ends that it has, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, whole or not at all.

    Raises:
        ValueError: The value holds a number that JSON cannot say (infinity, or none).
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")
