"""Reads recipe files and presets as layers; included files rank below the including file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.config import Node, parse_document, write_scalar
from nascore.config.document import show
from nascore.errors import Origin, OriginKind, Problem, did_you_mean, error_line
from nascore.files import MOST_OF_A_DOCUMENT, given_path, read_text
from nascore.plugin.guard import attempt
from nascore.recipe.sources.layers import Layer, Value
from nascore.recipe.sources.names import SlotReader, unknown_preset
from nascore.recipe.sources.plugin_versions import PLUGINS_KEY, read_made_with
from nascore.recipe.sources.plugin_versions import PLUGINS_KEY as MADE_WITH
from nascore.recipe.sources.run_settings import EVALUATE_RUN, EVALUATION
from nascore.shell import command_line
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.component import Preset
    from nascore.plugin import Registry
    from nascore.recipe.sources.layers import Scale
    from nascore.slots import Slot

__all__ = [
    "FORMAT",
    "FORMATS",
    "FORMAT_KEY",
    "OF_FILES",
    "SCALES",
    "Files",
    "Formats",
    "Step",
    "flat_key",
    "mistaken",
    "not_read",
    "not_yaml",
    "read_scale",
]


FORMAT: Final = 1
"""The format that is written."""

FORMAT_KEY: Final = "nascore"
"""Where a recipe says its format."""

OF_FILES: Final = ("include", "scale", EVALUATION, MADE_WITH)
"""What may stand in a file beside its format, the settings of the run and the slots."""

Step: TypeAlias = Callable[[Node], Node]
"""From the root of a recipe to that of the same recipe in the next format.

It sees a map, and returns one; what it keeps or moves keeps its origin, so that errors still name the place
in the file.
"""


@frozen(kw_only=True)
class Formats:
    """The formats that are read.

    Attributes:
        newest: The format of this version of nascore.
        steps: For each older format that is still read, the step to the next one.
    """

    newest: int = FORMAT
    steps: Mapping[int, Step] = Factory(dict)

    def read(self, root: Node) -> tuple[Node, Problem | None]:
        """Bring a recipe to the newest format, step by step.

        Args:
            root: The root of a recipe, a map.

        Returns:
            The root in the newest format, and what is wrong with what it says of its own.
        """
        assert isinstance(root.value, dict)
        node = root.value.get(FORMAT_KEY)
        if node is None:
            return root, _problem(
                "the recipe does not say its format.",
                root.origin,
                f"Begin it with {FORMAT_KEY}: {self.newest}.",
            )
        if type(node.value) is not int or not self._known(node.value):
            return root, self._unknown(node)
        for number in range(node.value, self.newest):
            root = self.steps[number](root)
            assert isinstance(root.value, dict)
            root = evolve(root, value={**root.value, FORMAT_KEY: evolve(node, value=number + 1)})
        return root, None

    def _known(self, number: int) -> bool:
        return number <= self.newest and all(step in self.steps for step in range(number, self.newest))

    def _unknown(self, node: Node) -> Problem:
        if type(node.value) is int and node.value > self.newest:
            text = f"made by a newer nascore: the format is {node.value}, and this one reads {self.newest}."
            return _problem(text, node.origin, "pip install --upgrade nascore")
        text = f"{show(node)} is not a format of recipes that this version reads."
        return _problem(text, node.origin, f"Write {FORMAT_KEY}: {self.newest}.")


FORMATS: Final = Formats()
"""What this version reads; format 1 is the first one."""


def _problem(text: str, origin: Origin, hint: str) -> Problem:
    return Problem(path=FORMAT_KEY, text=text, origin=origin, hint=hint)


_OF_DESCRIPTIONS: Final = {"network", "cells", "channels", "in_channels", "classes"}
"""Keys that every description has, and that no recipe has."""

_OF_A_RUN: Final = "recipe.yaml"


def mistaken(root: Node, where: str) -> Problem | None:
    """Return the problem of a document that is no recipe at all; None for one that may be.

    Args:
        root: The root of the document.
        where: The file.
    """
    if not isinstance(root.value, dict):
        text = f"a recipe is a map of keys, not {show(root)}."
        return Problem(path="", text=text, origin=root.origin, hint="Begin it with nascore: 1.")
    if len(_OF_DESCRIPTIONS & root.value.keys()) > 1:
        text = f"{where} is the description of an architecture, not a recipe."
        return Problem(
            path="", text=text, origin=root.origin, hint=f"Write {command_line('--space', f'file:{where}')}."
        )
    return None


def flat_key(path: str, keys: Mapping[str, Node], slot: Slot) -> Problem:
    """Return the problem of a key such as ``updater.lr``, which ``--set`` takes and a recipe does not.

    Args:
        path: The key.
        keys: All keys of the recipe.
        slot: The slot that it begins with.
    """
    node, words = keys[path], path.split(".")[1:]
    value = "VALUE" if isinstance(node.value, (dict, list)) else write_scalar(node.value)
    chosen = keys.get(slot.name)
    name = chosen.value if chosen is not None and isinstance(chosen.value, str) else "NAME"
    inner = f"name: {name}, {words[0]}: {value}" if not slot.many else f"{words[0]}: {{{words[-1]}: {value}}}"
    hint = f"Write {slot.name}: {{{inner}}}."
    return Problem(
        path=path, text="a setting stands in the map of its slot.", origin=node.key or node.origin, hint=hint
    )


def not_yaml(where: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems of a file that is no recipe; of a file in TOML with how the same is written."""
    if not where.lower().endswith(".toml"):
        return tuple(problems)
    hint = "A recipe is YAML, not TOML: KEY: VALUE, as nascore show NAME --yaml prints it."
    return tuple(evolve(problem, hint=hint) for problem in problems)


def not_read(path: Path, error: Exception, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a recipe file that cannot be read.

    Args:
        path: The file.
        error: Why.
        origin: Where it was named.
        registry: What is installed: it may be a preset that was meant.
    """
    at = "include" if origin.in_file else "recipe"
    if isinstance(error, UnicodeDecodeError):
        return Problem(path=at, text=f"{path} is not UTF-8 text.", origin=origin)
    if not isinstance(error, OSError):
        # A character that no path has, or links in a circle.
        return Problem(path=at, text=f"{str(path)!r} cannot be read: {error}.", origin=origin)
    hint = ""
    with suppress(OSError):  # it may be the folder that cannot be read, or a name too long for any
        hint = _meant(path, registry)
    text = f"{path} cannot be read: {error.strerror or error}."
    return Problem(path=at, text=text, origin=origin, hint=hint)


def _meant(path: Path, registry: Registry) -> str:
    if str(path) in registry.presets():
        return f"A preset is called so: write {command_line('--preset', path)}."
    if (path / _OF_A_RUN).is_file():
        return f"Did you mean {path / _OF_A_RUN}?"
    if path.exists():  # the right name of something that is damaged, or no file
        return ""
    beside = [one.name for one in path.parent.iterdir() if one.suffix == ".yaml"]
    return did_you_mean(path.name, beside)


SCALES: Final = ("mini", "paper")
_MOST: Final = 1_000
"""Files and presets that a recipe may include, each counted as often as it is reached."""
_DEEPEST: Final = 100
_Included: TypeAlias = tuple[str, ...]  # the files that include each other down to this one


@frozen(kw_only=True)
class Source:
    """One recipe text.

    Attributes:
        where: Its name in error texts.
        text: The YAML.
        kind: ``preset`` or ``recipe``; a preset includes presets only.
        preset: Name of the preset; empty for a file.
        folder: Where its relative paths are looked up. None: in the working folder.
    """

    where: str
    text: str
    kind: OriginKind
    preset: str = ""
    folder: Path | None = None


@frozen(kw_only=True)
class Page:
    """What one recipe text says.

    Attributes:
        source: The text.
        own: What it says itself.
        includes: What lies under it.
    """

    source: Source
    own: Layer
    includes: tuple[Node, ...] = ()


@frozen(kw_only=True)
class Files:
    """Reads recipe files and presets; each once, however often it is included.

    Attributes:
        registry: What is installed.
        slots: The slot table.
        formats: The formats that are read.
        pages: What was read, by file or preset.
        reached: Where something was included.
    """

    registry: Registry
    slots: tuple[Slot, ...]
    formats: Formats = FORMATS
    pages: dict[str, Page] = Factory(dict)
    reached: list[Origin] = Factory(list)

    def recipe(self, path: Path, origin: Origin, included: _Included = ()) -> list[Layer]:
        """Read a recipe file, and what it includes, lowest layer first."""
        try:
            key = str(path.resolve())
            # Not by that key: what it names is looked up from the folder by which it was reached.
            page = self.pages.get(str(path)) or self._read(path)
        except (OSError, RuntimeError, ValueError) as error:
            return [_wrong(not_read(path, error, origin, self.registry))]
        if key in included:
            return [_wrong(Problem(path="include", text=_cycle(str(path), key, included), origin=origin))]
        self.pages[str(path)] = page
        return self._laid(page, (*included, key))

    def preset(self, name: str, origin: Origin, included: _Included = ()) -> list[Layer]:
        """Read a preset, and what it includes, lowest layer first."""
        preset = self.registry.presets().get(name)
        if preset is None:
            return [_wrong(unknown_preset(name, origin, self.registry))]
        key = f"{preset.plugin}:{preset.name}"
        if key in included:
            return [
                _wrong(Problem(path="include", text=_cycle(f"preset {name}", key, included), origin=origin))
            ]
        if key not in self.pages:
            text, wrong = attempt(lambda: (preset.read(), ()), partial(_unread, preset, origin))
            if wrong:
                return [Layer(problems=wrong, unread=True)]
            folder = preset.path.parent if isinstance(preset.path, Path) else None
            where = f"{preset.name}.yaml"
            source = Source(where=where, text=text, kind="preset", preset=preset.name, folder=folder)
            self.pages[key] = self._page(source)
        return self._laid(self.pages[key], (*included, key))

    def _read(self, path: Path) -> Page:
        text = read_text(path, most=MOST_OF_A_DOCUMENT)
        return self._page(Source(where=str(path), text=text, kind="recipe", folder=path.parent))

    def _laid(self, page: Page, included: _Included) -> list[Layer]:
        """What a text includes, and on top what it says itself."""
        below = [layer for node in page.includes for layer in self._include(node, page.source, included)]
        return [*below, page.own]

    def _page(self, source: Source) -> Page:
        document = parse_document(source.text, where=source.where, kind=source.kind, folder=source.folder)
        if document.root is None:
            return Page(
                source=source, own=Layer(problems=not_yaml(source.where, document.problems), unread=True)
            )
        wrong = mistaken(document.root, source.where)
        if wrong is not None:
            return Page(
                source=source,
                own=Layer(problems=not_yaml(source.where, (*document.problems, wrong)), unread=True),
            )
        root, format_problem = self.formats.read(document.root)
        assert isinstance(root.value, dict)
        problems = [*document.problems, *([] if format_problem is None else [format_problem])]
        if format_problem is not None and FORMAT_KEY in root.value:
            # What a format says that is not known, nobody can judge.
            return Page(source=source, own=Layer(problems=tuple(problems), unread=True))
        own = evolve(self._own(root.value, root, problems), preset=source.preset)
        return Page(source=source, own=own, includes=tuple(_listed(root.value.get("include"))))

    def _include(self, node: Node, source: Source, included: _Included) -> list[Layer]:
        if not isinstance(node.value, str):
            text = f"{show(node)} is neither a preset's name nor a path that ends in .yaml."
            return [_wrong(Problem(path="include", text=text, origin=node.origin))]
        if len(self.reached) > _MOST:
            return []  # said below, once
        self.reached.append(node.origin)
        if len(self.reached) > _MOST or len(included) > _DEEPEST:
            return [_wrong(_too_many(node.origin, included))]
        if not node.value.endswith(".yaml"):
            return self.preset(node.value, node.origin, included)
        if source.kind == "preset":
            text = f"{show(node)} is no preset's name: a preset includes presets only."
            return [_wrong(Problem(path="include", text=text, origin=node.origin))]
        return self.recipe((source.folder or Path()) / given_path(node.value), node.origin, included)

    def _own(self, keys: dict[str, Node], root: Node, problems: list[Problem]) -> Layer:
        """What the file itself says."""
        made_with, wrong_plugins = read_made_with(keys.get(PLUGINS_KEY))
        scale, wrong_scale = read_scale(keys.get("scale"))
        reader = SlotReader(registry=self.registry, problems=[*problems, *wrong_plugins])
        by_name = {slot.name: slot for slot in self.slots}
        run: dict[str, Node] = {}
        for name, node in keys.items():
            if name in by_name:
                reader.read(by_name[name], node)
            elif name.partition(".")[0] in by_name and all(name.split(".")[1:]):
                reader.problems.append(flat_key(name, keys, by_name[name.partition(".")[0]]))
            elif name not in (FORMAT_KEY, *OF_FILES):
                run[name] = node
        values = [*reader.values]
        if run:
            values.append(Value(slot=RUN, component=None, node=Node(value=run, origin=root.origin)))
        if EVALUATION in keys:
            node = keys[EVALUATION]
            if isinstance(node.value, dict):
                values.append(Value(slot=RUN, component=EVALUATE_RUN, node=node))
            else:
                text = f"{show(node)} is not a group of settings."
                hint = f"Write {EVALUATION}: {{training: {{...}}}}."
                reader.problems.append(Problem(path=EVALUATION, text=text, origin=node.origin, hint=hint))
        return Layer(
            chosen=reader.chosen,
            values=tuple(values),
            scale=scale,
            problems=(*reader.problems, *wrong_scale),
            made_with=made_with,
        )


def read_scale(node: Node | None) -> tuple[Scale | None, tuple[Problem, ...]]:
    """Read the name of a scale; null or nothing names none."""
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


def _cycle(name: str, key: str, included: _Included) -> str:
    """Name a chain of files that comes back to its beginning."""
    chain = included[included.index(key) :]
    if len(chain) == 1:
        return f"{name} includes itself."
    return f"{name} includes itself: {' > '.join(Path(one).name for one in (*chain, key))}."


def _too_many(origin: Origin, included: _Included) -> Problem:
    if len(included) > _DEEPEST:
        text, hint = f"files include each other more than {_DEEPEST} deep.", "Write some into one file."
    else:
        text = f"more than {_MOST:,} files are included, each counted as often as it is reached."
        hint = "Include what several files share only once."
    return Problem(path="include", text=text, origin=origin, hint=hint)


def _unread(preset: Preset, origin: Origin, error: BaseException) -> tuple[str, tuple[Problem, ...]]:
    text = f"preset {preset.name} of plugin {preset.plugin} cannot be read: {error_line(error)}."
    return "", (Problem(path="preset", text=text, origin=origin, of_plugin=True),)


def _wrong(problem: Problem) -> Layer:
    return Layer(problems=(problem,), unread=True)
