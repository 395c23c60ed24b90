"""Finds files in the folder in which torch keeps downloaded weights."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse

from torch import hub

from nascore.api import Pretrained


def in_checkpoints(url: str) -> Pretrained:
    """Return the weights that are published at an address, if torch has downloaded their file before."""
    file = Path(hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    if file.is_file():
        return Pretrained(file=file)
    return Pretrained(file=None, places=(str(file),), hint=f"Download {url} to {file}.")
