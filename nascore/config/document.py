"""YAML documents as nodes with positions.

Scalars are those of YAML 1.2. Equal keys, tags, anchors and aliases are refused: each makes a recipe say
something else than what a reader sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from attrs import Factory, evolve, frozen

from nascore.config.node import Node
from nascore.config.scalars import read_scalar
from nascore.errors import Origin, Problem

if TYPE_CHECKING:
    from nascore.errors import LayerName


@frozen(kw_only=True)
class Document:
    """One parsed text: its root (None where the text is no YAML) and what was wrong with it."""

    root: Node | None
    problems: list[Problem] = Factory(list)


def parse_document(text: str, *, where: str, layer: LayerName = "recipe") -> Document:
    """Parse one YAML document.

    Args:
        text: The document.
        where: Its name in error texts, usually the file's.
        layer: The layer that its values belong to.

    Returns:
        Its root and its problems; an empty document is null.
    """
    reader = _Reader(text=text, where=where, layer=layer)
    try:
        # The pure loader: the C one tells quoted scalars differently and has other error texts.
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        node = Node(value=None, origin=reader.origin(None)) if root is None else reader.node(root, "")
    except yaml.MarkedYAMLError as error:
        said = " ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark or error.context_mark
        return Document(root=None, problems=[Problem(path="", text=f"{said}.", origin=reader.origin(mark))])
    except (yaml.YAMLError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        return Document(root=None, problems=[Problem(path="", text=f"{said}.", origin=reader.origin(None))])
    return Document(root=node, problems=reader.problems)


@frozen(kw_only=True)
class _Reader:
    text: str
    where: str
    layer: LayerName
    problems: list[Problem] = Factory(list)

    def origin(self, mark: yaml.Mark | None) -> Origin:
        where = self.where if mark is None else f"{self.where}:{mark.line + 1}:{mark.column + 1}"
        return Origin(layer=self.layer, where=where)

    def node(self, found: yaml.Node, path: str) -> Node:
        origin = self.origin(found.start_mark)
        if self.text[found.start_mark.index : found.start_mark.index + 1] in ("!", "&"):
            # Only the character tells `!!str 3` from `3`.
            self._wrong(path, "tags and anchors are not allowed in a recipe; write the value itself.", origin)
        if isinstance(found, yaml.MappingNode):
            return Node(value=self._map(found, path), origin=origin)
        if isinstance(found, yaml.SequenceNode):
            return Node(value=[self.node(item, path) for item in found.value], origin=origin)
        quoted = isinstance(found, yaml.ScalarNode) and found.style is not None
        value = found.value if quoted else read_scalar(found.value)
        return Node(value=value, origin=origin)

    def _map(self, found: yaml.MappingNode, path: str) -> dict[str, Node]:
        items: dict[str, Node] = {}
        for key, value in found.value:
            at = self.origin(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(path, "a key must be a word.", at)
                continue
            inner = f"{path}.{key.value}" if path else str(key.value)
            first = items.get(key.value)
            if first is not None and first.key is not None:
                self._wrong(inner, f"given twice; first at {first.key.where}.", at)
            else:
                items[key.value] = evolve(self.node(value, inner), key=at)
        return items

    def _wrong(self, path: str, text: str, origin: Origin) -> None:
        self.problems.append(Problem(path=path, text=text, origin=origin))
