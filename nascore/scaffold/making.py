"""Writing the files of a new plugin, from the templates beside this module."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, ClassVar, Final

from attrs import frozen

from nascore.errors import NascoreError, Problem
from nascore.scaffold.naming import package_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.scaffold.blueprint import Blueprint

_FILES: Final = {
    "pyproject.toml": "shared/pyproject.toml.txt",
    "README.md": "shared/README.md.txt",
    "src/$package/__init__.py": "$slot/__init__.py.txt",
    "src/$package/settings.py": "$slot/settings.py.txt",
    "src/$package/$slot.py": "$slot/part.py.txt",
    "tests/test_${package}_conformance.py": "shared/conformance.py.txt",
}
_MARK: Final = "src/$package/py.typed"
"""Says to type checkers that the package is annotated; it is empty."""


class ScaffoldError(NascoreError):
    """A plugin cannot be made as it was asked for (exit code 2)."""

    exit_code: ClassVar[int] = 2


@frozen(kw_only=True)
class Made:
    """A plugin that was made.

    Attributes:
        name: Name of distribution, plugin and part.
        folder: Where it is.
        files: What was written, relative to the folder.
        search: The command of a first search with it.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    search: str


def make(name: str, blueprint: Blueprint, folder: Path) -> Made:
    """Write a plugin that works as made; nothing is overwritten.

    Args:
        name: Its name, which may be had.
        blueprint: The part that it begins with.
        folder: Where to; new or empty.

    Raises:
        ScaffoldError: The folder has something in it, or cannot be written.
    """
    words = {
        "name": name,
        "package": package_of(name),
        "slot": blueprint.slot,
        "part": blueprint.part,
        "conformance": blueprint.conformance,
        "summary": blueprint.summary,
        "search": blueprint.search(name),
        "versions": _versions(version("nascore")),
    }
    named = {_filled(path, words): _filled(file, words) for path, file in _FILES.items()}
    texts = {path: _filled(_read(file), words) for path, file in named.items()}
    texts[_filled(_MARK, words)] = ""
    try:
        _write(folder, texts)
    except OSError as error:
        raise ScaffoldError([Problem(path="--out", text=f"{folder} cannot be written: {error}.")]) from error
    return Made(name=name, folder=folder, files=tuple(sorted(texts)), search=words["search"])


def _filled(text: str, words: Mapping[str, str]) -> str:
    return Template(text).substitute(words)


def _read(file: str) -> str:
    return files("nascore.scaffold").joinpath("templates", *file.split("/")).read_text(encoding="utf-8")


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        text = f"{folder} is there already, and nothing is overwritten."
        raise ScaffoldError([Problem(path="--out", text=text, hint="Give a new or empty folder by --out.")])
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def _versions(installed: str) -> str:
    """Return the versions of nascore that a plugin made now works with: those until the next minor one."""
    major, minor = installed.split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}"
