"""The space ``file``: a description in YAML, written by hand or exported."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.api import Description, DescriptionError, Problem, did_you_mean, load, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nascore.api import Catalogue, Choice, DataFacts
    from nascore.builtin.settings import FileSettings

_PATH = "space.path"


@frozen
class File:
    """A description in YAML; channels and classes of the data replace those of the file."""

    settings: FileSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the file's description for this data."""
        return evolve(_read(self.settings.path), in_channels=facts.channels, classes=facts.classes)

    @property
    def written(self) -> Path | None:
        """The file that the description is written in."""
        return self.settings.path


def check_file(settings: FileSettings, recipe: Choice) -> Iterable[Problem]:
    """Yield everything that is wrong with the file, each with its line, before anything is built."""
    try:
        _read(settings.path, recipe.operations())
    except DescriptionError as error:
        yield from (evolve(problem, slots=("space",)) for problem in error.problems)


def excludes(settings: FileSettings) -> bool:
    """Say whether a group of the file never keeps some operation; of no file that can be read: no."""
    path = settings.path
    if path is None:
        return False
    try:
        seen = path.stat()
    except (OSError, ValueError):
        return False
    return _excludes(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=8)  # asked for at every request that a suggestion tries
def _excludes(path: Path, _changed: int, _size: int) -> bool:
    try:
        description = _read(path)
    except DescriptionError:
        return False
    return any(group.never for group in description.groups.values())


def _read(path: Path | None, catalogue: Catalogue | None = None) -> Description:
    if path is None:
        text = "no file is named."
        raise DescriptionError([Problem(path=_PATH, text=text, hint="Write --space file:PATH.")])
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise DescriptionError([_unreadable(path, error)]) from None
    return load(text, where=str(path), catalogue=catalogue, classifies=catalogue is not None)


def _unreadable(path: Path, error: OSError | ValueError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(path=_PATH, text=f"there is no file {path}.", hint=_beside(path))
    why = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else f"{error}"
    why = error.strerror or why if isinstance(error, OSError) else why
    return Problem(path=_PATH, text=f"{path} cannot be read: {why}.", hint="Write --space file:PATH.")


def _beside(path: Path) -> str:
    """Return the hint for a file that is not there: the nearest name in its folder, as it is typed."""
    try:
        names = {one.name for one in path.parent.iterdir() if one.suffix in (".yaml", ".yml")}
    except OSError:
        names = set()
    return did_you_mean(str(path), (str(path.parent / name) for name in names)) or "Write --space file:PATH."
