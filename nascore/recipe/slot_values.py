"""What a recipe file says about one slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, evolve, frozen

from nascore.config import settings_of
from nascore.config.node import show
from nascore.errors import Problem
from nascore.recipe.layer import Choice, Value
from nascore.recipe.naming import name_component

if TYPE_CHECKING:
    from nascore.component import Slot
    from nascore.config import Node
    from nascore.plugin import Registry


@frozen(kw_only=True)
class SlotReader:
    """Reads the values of slots in one file and gathers what they say."""

    registry: Registry
    chosen: dict[str, tuple[Choice, ...]] = Factory(dict)
    values: list[Value] = Factory(list)
    problems: list[Problem] = Factory(list)

    def read(self, slot: Slot, node: Node) -> None:
        """Read what stands behind a slot's name in a recipe."""
        if not slot.many:
            choices = [self._one(slot, node)]
        elif isinstance(node.value, dict):
            choices = [self._item(slot, name, item) for name, item in node.value.items()]
        elif isinstance(node.value, list):
            choices = [self._one(slot, item) for item in node.value]
        else:
            choices = [] if node.value == "none" else [self._one(slot, node)]
        self.chosen[slot.name] = self._distinct(slot, choices)

    def _one(self, slot: Slot, node: Node) -> Choice:
        """Read ``NAME`` or ``{name: NAME, settings...}``."""
        if isinstance(node.value, str):
            return self._name(slot, node.value, node)
        name = node.value.get("name") if isinstance(node.value, dict) else None
        if not isinstance(node.value, dict) or name is None or not isinstance(name.value, str):
            text = f"{show(name or node)} is not a component's name."
            if isinstance(node.value, dict) and name is None:
                text = "the settings have no component's name beside them."
            hint = f"Write {slot.name}: {{name: {self._owner(slot, node)}, ...}}."
            if slot.many:
                hint = f"Write {slot.name}: {{NAME: {{...}}}}, or none."
            problem = Problem(path=slot.name, text=text, origin=(name or node).origin, hint=hint)
            return Choice(component=None, origin=node.origin, problem=problem)
        choice = self._name(slot, name.value, name)
        rest = {key: item for key, item in node.value.items() if key != "name"}
        self._settings(slot, choice, evolve(node, value=rest))
        return choice

    def _owner(self, slot: Slot, node: Node) -> str:
        """Return the name of the only component that has some settings; of several or none: NAME."""
        given = {*node.value} if isinstance(node.value, dict) else set()
        every = self.registry.components(slot.name) if given else ()
        owners = [one.name for one in every if given <= {*settings_of(one.config)}]
        return owners[0] if len(owners) == 1 else "NAME"

    def _item(self, slot: Slot, name: str, node: Node) -> Choice:
        """Read one item of ``{NAME: {settings...}, ...}``."""
        choice = self._name(slot, name, evolve(node, origin=node.key or node.origin))
        if node.value is not None:
            self._settings(slot, choice, node)
        return choice

    def _name(self, slot: Slot, name: str, at: Node) -> Choice:
        named = name_component(slot.name, name, at.origin, self.registry, at.folder)
        self.values.extend(named.values)
        return named.choice

    def _settings(self, slot: Slot, choice: Choice, node: Node) -> None:
        if choice.component is not None and node.value != {}:
            self.values.append(Value(slot=slot.name, component=choice.component, node=node))

    def _distinct(self, slot: Slot, choices: list[Choice]) -> tuple[Choice, ...]:
        kept: list[Choice] = []
        for choice in choices:
            if choice.component is not None and choice.component in [item.component for item in kept]:
                text, hint = f"{choice.component.name} stands twice.", "Leave one of them out."
                problem = Problem(path=slot.name, text=text, origin=choice.origin, hint=hint)
                self.problems.append(problem)
            else:
                kept.append(choice)
        return tuple(kept)
