"""YAML documents as nodes with positions.

Scalars are those of YAML 1.2. Equal keys, tags, anchors and aliases are refused: each makes a recipe say
something else than what a reader sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import yaml
from attrs import Factory, evolve, frozen

from nascore.config.node import Node, word
from nascore.config.scalars import read_scalar
from nascore.config.yaml_faults import yaml_fault
from nascore.errors import Origin, Problem
from nascore.files import digest_fault

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.errors import LayerName


_EDITED: Final = "Restore it; if it was edited on purpose, delete its first line."


@frozen(kw_only=True)
class Document:
    """One parsed text: its root (None where the text is no YAML) and what was wrong with it."""

    root: Node | None
    problems: list[Problem] = Factory(list)


def parse_document(
    text: str, *, where: str, layer: LayerName = "recipe", what: str = "recipe", folder: Path | None = None
) -> Document:
    """Parse one YAML document.

    Args:
        text: The document.
        where: Its name in error texts, usually the file's.
        layer: The layer that its values belong to.
        what: The kind of document, in error texts: ``recipe``, ``description``.
        folder: The folder from which relative paths in it are looked up. None: the working folder.

    Returns:
        Its root and its problems; an empty document is null.
    """
    reader = _Reader(text=text, where=where, layer=layer, what=what, folder=folder)
    fault = digest_fault(text)
    if fault:
        wrong = f"this {what} is damaged: {fault}."
        problem = Problem(path="", text=wrong, origin=reader.origin(None), hint=_EDITED)
        return Document(root=None, problems=[problem])
    try:
        # The pure loader: the C one tells quoted scalars differently and has other error texts.
        root = yaml.compose(text, Loader=_Loader)
        node = Node(value=None, origin=reader.origin(None)) if root is None else reader.node(root, "")
    except _AnchorError as error:
        return Document(root=None, problems=[reader.not_allowed("", reader.origin(error.problem_mark))])
    except (yaml.YAMLError, RecursionError) as error:
        said, hint, place = yaml_fault(error, text)
        origin = Origin(layer=layer, where=f"{where}:{place}" if place else where)
        problem = Problem(path="", text=f"not YAML: {said}.", origin=origin, hint=hint)
        return Document(root=None, problems=[problem])
    return Document(root=node, problems=reader.problems)


class _AnchorError(yaml.MarkedYAMLError):
    """The text has an anchor."""


class _Loader(yaml.BaseLoader):
    """Stops at the first anchor: what refers to it would be written out, a billion times in a few lines."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: object = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.NodeEvent) and event.anchor and not isinstance(event, yaml.AliasEvent):
            raise _AnchorError(problem_mark=cast("yaml.Mark", event.start_mark))
        return super().compose_node(parent, index)


@frozen(kw_only=True)
class _Reader:
    text: str
    where: str
    layer: LayerName
    what: str
    folder: Path | None
    problems: list[Problem] = Factory(list)

    def origin(self, mark: yaml.Mark | None) -> Origin:
        where = self.where if mark is None else f"{self.where}:{mark.line + 1}:{mark.column + 1}"
        return Origin(layer=self.layer, where=where)

    def node(self, found: yaml.Node, path: str) -> Node:
        origin = self.origin(found.start_mark)
        if self.text[found.start_mark.index : found.start_mark.index + 1] in ("!", "&"):
            # Only the character tells `!!str 3` from `3`.
            self.problems.append(self.not_allowed(path, origin))
        if isinstance(found, yaml.MappingNode):
            return Node(value=self._map(found, path), origin=origin, folder=self.folder)
        if isinstance(found, yaml.SequenceNode):
            items = [self.node(item, path) for item in found.value]
            return Node(value=items, origin=origin, folder=self.folder)
        quoted = isinstance(found, yaml.ScalarNode) and found.style is not None
        value = found.value if quoted else read_scalar(found.value)
        return Node(value=value, origin=origin, folder=self.folder)

    def not_allowed(self, path: str, origin: Origin) -> Problem:
        text = f"tags (!) and anchors (&) are not allowed in a {self.what}."
        hint = "Write the value itself, in quotes if it begins with ! or &."
        return Problem(path=path, text=text, origin=origin, hint=hint)

    def _map(self, found: yaml.MappingNode, path: str) -> dict[str, Node]:
        items: dict[str, Node] = {}
        for key, value in found.value:
            at = self.origin(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(path, "a key must be a word.", at)
                continue
            inner = f"{path}.{word(key.value)}" if path else word(key.value)
            first = items.get(key.value)
            if first is not None and first.key is not None:
                self._wrong(inner, f"given twice; first at {first.key.where}.", at)
            else:
                items[key.value] = evolve(self.node(value, inner), key=at)
        return items

    def _wrong(self, path: str, text: str, origin: Origin, hint: str = "") -> None:
        self.problems.append(Problem(path=path, text=text, origin=origin, hint=hint))
