"""``--set PATH=VALUE``: the path of a value in a recipe, and one YAML scalar or flow value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

from nascore.component import RUN, Component
from nascore.config import Node, parse_document, wrap
from nascore.errors import Origin, Problem, did_you_mean
from nascore.recipe.layer import Layer, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.component import Slot
    from nascore.plugin import Registry


@frozen(kw_only=True)
class Sets:
    """Gathers values given by their path.

    Attributes:
        registry: What is installed.
        slots: The slot table.
        values: What was given.
        problems: What was wrong with it.
    """

    registry: Registry
    slots: tuple[Slot, ...]
    values: list[Value] = Factory(list)
    problems: list[Problem] = Factory(list)
    _seen: set[str] = Factory(set)

    def typed(self, sets: Iterable[str]) -> None:
        """Take what was typed after ``--set``."""
        for text in sets:
            origin = Origin(layer="set", where=f"--set {text}")
            path, equals, value = text.partition("=")
            path = path.strip()
            if not equals:
                self._wrong(path, "has no value.", origin, "Write --set PATH=VALUE.")
            elif not value.strip():
                self._wrong(path, "the value is empty.", origin, "Write null or ''.")
            else:
                self._give(path, _node(value, origin), origin)

    def given(self, values: Mapping[str, Any]) -> None:
        """Take values given from Python, by path."""
        for path, value in values.items():
            origin = Origin(layer="python", where=f"settings[{path!r}]")
            self._give(path, wrap(value, origin), origin)

    def layer(self) -> Layer:
        """Return all of it as one layer."""
        return Layer(values=tuple(self.values), problems=tuple(self.problems))

    def _give(self, path: str, node: Node, origin: Origin) -> None:
        if path in self._seen:
            self._wrong(path, "given twice.", origin, "Leave one of them out.")
            return
        self._seen.add(path)
        words = path.split(".")
        slot = next((slot for slot in self.slots if slot.name == words[0]), None)
        if not all(words):
            self._wrong(path, "is no path.", origin, "Write SLOT.SETTING or SETTING.")
        elif slot is None:
            self._add(RUN, None, words, node)
        elif len(words) == 1 or words[1:] == ["name"]:
            text = "a component is chosen by its own flag."
            self._wrong(path, text, origin, f"Write --{slot.name} NAME.")
        elif slot.many:
            self._give_item(slot, words, node, origin)
        else:
            self._add(slot.name, None, words[1:], node)

    def _give_item(self, slot: Slot, words: list[str], node: Node, origin: Origin) -> None:
        component = self.registry.get(slot.name, words[1])
        path = ".".join(words)
        if component is None:
            near = did_you_mean(words[1], self.registry.names(slot.name))
            self._wrong(path, f"no {slot.name} is called {words[1]}.", origin, near)
        elif len(words) == 2:  # noqa: PLR2004 - SLOT.COMPONENT and no setting
            text = f"names no setting of {words[1]}."
            self._wrong(path, text, origin, f"Write {path}.SETTING=VALUE.")
        else:
            self._add(slot.name, component, words[2:], node)

    def _add(self, slot: str, component: Component | None, words: list[str], node: Node) -> None:
        for word in reversed(words):
            node = Node(value={word: node}, origin=node.origin, key=node.origin)
        self.values.append(Value(slot=slot, component=component, node=node))

    def _wrong(self, path: str, text: str, origin: Origin, hint: str) -> None:
        self.problems.append(Problem(path=path, text=text, origin=origin, hint=hint))


def _node(value: str, origin: Origin) -> Node:
    """Read one value; what is no YAML (``*.yaml``, ``@x``) is text."""
    document = parse_document(value, where="", layer="set")
    if document.root is None or document.problems:
        return Node(value=value, origin=origin, text=value)
    plain = _placed(document.root, origin)
    return Node(value=plain.value, origin=origin, text=value)


def _placed(node: Node, origin: Origin) -> Node:
    """Let every item stand where the whole was typed: a position inside one argument helps nobody."""
    if isinstance(node.value, dict):
        items = {key: _placed(item, origin) for key, item in node.value.items()}
        return Node(value=items, origin=origin, key=origin)
    if isinstance(node.value, list):
        return Node(value=[_placed(item, origin) for item in node.value], origin=origin, key=origin)
    return Node(value=node.value, origin=origin, key=origin)
