"""Which form a run's folder has; what a newer nascore wrote is not guessed at."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nascore.errors import RunFolderError
from nascore.run.files import object_of
from nascore.run.looking import is_there
from nascore.run.names import ENVIRONMENT, FORMAT
from nascore.run.schemas import ENVIRONMENT_SCHEMA, checked

if TYPE_CHECKING:
    from pathlib import Path


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
