"""Recipe files and presets as layers; what a file includes lies under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import frozen

from nascore.component import RUN
from nascore.config import Node, parse_document
from nascore.config.node import show
from nascore.errors import LayerName, Origin, Problem, did_you_mean
from nascore.recipe.layer import Layer, Value
from nascore.recipe.slot_values import SlotReader

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.component import Slot
    from nascore.plugin import Registry
    from nascore.recipe.layer import Scale

FORMAT: Final = 1
SCALES: Final = ("mini", "paper")
_OWN: Final = ("nascore", "include", "scale")
_Included: TypeAlias = tuple[str, ...]  # the files that include each other down to this one


@frozen(kw_only=True)
class Source:
    """One recipe text.

    Attributes:
        where: Its name in error texts.
        text: The YAML.
        layer: ``preset`` or ``recipe``.
        folder: Where its includes are looked up; None: it can include presets only.
    """

    where: str
    text: str
    layer: LayerName
    folder: Path | None = None


@frozen(kw_only=True)
class Files:
    """Reads recipe files and presets.

    Attributes:
        registry: What is installed.
        slots: The slot table.
    """

    registry: Registry
    slots: tuple[Slot, ...]

    def recipe(self, path: Path, origin: Origin, included: _Included = ()) -> list[Layer]:
        """Read a recipe file, and what it includes, lowest layer first."""
        key = str(path.resolve())
        if key in included:
            return [_wrong(f"{path} includes itself.", origin)]
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            return [_wrong(f"{path} cannot be read: {error.strerror or error}.", origin)]
        except UnicodeDecodeError:
            return [_wrong(f"{path} is not UTF-8 text.", origin)]
        source = Source(where=str(path), text=text, layer="recipe", folder=path.parent)
        return self._source(source, (*included, key))

    def preset(self, name: str, origin: Origin, included: _Included = ()) -> list[Layer]:
        """Read a preset, and what it includes, lowest layer first."""
        presets = self.registry.presets()
        if name not in presets:
            known = ", ".join(sorted(presets)) or "none"
            hint = did_you_mean(name, presets) or f"Installed: {known}."
            return [_wrong(f"no preset is called {name}.", origin, hint)]
        if name in included:
            return [_wrong(f"preset {name} includes itself.", origin)]
        source = Source(where=f"{name}.yaml", text=presets[name].read(), layer="preset")
        return self._source(source, (*included, name))

    def _source(self, source: Source, included: _Included) -> list[Layer]:
        document = parse_document(source.text, where=source.where, layer=source.layer)
        if document.root is None:
            return [Layer(problems=tuple(document.problems))]
        root = document.root
        if not isinstance(root.value, dict):
            text = f"a recipe is a map of keys, not {show(root)}."
            return [Layer(problems=(*document.problems, Problem(path="", text=text, origin=root.origin)))]
        below = [
            layer
            for node in _listed(root.value.get("include"))
            for layer in self._include(node, source, included)
        ]
        return [*below, self._own(root.value, root, document.problems)]

    def _include(self, node: Node, source: Source, included: _Included) -> list[Layer]:
        if not isinstance(node.value, str):
            return [_wrong(f"{show(node)} is neither a preset's name nor a path.", node.origin)]
        if not node.value.endswith(".yaml"):
            return self.preset(node.value, node.origin, included)
        if source.folder is None:
            return [_wrong("a preset includes presets only.", node.origin)]
        return self.recipe(source.folder / node.value, node.origin, included)

    def _own(self, keys: dict[str, Node], root: Node, problems: list[Problem]) -> Layer:
        """What the file itself says."""
        reader = SlotReader(
            registry=self.registry, problems=[*problems, *_version(keys.get("nascore"), root)]
        )
        by_name = {slot.name: slot for slot in self.slots}
        run: dict[str, Node] = {}
        for name, node in keys.items():
            if name in by_name:
                reader.read(by_name[name], node)
            elif name not in _OWN:
                run[name] = node
        scale, wrong = read_scale(keys.get("scale"))
        values = [*reader.values]
        if run:
            values.append(Value(slot=RUN, component=None, node=Node(value=run, origin=root.origin)))
        return Layer(
            chosen=reader.chosen, values=tuple(values), scale=scale, problems=(*reader.problems, *wrong)
        )


def read_scale(node: Node | None) -> tuple[Scale | None, tuple[Problem, ...]]:
    """Read the name of a scale; null or nothing names none."""
    if node is None or node.value is None:
        return None, ()
    if isinstance(node.value, str) and node.value in SCALES:
        return (node.value, node.origin), ()
    text = f"{show(node)} is not one of {', '.join(SCALES)}."
    return None, (Problem(path="scale", text=text, origin=node.origin),)


def _version(node: Node | None, root: Node) -> list[Problem]:
    if node is None:
        text = "the recipe does not say its format."
        return [
            Problem(path="nascore", text=text, origin=root.origin, hint=f"Begin it with nascore: {FORMAT}.")
        ]
    if type(node.value) is int and node.value == FORMAT:
        return []
    text = f"{show(node)} is not a format of recipes that this version reads."
    return [Problem(path="nascore", text=text, origin=node.origin, hint=f"Write nascore: {FORMAT}.")]


def _listed(node: Node | None) -> list[Node]:
    if node is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def _wrong(text: str, origin: Origin, hint: str = "") -> Layer:
    return Layer(problems=(Problem(path="", text=text, origin=origin, hint=hint),))
