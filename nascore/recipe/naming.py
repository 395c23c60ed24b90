"""From what is typed to a component: ``darts``, ``nascore-darts:darts``, ``file:chain.yaml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.config import Node
from nascore.errors import Origin, Problem, did_you_mean
from nascore.recipe.layer import Choice, Value
from nascore.recipe.typed import typed_value

if TYPE_CHECKING:
    from nascore.component import Component
    from nascore.plugin import Registry


@frozen(kw_only=True)
class Named:
    """What a typed name stands for."""

    choice: Choice
    values: tuple[Value, ...] = ()
    problems: tuple[Problem, ...] = ()


def name_component(slot: str, text: str, origin: Origin, registry: Registry) -> Named:
    """Resolve a name typed for a slot.

    Args:
        slot: The slot.
        text: ``NAME``, ``PLUGIN:NAME``, or one of them with ``:VALUE`` for the component's argument.
        origin: Where it was typed.
        registry: What is installed.

    Returns:
        The component, with the setting that ``:VALUE`` fills; or the problem that there is none.
    """
    component = registry.get(slot, text)
    if component is not None:
        return Named(choice=Choice(component=component, origin=origin))
    for at in (index for index, character in enumerate(text) if character == ":"):
        component = registry.get(slot, text[:at])
        if component is not None:
            return _with_argument(component, text[at + 1 :], origin)
    problem = _unknown(slot, text, origin, registry)
    return Named(choice=Choice(component=None, origin=origin), problems=(problem,))


def _with_argument(component: Component, value: str, origin: Origin) -> Named:
    choice = Choice(component=component, origin=origin)
    slot, name = component.slot, component.name
    if component.argument is None:
        text, hint = f"{name} takes no value after a colon.", f"Write {name}."
        return Named(choice=choice, problems=(Problem(path=slot, text=text, origin=origin, hint=hint),))
    node = Node(value={component.argument: typed_value(value, origin)}, origin=origin)
    return Named(choice=choice, values=(Value(slot=slot, component=component, node=node),))


def _unknown(slot: str, text: str, origin: Origin, registry: Registry) -> Problem:
    full = registry.ambiguous(slot, text)
    elsewhere = registry.slots_of(text)
    if full:
        said = f"{len(full)} plugins bring a component {text}."
        hint = f"Write {' or '.join(full)}."
    elif elsewhere:
        said = f"{text} is a component of slot {elsewhere[0]}, not of {slot}."
        hint = f"Write --{elsewhere[0]} {text}."
    else:
        said = f"no {slot} is called {text}."
        known = registry.names(slot)
        hint = did_you_mean(text, known) or f"Installed: {', '.join(known) or 'none'}."
    return Problem(path=slot, text=said, origin=origin, hint=hint, slots=(slot,))
