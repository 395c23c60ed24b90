"""Copies a recipe, and the files that it names, into the folder of a run.

A description file may change or disappear, so its text is saved beside the recipe. Large files and folders
are data: for them the recipe holds the absolute path.

A recipe that is read from a run has the file as the origin of every value. With the origins that are saved
beside it, its messages name the flags and files that were typed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from attrs import Factory, define, evolve, frozen

from nascore.config import settings_of
from nascore.config.writer import write_yaml
from nascore.errors import Origin, problem_of
from nascore.files import read_text
from nascore.recipe.settling.carried import TRICKS_PATH
from nascore.recipe.sources.formats import FORMAT
from nascore.recipe.sources.plugin_versions import EXECUTION_NAME, PLUGINS_KEY, plugins_of
from nascore.recipe.sources.run_settings import RANKING, SEARCH_RUN, TRAINING
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nascore.plugin import Plugin, Registry
    from nascore.recipe.settling.recipe import Part, Recipe, Row
    from nascore.slots import Slot


def absolute(path: Path) -> str:
    """Return a path as absolute text; a path that begins with ~ is returned unchanged."""
    return str(path) if str(path).startswith("~") else str(path.absolute())


def dump_recipe(
    recipe: Recipe, *, paths: Callable[[Path], str] = absolute, made_with: Mapping[str, str] | None = None
) -> str:
    """Return a recipe as text; read again, it settles to the same parts and values.

    Args:
        recipe: A settled recipe.
        paths: A function that writes a path, absolute or relative to the recipe's folder.
        made_with: The plugins of the parts, for readers without them.
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
        if is_implied(recipe, slot):
            continue
        if slot.many:
            document[slot.name] = {part.label: _plain(part.settings, paths) for part in parts} or "none"
        elif parts:
            document[slot.name] = {"name": parts[0].label, **_plain(parts[0].settings, paths)}
    return write_yaml(document | evaluation_document(recipe.evaluation))


def evaluation_document(rows: Iterable[Row]) -> dict[str, Any]:
    """Return the keys of a recipe for the settings and tricks of the evaluation after a search.

    Args:
        rows: The paths with value and origin.
    """
    found: dict[str, Any] = {}
    for path, value, _origin in rows:
        *words, last = path.split(".")
        at = found
        for word in words:
            at = at.setdefault(word, {})
        if path == TRICKS_PATH:  # its settings follow
            at.setdefault(last, {})[value] = {}
        else:
            at[last] = absolute(value) if isinstance(value, Path) else value
    return found


def is_implied(recipe: Recipe, slot: Slot) -> bool:
    """Return whether a written recipe leaves out the parts of a slot.

    The default observer depends on where the run was started, and must not be repeated. A slot that is
    `implied` gets its default again, unless another part wishes for something else.
    """
    parts = recipe.parts.get(slot.name, ())
    if (slot.aside or slot.implied) and all(part.chosen_by.kind == "default" for part in parts):
        return True
    others = (part for of_slot, filled in recipe.parts.items() if of_slot != RUN for part in filled)
    wished = any(slot.name in part.component.wishes for part in others)
    default = [part.component.wishes.get(slot.name) for part in recipe.parts.get(RUN, ())]
    return slot.implied and not wished and [part.label for part in parts] == default


def _plain(settings: Any, paths: Callable[[Path], str]) -> dict[str, Any]:  # noqa: ANN401 - any settings class
    """Return settings by name, with paths as text."""

    def serialized(instance: Any, attribute: Any, value: Any) -> Any:  # noqa: ANN401 - any value
        if not isinstance(value, Path):
            return value
        # An item of a list comes without its attribute.
        is_copied = attribute is None or settings_of(type(instance))[attribute.name].setting.copied
        return paths(value) if is_copied else absolute(value)

    return attrs.asdict(settings, value_serializer=serialized)


FOLDER: Final = "files"
MOST: Final = 1_000_000
"""The largest file that is saved, in bytes; descriptions and programs are far smaller."""


@frozen(kw_only=True)
class SavedRecipe:
    """The recipe of a run, as saved in its folder.

    Attributes:
        text: The recipe.
        files: The texts of the files that it names, by their path in the folder.
        plugins: The plugin of each part: ``{"updater darts": "nascore-darts==0.1.0"}``.
    """

    text: str
    files: Mapping[str, str]
    plugins: Mapping[str, str]


def saved_recipe(recipe: Recipe, registry: Registry) -> SavedRecipe:
    """Return a recipe and its files, to repeat the run wherever its folder is moved.

    Args:
        recipe: A settled recipe.
        registry: The registry that it was settled with.
    """
    saving = _SavedFiles()
    made_with = {plugin.name: saving.source(plugin) for plugin in plugins_of(recipe, registry)}
    text = dump_recipe(recipe, paths=saving.path, made_with=made_with)
    parts = (part for slot, parts in recipe.parts.items() if slot != RUN for part in parts)
    plugins = {f"{part.slot} {part.name}": made_with.get(part.component.plugin, "") for part in parts}
    name = recipe.setting(EXECUTION_NAME)
    if execution := registry.executions().get(name):
        plugins[f"execution {name}"] = made_with.get(execution.plugin, "")
    return SavedRecipe(
        text=text, files=saving.files, plugins={part: by for part, by in plugins.items() if by}
    )


@define
class _SavedFiles:
    """The texts that were saved so far, and the name of each path."""

    files: dict[str, str] = Factory(dict)
    names: dict[Path, str] = Factory(dict)

    def path(self, path: Path) -> str:
        """Save a file and return its path relative to the recipe; for a large file, its absolute path."""
        key = path.absolute()
        if key not in self.names:
            text = _text(path)
            if text is None:
                return absolute(path)
            self.names[key] = self._free(path.name)
            self.files[self.names[key]] = text
        return self.names[key]

    def source(self, plugin: Plugin) -> str:
        """Return the source of a plugin: its distribution and version, or the path of its file.

        The text of the file is saved as well.
        """
        if plugin.distribution:
            return f"{plugin.distribution}=={plugin.version}"
        if not plugin.is_file:
            return plugin.value
        return f"{self.path(Path(plugin.file))}{plugin.value.removeprefix(plugin.file)}"

    def _free(self, name: str) -> str:
        stem, suffix = Path(name).stem, Path(name).suffix
        path, number = f"{FOLDER}/{name}", 2
        while path in self.files:
            path, number = f"{FOLDER}/{stem}-{number}{suffix}", number + 1
        return path


def _text(path: Path) -> str | None:
    try:
        return read_text(path, most=MOST)
    except (OSError, ValueError):
        return None  # not a text file, or not readable


ORIGINS: Final = "origins.json"
"""File beside a saved recipe with the origins of its values and its warnings."""


def plain_origins(recipe: Recipe) -> dict[str, Any]:
    """Return the origins and the warnings of a recipe as values for JSON."""
    implied = {slot.name for slot in recipe.slots if slot.implied and is_implied(recipe, slot)}
    parts = (part for slot, parts in recipe.parts.items() if slot not in implied for part in parts)
    return {
        "warnings": [attrs.asdict(problem) for problem in recipe.warned],
        "parts": {
            f"{part.slot} {part.label}": {
                "chosen_by": attrs.asdict(part.chosen_by),
                "origins": {path: attrs.asdict(origin) for path, origin in part.origins.items()},
            }
            for part in parts
        },
    }


def with_plain_origins(recipe: Recipe, plain: Mapping[str, Any]) -> Recipe:
    """Return a recipe that was read from a file, with the origins and the warnings that it had before.

    Args:
        recipe: The recipe.
        plain: The return value of :func:`plain_origins`.
    """
    parts = {
        slot: tuple(_part(part, plain["parts"]) for part in parts) for slot, parts in recipe.parts.items()
    }
    refused = [problem for problem in recipe.problems if problem.verdict != "warned"]
    warned = [problem_of(one) for one in plain["warnings"]]
    return evolve(recipe, parts=parts, problems=(*refused, *warned))


def _part(part: Part, plain: Mapping[str, Any]) -> Part:
    known = plain.get(f"{part.slot} {part.label}")
    if known is None:  # an observer of this process
        return part
    origins = {_path(part, path): Origin(**origin) for path, origin in known["origins"].items()}
    return evolve(part, chosen_by=Origin(**known["chosen_by"]), origins=origins)


def _path(part: Part, path: str) -> str:
    """Return the path of a setting; earlier versions called the group `ranking` of a search `training`."""
    is_search = part.component.name == SEARCH_RUN.name and part.slot == RUN
    return (
        f"{RANKING}.{path.removeprefix(TRAINING)[1:]}"
        if is_search and path.startswith(f"{TRAINING}.")
        else path
    )
