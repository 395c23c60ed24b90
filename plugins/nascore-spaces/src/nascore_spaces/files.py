"""The descriptions that come with the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nascore.api import load

if TYPE_CHECKING:
    from nascore.api import Description

FOLDER = Path(__file__).parent
NETWORKS = tuple(sorted(path.stem for path in (FOLDER / "networks").glob("*.yaml")))
"""Names of the networks that were made by hand."""


@cache
def read(folder: str, name: str) -> Description:
    """Return the description of a file: ``read("spaces", "mbconv")``."""
    path = FOLDER / folder / f"{name}.yaml"
    return load(path.read_text(encoding="utf-8"), where=str(path))
