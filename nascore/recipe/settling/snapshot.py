"""The copy of a recipe, and of the files that it names, in the folder of a run.

A description that was named by a path may change or go away, so its text is kept beside the recipe. Large
files and folders are data: for them the recipe holds the absolute path.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from attrs import Factory, define, frozen

from nascore.config.writer import write_yaml
from nascore.files import read_text
from nascore.recipe.sources.files import FORMAT
from nascore.recipe.sources.plugin_versions import PLUGINS_KEY, plugins_of
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nascore.plugin import Plugin, Registry
    from nascore.recipe.settling.recipe import Recipe


def absolute(path: Path) -> str:
    """Write a path so that it means the same wherever the recipe is read; what begins with ~ does already."""
    return str(path) if str(path).startswith("~") else str(path.absolute())


def dump_recipe(
    recipe: Recipe, *, paths: Callable[[Path], str] = absolute, made_with: Mapping[str, str] | None = None
) -> str:
    """Write a recipe; read again, it settles to the same parts and values.

    Args:
        recipe: A settled recipe.
        paths: Writes a path, absolute or as seen from the recipe's own folder.
        made_with: The plugins that brought the parts, for who reads the recipe without them.
    """
    document: dict[str, Any] = {"nascore": FORMAT}
    if recipe.scale is not None:
        document["scale"] = recipe.scale[0]
    if made_with:
        document[PLUGINS_KEY] = made_with
    for part in recipe.parts.get(RUN, ()):
        document |= _plain(part.settings, paths)
    for slot in recipe.slots:
        parts = recipe.parts.get(slot.name, ())
        if slot.aside and all(part.brought.kind == "default" for part in parts):
            # Who watches by default depends on where the run was started, and must not be repeated.
            continue
        if slot.many:
            document[slot.name] = {part.label: _plain(part.settings, paths) for part in parts} or "none"
        elif parts:
            document[slot.name] = {"name": parts[0].label, **_plain(parts[0].settings, paths)}
    return write_yaml(document)


def _plain(settings: Any, paths: Callable[[Path], str]) -> dict[str, Any]:  # noqa: ANN401 - any settings class
    """Return settings as they are written: by name, and paths as text."""

    def serialized(_instance: object, _attribute: object, value: Any) -> Any:  # noqa: ANN401 - any value
        return paths(value) if isinstance(value, Path) else value

    return attrs.asdict(settings, value_serializer=serialized)


FOLDER: Final = "files"
MOST: Final = 1_000_000
"""The largest file that is kept, in bytes; descriptions and programs are far smaller."""


@frozen(kw_only=True)
class Kept:
    """What is written into a run's folder.

    Attributes:
        text: The recipe.
        files: The texts that it names, by their path in the folder.
        brought: The plugin that brought each part: ``{"updater darts": "nascore-darts==0.1.0"}``.
    """

    text: str
    files: Mapping[str, str]
    brought: Mapping[str, str]


def kept_recipe(recipe: Recipe, registry: Registry) -> Kept:
    """Return what repeats a recipe, wherever its folder is moved.

    Args:
        recipe: A settled recipe.
        registry: What it was settled with.
    """
    keeping = _Keeping()
    made_with = {plugin.name: keeping.source(plugin) for plugin in plugins_of(recipe, registry)}
    text = dump_recipe(recipe, paths=keeping.path, made_with=made_with)
    parts = (part for slot, parts in recipe.parts.items() if slot != RUN for part in parts)
    brought = {f"{part.slot} {part.name}": made_with.get(part.component.plugin, "") for part in parts}
    return Kept(text=text, files=keeping.files, brought={part: by for part, by in brought.items() if by})


@define
class _Keeping:
    """The texts that are kept so far, and the name that each path got."""

    files: dict[str, str] = Factory(dict)
    names: dict[Path, str] = Factory(dict)

    def path(self, path: Path) -> str:
        """Keep a file, and return its path as seen from the recipe; of what is not kept the absolute path."""
        key = path.absolute()
        if key not in self.names:
            text = _text(path)
            if text is None:
                return absolute(path)
            self.names[key] = self._free(path.name)
            self.files[self.names[key]] = text
        return self.names[key]

    def source(self, plugin: Plugin) -> str:
        """Where a plugin came from: its distribution and version, or its file, which is kept."""
        if plugin.distribution:
            return f"{plugin.distribution}=={plugin.version}"
        return self.path(Path(plugin.value)) if plugin.is_file else plugin.value

    def _free(self, name: str) -> str:
        stem, suffix = Path(name).stem, Path(name).suffix
        tried, number = f"{FOLDER}/{name}", 2
        while tried in self.files:
            tried, number = f"{FOLDER}/{stem}-{number}{suffix}", number + 1
        return tried


def _text(path: Path) -> str | None:
    try:
        return read_text(path, most=MOST)
    except (OSError, ValueError):
        return None  # no text, or not ours to read
