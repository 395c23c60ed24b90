"""Layers: the values of each source (a file, the flags, ``--set``), and the stack of all layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import Factory, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.component import Component
    from nascore.config import Node
    from nascore.errors import Origin, Problem


@frozen(kw_only=True)
class SlotChoice:
    """A component named for a slot.

    Attributes:
        component: The component; None where no such component exists.
        origin: Where it was named.
        name: The name, as it was written.
        problem: The problem of its name; ignored where a higher layer names another component.
        settings: Its settings, unread, where no such component exists.
    """

    component: Component | None
    origin: Origin
    name: str = ""
    problem: Problem | None = None
    settings: Node | None = None


@frozen(kw_only=True)
class Value:
    """Settings given for a slot.

    Attributes:
        slot: The slot, or ``run``.
        component: The component of the settings; None for any component in the slot.
        node: A map of settings.
    """

    slot: str
    component: Component | None
    node: Node


Scale: TypeAlias = "tuple[str, Origin]"


@frozen(kw_only=True)
class Layer:
    """The choices and values of one source.

    Attributes:
        chosen: The named components, by slot; an empty tuple leaves a list deliberately empty.
        values: The settings.
        scale: The named scale; it overrides the layers below, and this layer's values override it.
        problems: The problems of the source.
        made_with: The plugins that were loaded when the source was written, with their origins.
        unread: Whether the source could not be read, so that its content is unknown.
        preset: Name of the preset that it was read from; empty for other sources.
        by_run: Whether a run wrote it, so that it holds every value, whoever gave it.
        evaluation: The tricks of the key `evaluate` with their settings; they replace those of this layer in
            an evaluation. None: there is no such key.
    """

    chosen: Mapping[str, tuple[SlotChoice, ...]] = Factory(dict)
    values: tuple[Value, ...] = ()
    scale: Scale | None = None
    problems: tuple[Problem, ...] = ()
    made_with: Mapping[str, Node] = Factory(dict)
    unread: bool = False
    preset: str = ""
    by_run: bool = False
    evaluation: Layer | None = None


@frozen(kw_only=True)
class Stack:
    """All layers, laid over each other.

    Attributes:
        chosen: The components of each slot, from the highest layer that names any.
        below: Values that the scale overrides, lowest first.
        above: Values that override the scale, lowest first.
        scale: The scale of the highest layer that names one.
    """

    chosen: Mapping[str, tuple[SlotChoice, ...]]
    below: tuple[Value, ...]
    above: tuple[Value, ...]
    scale: Scale | None


def stack(layers: Iterable[Layer]) -> Stack:
    """Return the stack of layers, lowest first; another component drops the settings of the one before."""
    chosen: dict[str, tuple[SlotChoice, ...]] = {}
    below: list[Value] = []
    above: list[Value] = []
    scale: Scale | None = None
    for layer in layers:
        for slot, choices in layer.chosen.items():
            below, above = _without_dropped(below, slot, choices), _without_dropped(above, slot, choices)
            chosen[slot] = choices
        if layer.scale is not None:
            scale = layer.scale
            below, above = below + above, []
        above += layer.values
    return Stack(chosen=chosen, below=tuple(below), above=tuple(above), scale=scale)


def _without_dropped(values: list[Value], slot: str, choices: tuple[SlotChoice, ...]) -> list[Value]:
    # Components are compared, not their spellings: builtin:l1 is l1.
    named = {choice.component for choice in choices if choice.component is not None}
    return [value for value in values if value.slot != slot or value.component in named]
