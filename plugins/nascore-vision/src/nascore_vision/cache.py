"""Keeps what is measured on image files in the user's cache folder: it takes long for many files."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any


def cache_file(key: str) -> Path | None:
    """Return the file of a key; None if the system names no folder for the user."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return base / "nascore" / "images" / f"{key}.json"


def read_cached(key: str) -> dict[str, Any] | None:
    """Return the values of a key; None if there are none that can be read."""
    file = cache_file(key)
    try:
        found = None if file is None else json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_cached(key: str, values: dict[str, Any]) -> None:
    """Write the values of a key, whole or not at all; a folder that cannot be written to is left alone."""
    file = cache_file(key)
    if file is None:
        return
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, suffix=".tmp", delete=False) as part:
            json.dump(values, part)
        try:
            Path(part.name).replace(file)
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise
