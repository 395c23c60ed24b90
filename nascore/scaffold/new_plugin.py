"""Writes the files of a new plugin from the templates in this folder."""

from __future__ import annotations

import keyword
import re
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from string import Template
from typing import TYPE_CHECKING, ClassVar, Final

from attrs import frozen

from nascore.errors import NascoreError, Problem
from nascore.shell import command_line
from nascore.slots import RUN, SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from nascore.plugin import Registry
    from nascore.slots import Slot


LONGEST: Final = 40
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED: Final = frozenset({"none", RUN})


def package_of(name: str) -> str:
    """Return the name of the package that a plugin's code is in."""
    return name.replace("-", "_")


def refused_name(name: str, slot: str, registry: Registry) -> Problem | None:
    """Return the problem of a name for a new plugin; None if it can be used.

    Args:
        name: The name.
        slot: The slot that its part is to fill.
        registry: The installed components.
    """
    if _NAME.fullmatch(name) is None or len(name) > LONGEST:
        text = f"{name!r} is not a name of lower-case letters, digits and dashes, at most {LONGEST} long."
        return Problem(path="NAME", text=text, hint=_near(name))
    taken = _taken(name, slot, registry)
    return Problem(path="NAME", text=taken, hint="Choose another name.") if taken else None


def _near(name: str) -> str:
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-").lstrip("0123456789-")[:LONGEST].rstrip("-")
    return f"Did you mean {near}?" if near else ""


def _taken(name: str, slot: str, registry: Registry) -> str:
    package = package_of(name)
    if name in _RESERVED or keyword.iskeyword(package):
        return f"{name} is a reserved word."
    if name in registry.names(slot):
        bringers = " and ".join(one.plugin for one in registry.components(slot) if one.name == name)
        return f"{bringers} brings the {slot} {name}."
    if name in registry.words():
        return f"a plugin is called {name}."
    spec = find_spec(package)
    # A folder without an __init__.py, such as the working folder, hides nothing.
    if spec is not None and spec.origin is not None:
        return f"a Python package is called {package}, and the plugin's package would hide it."
    return ""


_FILES: Final = {
    "pyproject.toml": "shared/pyproject.toml.txt",
    "README.md": "shared/README.md.txt",
    "src/$package/__init__.py": "$slot/__init__.py.txt",
    "src/$package/settings.py": "$slot/settings.py.txt",
    "src/$package/$slot.py": "$slot/part.py.txt",
    "tests/test_${package}_conformance.py": "shared/conformance.py.txt",
}
_MARK: Final = "src/$package/py.typed"
"""The empty file that tells type checkers that the package is annotated."""


class ScaffoldError(NascoreError):
    """The plugin cannot be created (exit code 2)."""

    exit_code: ClassVar[int] = 2


@frozen(kw_only=True)
class Made:
    """The new plugin.

    Attributes:
        name: Name of distribution, plugin and part.
        folder: Its folder.
        files: The written files, relative to the folder.
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
        "slot": blueprint.slot.name,
        "part": blueprint.part,
        "conformance": blueprint.conformance,
        "checks": ", ".join(sorted(("PluginConformance", blueprint.conformance))),
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
    return _template(file).read_text(encoding="utf-8")


def _template(file: str) -> Traversable:
    return files("nascore.scaffold").joinpath("templates", *file.split("/"))


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        text = f"{folder} already exists, and nothing is overwritten."
        raise ScaffoldError([Problem(path="--out", text=text, hint="Give a new or empty folder with --out.")])
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def _versions(installed: str) -> str:
    """Return the versions of nascore that a plugin made now works with: those until the next minor one."""
    major, minor = installed.split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}"


@frozen(kw_only=True)
class Blueprint:
    """The working part that stands in a new plugin.

    Attributes:
        slot: The slot that it fills; its name is also that of the folder of its templates.
        summary: A sentence on the effect of the part, at most 80 characters.
    """

    slot: Slot
    summary: str

    @property
    def part(self) -> str:
        """Name of the part's class."""
        return self.slot.name.capitalize()

    @property
    def conformance(self) -> str:
        """The class of the kit whose checks it passes."""
        return self.slot.conformance.partition(":")[2]

    def search(self, name: str) -> str:
        """Return the command of a first search with the part."""
        filled = {**_FIRST_SEARCH, **_FLAGS.get(self.slot.name, {}), self.slot.name: name}
        flags = (word for slot, one in filled.items() for word in (f"--{slot}", one))
        return command_line("nascore", "search", *flags, "--scale", "mini")


_FIRST_SEARCH: Final = {"space": "tiny", "dataset": "synthetic", "updater": "sgd"}
"""The parts beside that of a new plugin."""

_FLAGS: Final[Mapping[str, Mapping[str, str]]] = {
    "growth": {"updater": "uniform"},
    "executor": {"seeds": "0,1"},
}
"""Further flags of the first search by slot: an executor does the jobs of several searches."""


def _blueprints() -> Iterator[Blueprint]:
    for slot in SLOTS:
        summary = _template(f"{slot.name}/summary.txt")
        if summary.is_file():
            yield Blueprint(slot=slot, summary=summary.read_text(encoding="utf-8").strip())


BLUEPRINTS: Final[Mapping[str, Blueprint]] = {one.slot.name: one for one in _blueprints()}
"""The blueprint of each slot that has a folder of templates."""
