"""Reads recipe files and presets into layers; a file overrides the files that it includes."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.component import SCALES
from nascore.config import Node, parse_document, write_scalar
from nascore.config.document import show
from nascore.errors import Origin, OriginKind, Problem, did_you_mean, error_line
from nascore.files import MOST_OF_A_DOCUMENT, given_path, read_text, without_digest
from nascore.plugin.guard import attempt
from nascore.recipe.sources.formats import FORMAT, FORMAT_KEY, FORMATS, Formats
from nascore.recipe.sources.layers import Layer, Value
from nascore.recipe.sources.names import SlotReader, unknown_preset
from nascore.recipe.sources.plugin_versions import PLUGINS_KEY, read_made_with
from nascore.recipe.sources.plugin_versions import PLUGINS_KEY as MADE_WITH
from nascore.recipe.sources.run_settings import (
    EVALUATE_RUN,
    EVALUATION,
    OF_EVALUATION,
    TRAINING,
    run_of_group,
)
from nascore.shell import command_line
from nascore.slots import RUN, SLOTS, TRICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Preset
    from nascore.plugin import Registry
    from nascore.recipe.sources.layers import Scale
    from nascore.slots import Slot

__all__ = [
    "OF_FILES",
    "Files",
    "dotted_key",
    "not_a_recipe",
    "not_yaml",
    "read_scale",
    "unreadable_file",
]


OF_FILES: Final = ("include", "scale", EVALUATION, MADE_WITH)
"""Keys of a file besides its format, the settings of the run and the slots."""

_OF_DESCRIPTIONS: Final = {"network", "cells", "channels", "in_channels", "classes"}
"""Keys of descriptions, which recipes do not have."""

_OF_A_RUN: Final = "recipe.yaml"


def not_a_recipe(root: Node, where: str) -> Problem | None:
    """Return the problem of a document that is not a recipe; None for one that may be a recipe.

    Args:
        root: The root of the document.
        where: The file.
    """
    if not isinstance(root.value, dict):
        text = f"a recipe is a map of keys, not {show(root)}."
        return Problem(path="", text=text, origin=root.origin, hint=f"Begin it with {FORMAT_KEY}: {FORMAT}.")
    if len(_OF_DESCRIPTIONS & root.value.keys()) > 1:
        text = f"{where} is the description of an architecture, not a recipe."
        return Problem(
            path="", text=text, origin=root.origin, hint=f"Write {command_line('--space', f'file:{where}')}."
        )
    return None


def dotted_key(path: str, keys: Mapping[str, Node], slot: Slot) -> Problem:
    """Return the problem of a key such as ``updater.lr``, a path of ``--set`` that is not a key of a recipe.

    Args:
        path: The key.
        keys: All keys of the recipe.
        slot: The slot at its beginning.
    """
    node, words = keys[path], path.split(".")[1:]
    value = "VALUE" if isinstance(node.value, (dict, list)) else write_scalar(node.value)
    chosen = keys.get(slot.name)
    name = chosen.value if chosen is not None and isinstance(chosen.value, str) else "NAME"
    inner = f"name: {name}, {words[0]}: {value}" if not slot.many else f"{words[0]}: {{{words[-1]}: {value}}}"
    hint = f"Write {slot.name}: {{{inner}}}."
    return Problem(
        path=path,
        text="settings belong in the map of their slot.",
        origin=node.key or node.origin,
        hint=hint,
    )


def not_yaml(where: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems of a file that is not a recipe; for a TOML file, with a hint at YAML."""
    if not where.lower().endswith(".toml"):
        return tuple(problems)
    hint = "A recipe is YAML, not TOML: KEY: VALUE, as nascore show NAME --yaml prints it."
    return tuple(evolve(problem, hint=hint) for problem in problems)


def unreadable_file(path: Path, error: Exception, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a recipe file that cannot be read.

    Args:
        path: The file.
        error: The error.
        origin: Where it was named.
        registry: The installed presets, one of which may be meant.
    """
    at = "include" if origin.in_file else "recipe"
    if isinstance(error, UnicodeDecodeError):
        return Problem(path=at, text=f"{path} is not UTF-8 text.", origin=origin)
    if not isinstance(error, OSError):
        # An invalid character in the path, or a cycle of links.
        return Problem(path=at, text=f"{str(path)!r} cannot be read: {error}.", origin=origin)
    hint = ""
    with suppress(OSError):  # the folder may be unreadable, or the name too long
        hint = _intended(path, registry)
    text = f"{path} cannot be read: {error.strerror or error}."
    return Problem(path=at, text=text, origin=origin, hint=hint)


def _intended(path: Path, registry: Registry) -> str:
    if str(path) in registry.presets():
        return f"There is a preset of this name: write {command_line('--preset', path)}."
    if (path / _OF_A_RUN).is_file():
        return f"Did you mean {path / _OF_A_RUN}?"
    if path.exists():  # the name is right, but the file is damaged, or it is a folder
        return ""
    beside = [one.name for one in path.parent.iterdir() if one.suffix == ".yaml"]
    return did_you_mean(path.name, beside)


_MAX_INCLUDES: Final = 1_000
"""The largest number of includes of a recipe, counted with repetitions."""
_MAX_DEPTH: Final = 100
_Included: TypeAlias = tuple[str, ...]  # the chain of files that include each other, down to this one


@frozen(kw_only=True)
class Source:
    """One recipe text.

    Attributes:
        where: Its name in error texts.
        text: The YAML.
        kind: ``preset`` or ``recipe``; a preset includes presets only.
        preset: Name of the preset; empty for a file.
        folder: The base of its relative paths. None: the working folder.
    """

    where: str
    text: str
    kind: OriginKind
    preset: str = ""
    folder: Path | None = None


@frozen(kw_only=True)
class ReadSource:
    """One recipe text, read.

    Attributes:
        source: The text.
        layer: Its layer, without its includes.
        includes: The files and presets that it includes.
    """

    source: Source
    layer: Layer
    includes: tuple[Node, ...] = ()


@frozen(kw_only=True)
class Files:
    """Reads recipe files and presets, each once even if it is included repeatedly.

    Attributes:
        registry: The installed components and presets.
        slots: The slot table.
        formats: The formats that can be read.
        read_sources: The texts read so far, by file or preset.
        reached: The origins of all includes so far.
    """

    registry: Registry
    slots: tuple[Slot, ...]
    formats: Formats = FORMATS
    read_sources: dict[str, ReadSource] = Factory(dict)
    reached: list[Origin] = Factory(list)

    def recipe(self, path: Path, origin: Origin, included: _Included = ()) -> list[Layer]:
        """Return the layers of a recipe file and its includes, lowest first."""
        try:
            key = str(path.resolve())
            # Not by that key: relative paths depend on the path by which the file was reached.
            page = self.read_sources.get(str(path)) or self._read(path)
        except (OSError, RuntimeError, ValueError) as error:
            return [_unread_layer(unreadable_file(path, error, origin, self.registry))]
        if key in included:
            return [_cycle(str(path), key, included, origin)]
        self.read_sources[str(path)] = page
        return self._with_includes(page, (*included, key))

    def preset(self, name: str, origin: Origin, included: _Included = ()) -> list[Layer]:
        """Return the layers of a preset and its includes, lowest first."""
        preset = self.registry.presets().get(name)
        if preset is None:
            return [_unread_layer(unknown_preset(name, origin, self.registry))]
        key = f"{preset.plugin}:{preset.name}"
        if key in included:
            return [_cycle(f"preset {name}", key, included, origin)]
        if key not in self.read_sources:
            text, wrong = attempt(lambda: (preset.read(), ()), partial(_preset_failed, preset, origin))
            if wrong:
                return [Layer(problems=wrong, unread=True)]
            folder = preset.path.parent if isinstance(preset.path, Path) else None
            where = f"{preset.name}.yaml"
            source = Source(where=where, text=text, kind="preset", preset=preset.name, folder=folder)
            self.read_sources[key] = self._parse(source)
        return self._with_includes(self.read_sources[key], (*included, key))

    def _read(self, path: Path) -> ReadSource:
        text = read_text(path, most=MOST_OF_A_DOCUMENT)
        return self._parse(Source(where=str(path), text=text, kind="recipe", folder=path.parent))

    def _with_includes(self, page: ReadSource, included: _Included) -> list[Layer]:
        """Return the layers of a text's includes, and on top its own layer."""
        below = [layer for node in page.includes for layer in self._include(node, page.source, included)]
        return [*below, page.layer]

    def _parse(self, source: Source) -> ReadSource:
        document = parse_document(source.text, where=source.where, kind=source.kind, folder=source.folder)
        if document.root is None:
            return ReadSource(
                source=source, layer=Layer(problems=not_yaml(source.where, document.problems), unread=True)
            )
        wrong = not_a_recipe(document.root, source.where)
        if wrong is not None:
            return ReadSource(
                source=source,
                layer=Layer(problems=not_yaml(source.where, (*document.problems, wrong)), unread=True),
            )
        by_run = without_digest(source.text) != source.text
        root, format_problem = self.formats.read(document.root, by_run=by_run)
        assert isinstance(root.value, dict)
        problems = [*document.problems, *([] if format_problem is None else [format_problem])]
        if format_problem is not None and FORMAT_KEY in root.value:
            # The content of an unknown format cannot be checked.
            return ReadSource(source=source, layer=Layer(problems=tuple(problems), unread=True))
        layer = evolve(self._layer(root.value, root, problems), preset=source.preset, by_run=by_run)
        return ReadSource(source=source, layer=layer, includes=tuple(_listed(root.value.get("include"))))

    def _include(self, node: Node, source: Source, included: _Included) -> list[Layer]:
        if not isinstance(node.value, str):
            text = f"{show(node)} is neither the name of a preset nor a path that ends in .yaml."
            return [_unread_layer(Problem(path="include", text=text, origin=node.origin))]
        if len(self.reached) > _MAX_INCLUDES:
            return []  # already reported, below
        self.reached.append(node.origin)
        if len(self.reached) > _MAX_INCLUDES or len(included) > _MAX_DEPTH:
            return [_unread_layer(_too_many(node.origin, included))]
        if not node.value.endswith(".yaml"):
            return self.preset(node.value, node.origin, included)
        if source.kind == "preset":
            text = f"{show(node)} is not a preset: a preset can include only presets."
            return [_unread_layer(Problem(path="include", text=text, origin=node.origin))]
        return self.recipe((source.folder or Path()) / given_path(node.value), node.origin, included)

    def _layer(self, keys: dict[str, Node], root: Node, problems: list[Problem]) -> Layer:
        """Return the layer of a file, without its includes."""
        made_with, wrong_plugins = read_made_with(keys.get(PLUGINS_KEY))
        scale, wrong_scale = read_scale(keys.get("scale"))
        reader = SlotReader(registry=self.registry, problems=[*problems, *wrong_plugins])
        by_name = {slot.name: slot for slot in self.slots}
        run: dict[str, Node] = {}
        for name, node in keys.items():
            if name in by_name:
                reader.read(by_name[name], node)
            elif name.partition(".")[0] in by_name and all(name.split(".")[1:]):
                reader.problems.append(dotted_key(name, keys, by_name[name.partition(".")[0]]))
            elif name not in (FORMAT_KEY, *OF_FILES):
                run[name] = node
        values = [*reader.values, *run_values(run, root.origin)]
        evaluation = None
        if EVALUATION in keys:
            special, wrong = self._evaluation(keys[EVALUATION])
            reader.problems.extend(wrong)
            values += [value for value in special.values if value.slot == RUN]
            evaluation = evolve(special, values=tuple(one for one in special.values if one.slot != RUN))
        return Layer(
            chosen=reader.chosen,
            values=tuple(values),
            scale=scale,
            problems=(*reader.problems, *wrong_scale),
            made_with=made_with,
            evaluation=evaluation if evaluation is not None and evaluation.chosen else None,
        )

    def _evaluation(self, node: Node) -> tuple[Layer, list[Problem]]:
        """Return the layer of the key `evaluate`, with settings and tricks for an evaluation only."""
        if not isinstance(node.value, dict):
            hint = f"Write {EVALUATION}: {{{TRICK}: {{NAME: {{...}}}}}}."
            text = f"{show(node)} is not a group of settings."
            return Layer(), [Problem(path=EVALUATION, text=text, origin=node.origin, hint=hint)]
        reader = SlotReader(registry=self.registry)
        run: dict[str, Node] = {}
        for name, item in node.value.items():
            if name == TRICK:
                reader.read(next(slot for slot in SLOTS if slot.name == TRICK), item)
            elif name in OF_EVALUATION:
                run[name] = item
            else:
                reader.problems.append(_not_of_evaluation(name, item))
        values = [*reader.values]
        if run:
            root = Node(value=run, origin=node.origin)
            values.append(Value(slot=RUN, component=EVALUATE_RUN, node=root))
        return Layer(chosen=reader.chosen, values=tuple(values)), reader.problems


def run_values(keys: Mapping[str, Node], origin: Origin) -> Iterator[Value]:
    """Yield the top-level settings of a recipe: those of both runs, and the group of each run.

    Args:
        keys: The settings.
        origin: The origin of the recipe.
    """
    both = {name: node for name, node in keys.items() if run_of_group(name) is None}
    if both:
        yield Value(slot=RUN, component=None, node=Node(value=both, origin=origin))
    for name, node in keys.items():
        if run_of_group(name) is not None:
            group = Node(value={name: node}, origin=origin)
            yield Value(slot=RUN, component=run_of_group(name), node=group)


def _not_of_evaluation(name: str, node: Node) -> Problem:
    path = f"{EVALUATION}.{name}"
    if name == TRAINING:
        text = "training is a key of the recipe itself."
        hint = f"Write {TRAINING}: {{...}}, not below {EVALUATION}."
    else:
        text = f"{EVALUATION} has no setting {name}."
        hint = (
            did_you_mean(name, [*OF_EVALUATION, TRICK]) or f"Settings: {', '.join((*OF_EVALUATION, TRICK))}."
        )
    return Problem(path=path, text=text, origin=node.key or node.origin, hint=hint)


def read_scale(node: Node | None) -> tuple[Scale | None, tuple[Problem, ...]]:
    """Return the scale in a node; None for null or no node."""
    if node is None or node.value is None:
        return None, ()
    if isinstance(node.value, str) and node.value in SCALES:
        return (node.value, node.origin), ()
    text = f"{show(node)} is not one of {', '.join(SCALES)}."
    return None, (Problem(path="scale", text=text, origin=node.origin),)


def _listed(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def _cycle(name: str, key: str, included: _Included, origin: Origin) -> Layer:
    """Return a layer with the problem of a cycle of includes."""
    chain = included[included.index(key) :]
    text = f"{name} includes itself."
    if len(chain) > 1:
        text = f"{name} includes itself: {' > '.join(Path(link).name for link in (*chain, key))}."
    return _unread_layer(Problem(path="include", text=text, origin=origin))


def _too_many(origin: Origin, included: _Included) -> Problem:
    if len(included) > _MAX_DEPTH:
        text, hint = (
            f"files include each other more than {_MAX_DEPTH} levels deep.",
            "Combine some of them into one file.",
        )
    else:
        text = f"there are more than {_MAX_INCLUDES:,} includes, counted with repetitions."
        hint = "Include shared files only once."
    return Problem(path="include", text=text, origin=origin, hint=hint)


def _preset_failed(preset: Preset, origin: Origin, error: BaseException) -> tuple[str, tuple[Problem, ...]]:
    text = f"preset {preset.name} of plugin {preset.plugin} cannot be read: {error_line(error)}."
    return "", (Problem(path="preset", text=text, origin=origin, of_plugin=True),)


def _unread_layer(problem: Problem) -> Layer:
    return Layer(problems=(problem,), unread=True)
