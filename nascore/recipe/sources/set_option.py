"""The option ``--set PATH=VALUE``: the path of a value in a recipe, and one YAML scalar or flow value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, evolve, frozen

from nascore.config import Node, wrap
from nascore.errors import Origin, Problem
from nascore.recipe.sources.layers import Layer, Value
from nascore.recipe.sources.names import _typed, typed_value, unknown_component
from nascore.shell import command_line
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.slots import Slot

_FLAGS: Final = {"scale": "mini", "preset": "NAME", "recipe": "FILE", "out": "DIR"}
"""What has a flag of its own and is no value of a recipe."""


_BETWEEN: Final = re.compile(r",\s*(?=[a-z_]+(?:\.[a-z_]+)+=)")
"""A comma before another path."""


@frozen(kw_only=True)
class Sets:
    """Gathers values given by their path.

    Attributes:
        registry: What is installed.
        slots: The slot table.
        prefix: What paths may begin with, and are typed with, that is no part of them: ``evaluate.``.
        values: What was given.
        problems: What was wrong with it.
    """

    registry: Registry
    slots: tuple[Slot, ...]
    prefix: str = ""
    values: list[Value] = Factory(list)
    problems: list[Problem] = Factory(list)
    _seen: dict[str, Node] = Factory(dict)

    def named(self, values: Iterable[Value]) -> None:
        """Note what the names of components give already: `file:PATH` gives the path."""
        many = {slot.name for slot in self.slots if slot.many}
        for value in values:
            of_many = value.slot in many and value.component is not None
            prefix = f"{value.slot}.{value.component.name}" if of_many and value.component else value.slot
            self._seen.update(_leaves(prefix, value.node))

    def of_run(self, values: Mapping[str, Node]) -> None:
        """Take settings of the run that were given by a flag or an argument of their own."""
        for name, node in values.items():
            self._give(name, node, node.origin)

    def typed(self, sets: Iterable[str]) -> None:
        """Take what was typed after ``--set``."""
        for text in sets:
            origin = Origin(kind="set", flag="--set", value=text)
            path, equals, value = text.partition("=")
            path = path.strip()
            if not path:
                self._wrong("", f"{text!r} names no setting.", origin, "Write --set PATH=VALUE.")
            elif not equals:
                self._wrong(path, "has no value.", origin, f"Write {command_line('--set', f'{path}=VALUE')}.")
            elif not value.strip():
                self._wrong(path, "the value is empty.", origin, "Write null or ''.")
            elif _BETWEEN.search(value):
                each = [word for one in _BETWEEN.split(text) for word in ("--set", one)]
                hint = f"Write --set once for each: {command_line(*each)}."
                self._wrong(path, f"{value!r} seems to hold several settings.", origin, hint)
            else:
                self._give(path.removeprefix(self.prefix), typed_value(value, origin), origin)

    def given(self, values: Mapping[str, Any]) -> None:
        """Take values given from Python, by path."""
        for path, value in values.items():
            origin = Origin(kind="python", flag=f"settings[{path!r}]")
            self._give(str(path).removeprefix(self.prefix), wrap(value, origin), origin)

    def layer(self) -> Layer:
        """Return all of it as one layer."""
        return Layer(values=tuple(self.values), problems=tuple(self.problems))

    def _give(self, path: str, node: Node, origin: Origin) -> None:
        words = path.split(".")
        if self._is_given(path, node):
            return
        slot = next((slot for slot in self.slots if slot.name == words[0]), None)
        if not all(words):
            self._wrong(path, "is no path.", origin, "Write SLOT.SETTING or SETTING.")
        elif slot is None:
            self._give_to_run(words, node, origin)
        elif len(words) == 1 or words[1:] == ["name"]:
            text = "a component is chosen by its own flag."
            name = node.value if isinstance(node.value, str) else "NAME"
            self._wrong(path, text, origin, f"Write {_typed(origin, slot.name, name)}.")
        elif slot.many:
            self._give_item(slot, words, node, origin)
        else:
            self._add(slot.name, None, words[1:], node)

    def _is_given(self, path: str, node: Node) -> bool:
        """Say whether all of it was given before; note it, and what was given otherwise before."""
        leaves = dict(_leaves(path, node))
        before = {name: self._seen[name] for name in leaves if name in self._seen}
        for name, first in before.items():
            if (type(first.value), first.value) != (type(leaves[name].value), leaves[name].value):
                text = f"given twice; first as {first.origin}."
                self._wrong(name, text, node.origin, "Leave one of them out.")
        self._seen.update({**leaves, **before})
        return len(before) == len(leaves)

    def _give_to_run(self, words: list[str], node: Node, origin: Origin) -> None:
        if words[0] in _FLAGS:
            text, hint = "is no setting.", f"Write --{words[0]} {_FLAGS[words[0]]}."
            self._wrong(".".join(words), text, origin, hint)
        else:
            self._add(RUN, None, words, node)

    def _give_item(self, slot: Slot, words: list[str], node: Node, origin: Origin) -> None:
        component = self.registry.get(slot.name, words[1])
        path = ".".join(words)
        if component is None:
            problem = unknown_component(slot.name, words[1], origin, self.registry)
            self.problems.append(evolve(problem, path=path))
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


def _leaves(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the path and value of every setting in a map of settings; of anything else its own."""
    if not isinstance(node.value, dict) or not node.value:
        yield path, node
        return
    for name, inner in node.value.items():
        yield from _leaves(f"{path}.{name}", inner)
