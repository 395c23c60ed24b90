"""From what is typed to a component: ``darts``, ``nascore-darts:darts``, ``file:chain.yaml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.config import Node
from nascore.errors import Origin, Problem
from nascore.recipe.layer import Choice, Value
from nascore.recipe.typed import typed_value
from nascore.recipe.unknown import unknown_component

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.component import Component
    from nascore.plugin import Registry


@frozen(kw_only=True)
class Named:
    """What a typed name stands for."""

    choice: Choice
    values: tuple[Value, ...] = ()


def name_component(
    slot: str, text: str, origin: Origin, registry: Registry, folder: Path | None = None
) -> Named:
    """Resolve a name typed for a slot.

    Args:
        slot: The slot.
        text: ``NAME``, ``PLUGIN:NAME``, or one of them with ``:VALUE`` for the component's argument.
        origin: Where it was typed.
        registry: What is installed.
        folder: Where a path in ``:VALUE`` is looked up. None: in the working folder.

    Returns:
        The component, with the setting that ``:VALUE`` fills; the choice holds the problem if there is none.
    """
    component = registry.get(slot, text)
    if component is not None:
        return Named(choice=Choice(component=component, origin=origin, name=text))
    for at in (index for index, character in enumerate(text) if character == ":"):
        component = registry.get(slot, text[:at])
        if component is not None:
            return _with_argument(component, text[at + 1 :], origin, folder)
    problem = unknown_component(slot, text, origin, registry)
    return Named(choice=Choice(component=None, origin=origin, name=text, problem=problem))


def _with_argument(component: Component, value: str, origin: Origin, folder: Path | None) -> Named:
    slot, name = component.slot, component.name
    choice = Choice(component=component, origin=origin, name=name)
    if component.argument is None:
        text, hint = f"{name} takes no value after a colon.", f"Write {name}."
        problem = Problem(path=slot, text=text, origin=origin, hint=hint)
        return Named(choice=evolve(choice, problem=problem))
    typed = evolve(typed_value(value, origin), folder=folder)
    node = Node(value={component.argument: typed}, origin=origin)
    return Named(choice=choice, values=(Value(slot=slot, component=component, node=node),))
