"""The option ``--set PATH=VALUE``: the path of a value in a recipe, and one YAML scalar or flow value.

A comparison also takes several values with commas between them, and the name of a compared component with a
colon before the path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, evolve, frozen

from nascore.config import Node, wrap
from nascore.errors import Origin, Problem
from nascore.recipe.sources.layers import Layer, Value
from nascore.recipe.sources.names import as_given, typed_value, unknown_component
from nascore.recipe.sources.run_settings import EVALUATION, GROUPS, run_of_group
from nascore.recipe.sources.values import Values
from nascore.shell import command_line
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.slots import Slot

_FLAGS: Final = {"scale": "mini", "preset": "NAME", "recipe": "FILE", "out": "DIR"}
"""Flags that are not settings of a recipe, with a value each for the hint."""


NEXT_PATH: Final = re.compile(r",\s*(?=[a-z_]+(?:\.[a-z_]+)+=)")
"""A comma followed by another path."""


@frozen(kw_only=True)
class Sets:
    """Collects values given by their path.

    Attributes:
        registry: The installed components.
        slots: The slot table.
        prefix: An optional prefix of paths that is not part of them: ``evaluate.``.
        values: The values so far.
        problems: The problems so far.
    """

    registry: Registry
    slots: tuple[Slot, ...]
    prefix: str = ""
    values: list[Value] = Factory(list)
    problems: list[Problem] = Factory(list)
    _seen: dict[str, Node] = Factory(dict)

    def note_arguments(self, values: Iterable[Value]) -> None:
        """Note the values that are part of component names, such as the path in `file:PATH`."""
        many = {slot.name for slot in self.slots if slot.many}
        for value in values:
            of_many = value.slot in many and value.component is not None
            prefix = f"{value.slot}.{value.component.name}" if of_many and value.component else value.slot
            self._seen.update(_leaves(prefix, value.node))

    def add_run_settings(self, values: Mapping[str, Node]) -> None:
        """Add settings of the run that have a flag or an argument of their own."""
        for name, node in values.items():
            self._add_value(name, node, node.origin)

    def add_texts(self, sets: Iterable[str]) -> None:
        """Add the values of ``--set``."""
        for text in sets:
            origin = Origin(kind="set", flag="--set", value=text)
            path, equals, value = text.partition("=")
            path = path.strip()
            if not path:
                self._add_problem("", f"{text!r} names no setting.", origin, "Write --set PATH=VALUE.")
            elif not equals:
                self._add_problem(
                    path, "has no value.", origin, f"Write {command_line('--set', f'{path}=VALUE')}."
                )
            elif not value.strip():
                self._add_problem(path, "the value is empty.", origin, "Write null or ''.")
            elif NEXT_PATH.search(value):
                words = [word for single in NEXT_PATH.split(text) for word in ("--set", single)]
                hint = f"Write --set once for each: {command_line(*words)}."
                self._add_problem(path, f"{value!r} seems to hold several settings.", origin, hint)
            else:
                self._add_value(self._without_prefix(path), typed_value(value, origin), origin)

    def add_values(self, values: Mapping[str, Any]) -> None:
        """Add values from Python, by path."""
        for path, value in values.items():
            origin = Origin(kind="python", flag=f"settings[{path!r}]")
            if isinstance(value, Values):
                text = f"holds one value, not {len(value.values)}."
                self._add_problem(path, text, origin, "Name one, or compare them: nascore.search_several.")
                continue
            self._add_value(self._without_prefix(str(path)), wrap(value, origin), origin)

    def _without_prefix(self, path: str) -> str:
        bare = path.removeprefix(self.prefix)
        return path if bare.partition(".")[0] in GROUPS else bare

    def layer(self) -> Layer:
        """Return all values as one layer."""
        return Layer(values=tuple(self.values), problems=tuple(self.problems))

    def _add_value(self, path: str, node: Node, origin: Origin) -> None:
        words = path.split(".")
        if self._is_given(path, node):
            return
        slot = next((slot for slot in self.slots if slot.name == words[0]), None)
        name, colon, rest = path.rpartition(":")
        if colon:
            text = f"{name} is not compared with another component."
            is_slot = any(name == slot.name for slot in self.slots)
            hint = f"Did you mean {name}.{rest}?" if is_slot else f"Leave out the name: {rest}."
            self._add_problem(path, text, origin, hint)
        elif not all(words):
            self._add_problem(path, "is not a path.", origin, "Write SLOT.SETTING or SETTING.")
        elif slot is None:
            self._add_to_run(words, node, origin)
        elif len(words) == 1 or words[1:] == ["name"]:
            text = "a component is chosen by its own flag."
            name = node.value if isinstance(node.value, str) else "NAME"
            self._add_problem(path, text, origin, f"Write {as_given(origin, slot.name, name)}.")
        elif slot.many:
            self._add_to_list(slot, words, node, origin)
        else:
            self._add(slot.name, None, words[1:], node)

    def _is_given(self, path: str, node: Node) -> bool:
        """Return whether all values were given before; notes them, with a problem for each other value."""
        leaves = dict(_leaves(path, node))
        before = {name: self._seen[name] for name in leaves if name in self._seen}
        for name, first in before.items():
            if (type(first.value), first.value) != (type(leaves[name].value), leaves[name].value):
                text = f"given twice; first as {first.origin}."
                self._add_problem(name, text, node.origin, "Remove one of them.")
        self._seen.update({**leaves, **before})
        return len(before) == len(leaves)

    def _add_to_run(self, words: list[str], node: Node, origin: Origin) -> None:
        if words[0] in _FLAGS:
            text, hint = "is not a setting.", f"Write --{words[0]} {_FLAGS[words[0]]}."
            self._add_problem(".".join(words), text, origin, hint)
        elif words[0] == EVALUATION:
            self._add_evaluation_problem(words, origin)
        else:
            self._add(RUN, run_of_group(words[0]), words, node)

    def _add_evaluation_problem(self, words: list[str], origin: Origin) -> None:
        """Add the problem of a path below `evaluate` outside an evaluation, or of a group of its own."""
        path, rest = ".".join(words), ".".join(words[1:])
        if rest.partition(".")[0] in GROUPS:
            self._add_problem(path, f"{words[1]} is a group of its own.", origin, f"Write {rest}.")
        else:
            text = "only a search with --evaluate has settings of an evaluation."
            hint = f"Set it in the evaluation: nascore evaluate RUN --set {rest or 'PATH'}=VALUE."
            self._add_problem(path, text, origin, hint)

    def _add_to_list(self, slot: Slot, words: list[str], node: Node, origin: Origin) -> None:
        component = self.registry.get(slot.name, words[1])
        path = ".".join(words)
        if component is None:
            problem = unknown_component(slot.name, words[1], origin, self.registry)
            self.problems.append(evolve(problem, path=path))
        elif len(words) == 2:  # noqa: PLR2004 - SLOT.COMPONENT and no setting
            text = f"names no setting of {words[1]}."
            self._add_problem(path, text, origin, f"Write {path}.SETTING=VALUE.")
        else:
            self._add(slot.name, component, words[2:], node)

    def _add(self, slot: str, component: Component | None, words: list[str], node: Node) -> None:
        for word in reversed(words):
            node = Node(value={word: node}, origin=node.origin, key=node.origin)
        self.values.append(Value(slot=slot, component=component, node=node))

    def _add_problem(self, path: str, text: str, origin: Origin, hint: str) -> None:
        self.problems.append(Problem(path=path, text=text, origin=origin, hint=hint))


def dotted_nodes(node: Node | None) -> list[tuple[str, Node]]:
    """Return the path and node of each setting in a map of settings."""
    inner = node.value.items() if node is not None and isinstance(node.value, dict) else ()
    return [leaf for name, item in inner for leaf in _leaves(name, item)]


def _leaves(path: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the path and value of every setting in a map; for any other node, its own path and value."""
    if not isinstance(node.value, dict) or not node.value:
        yield path, node
        return
    for name, inner in node.value.items():
        yield from _leaves(f"{path}.{name}", inner)
