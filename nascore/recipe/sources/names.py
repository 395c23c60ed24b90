"""Resolves names to components and texts to values, and suggests the nearest name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import Factory, evolve, frozen

from nascore.config import Node, parse_document, settings_of
from nascore.config.document import show
from nascore.errors import Origin, Problem, did_you_mean
from nascore.plugin.known import absence, switched_off
from nascore.recipe.sources.layers import SlotChoice, Value
from nascore.recipe.sources.run_settings import DATASET, lacking_data
from nascore.shell import command_line
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.component import Component
    from nascore.plugin import Registry
    from nascore.slots import Slot


def typed_value(text: str, origin: Origin) -> Node:
    """Read a value from the command line as YAML; a value that is not YAML (``*.yaml``, ``@x``) is text.

    Args:
        text: The value as typed.
        origin: Its origin.

    Returns:
        The value, with its text for settings of type text (``note=1e3``).
    """
    document = parse_document(text, where="", kind="set")
    bare = text.strip()
    if document.root is None or document.problems:
        return Node(value=text, origin=origin, text=text)
    plain = _with_origin(document.root, origin)
    if isinstance(plain.value, str) and not bare.startswith(("'", '"')):
        # A # is not a comment here: note=a #1.
        return Node(value=bare, origin=origin, text=bare)
    return Node(value=plain.value, origin=origin, text=bare)


def _with_origin(node: Node, origin: Origin) -> Node:
    """Return a node in which every item has the origin of the whole value."""
    if isinstance(node.value, dict):
        items = {key: _with_origin(item, origin) for key, item in node.value.items()}
        return Node(value=items, origin=origin, key=origin)
    if isinstance(node.value, list):
        return Node(value=[_with_origin(item, origin) for item in node.value], origin=origin, key=origin)
    return Node(value=node.value, origin=origin, key=origin)


_YAML: Final = (".yaml", ".yml")
_FORMS: Final = ("csv", "npz")
"""Data sets of nascore-vision that read files with the suffix of their name; `folder` reads folders."""

_FOLDERS: Final = ("imagefolder", "folder", "image-folder", "custom")
_MORE: Final = "Your own plugin can add one: nascore new-plugin --help."


def unknown_component(slot: str, text: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of an unknown component name.

    Args:
        slot: The slot.
        text: The name.
        origin: Where it was named.
        registry: The installed components.
    """
    base = Problem(path=slot, text="", origin=origin, slots=(slot,))
    of_plugin = _ambiguous_name(base, registry.ambiguous(slot, text), f"a component {text}") or _missing_name(
        base, slot, text, registry
    )
    if of_plugin is not None:
        return of_plugin
    if slot == DATASET and origin.kind == "preset":
        return lacking_data(text, origin, registry)
    others = registry.slots_of(text)
    if text == "none" and any(one.name == slot and one.many for one in SLOTS):
        return evolve(
            base,
            text="'none' cannot be combined with components.",
            hint="Remove either 'none' or the components.",
        )
    if others:
        message = f"{text} is a component of slot {others[0]}, not of {slot}."
        return evolve(base, text=message, hint=_choice_hint(others[0], text, origin))
    return evolve(base, text=f"no {slot} is called {text}.", hint=_nearest(slot, text, origin, registry))


def unknown_preset(name: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of an unknown preset name."""
    presets = registry.presets()
    base = Problem(path="include" if origin.in_file else "preset", text="", origin=origin)
    of_plugin = _ambiguous_name(base, presets.ambiguous(name), f"a preset {name}") or _missing_name(
        base, "preset", name, registry
    )
    if of_plugin is not None:
        return of_plugin
    starting = sorted(one for one in presets if one.startswith(f"{name}-"))
    near = f"Did you mean {' or '.join(starting)}?" if starting else did_you_mean(name, presets)
    hint = near or f"Installed: {', '.join(sorted(presets)) or 'none'}."
    if name.endswith(_YAML):
        option = as_given(origin, "recipe", name)
        hint = "The name of a file must end in .yaml." if origin.in_file else f"Write {option}."
    return evolve(base, text=f"no preset is called {name}.", hint=hint)


def _ambiguous_name(base: Problem, full: Sequence[str], what: str) -> Problem | None:
    """Return the problem of a name that several plugins bring; None where at most one does."""
    if not full:
        return None
    text = f"{len(full)} plugins bring {what}."
    return evolve(base, text=text, hint=f"Write {' or '.join(full)}.", of_plugin=True)


def _missing_name(base: Problem, kind: str, text: str, registry: Registry) -> Problem | None:
    """Return the problem of a name that a plugin would bring if it were ready; None where none would."""
    why = absence(kind, text, registry.plugins)
    if why is None:
        return None
    message = f"no {kind} is called {text}; {why}"
    return evolve(base, text=message, hint=why.cure, missing=why.missing, of_plugin=True)


def _nearest(slot: str, text: str, origin: Origin, registry: Registry) -> str:
    if text.endswith(_YAML):
        files = [one.name for one in registry.components(slot) if one.argument == "path"]
        if files:
            return _choice_hint(slot, f"{files[0]}:{text}", origin)
    known = registry.shown(slot)
    if slot == DATASET and ("/" in text or text.lower() in _FOLDERS):
        return _own_images(text, origin)
    # A part of the name is no suggestion: pc-darts is not darts.
    whole = [name for name in (*registry.names(slot), *known) if name not in text.split("-")]
    near = did_you_mean(text, whole)
    if near:
        return near
    off = switched_off(registry.plugins)
    return f"Installed: {', '.join(known) or 'none'}. {off or _MORE}"


def _own_images(text: str, origin: Origin) -> str:
    """Return the hint for the name of a file or folder in place of a data set."""
    form = next((form for form in _FORMS if text.lower().endswith(f".{form}")), "folder")
    return _choice_hint(DATASET, f"{form}:{text if '/' in text else 'PATH'}", origin)


def _choice_hint(slot: str, name: str, origin: Origin) -> str:
    """Return a hint at how to choose a component in the same way: by a flag, by an argument, or in a file."""
    return f"Write {slot}: {name}." if origin.in_file else f"Write {as_given(origin, slot, name)}."


def as_given(origin: Origin, option: str, value: str) -> str:
    """Return an option with its value: as an argument if the origin is Python, otherwise as a flag."""
    return f"{option}={value!r}" if origin.in_python else command_line(f"--{option}", value)


@frozen(kw_only=True)
class ResolvedName:
    """The component of a name, and the setting that the name gives."""

    choice: SlotChoice
    values: tuple[Value, ...] = ()


def name_component(
    slot: str, text: str, origin: Origin, registry: Registry, folder: Path | None = None
) -> ResolvedName:
    """Return the component that a name stands for in a slot.

    Args:
        slot: The slot.
        text: ``NAME`` or ``PLUGIN:NAME``, with or without ``:VALUE`` for the component's argument.
        origin: Where it was named.
        registry: The installed components.
        folder: The base of a relative path in ``:VALUE``. None: the working folder.

    Returns:
        The component, with the setting that ``:VALUE`` gives; for an unknown name a choice with the problem.
    """
    component = registry.get(slot, text)
    if component is not None:
        return ResolvedName(choice=SlotChoice(component=component, origin=origin, name=text))
    for base in (index for index, character in enumerate(text) if character == ":"):
        component = registry.get(slot, text[:base])
        if component is not None:
            return _with_argument(component, text[base + 1 :], origin, folder)
    problem = unknown_component(slot, text, origin, registry)
    return ResolvedName(choice=SlotChoice(component=None, origin=origin, name=text, problem=problem))


def _with_argument(component: Component, value: str, origin: Origin, folder: Path | None) -> ResolvedName:
    slot, name = component.slot, component.name
    choice = SlotChoice(component=component, origin=origin, name=name)
    if component.argument is None:
        text, hint = f"{name} takes no value after a colon.", f"Write {name}."
        problem = Problem(path=slot, text=text, origin=origin, hint=hint)
        return ResolvedName(choice=evolve(choice, problem=problem))
    typed = evolve(typed_value(value, origin), folder=folder)
    node = Node(value={component.argument: typed}, origin=origin)
    return ResolvedName(choice=choice, values=(Value(slot=slot, component=component, node=node),))


@frozen(kw_only=True)
class SlotReader:
    """Reads the slots of one file; collects their choices, settings and problems."""

    registry: Registry
    chosen: dict[str, tuple[SlotChoice, ...]] = Factory(dict)
    values: list[Value] = Factory(list)
    problems: list[Problem] = Factory(list)

    def read(self, slot: Slot, node: Node) -> None:
        """Read the value of a slot in a recipe."""
        if not slot.many:
            choices = [self._one(slot, node)]
        elif isinstance(node.value, dict):
            choices = [self._item(slot, name, item) for name, item in node.value.items()]
        elif isinstance(node.value, list):
            choices = [self._one(slot, item) for item in node.value]
        else:
            choices = [] if node.value == "none" else [self._one(slot, node)]
        self.chosen[slot.name] = self._distinct(slot, choices)

    def _one(self, slot: Slot, node: Node) -> SlotChoice:
        """Read ``NAME`` or ``{name: NAME, settings...}``."""
        if isinstance(node.value, str):
            return self._name(slot, node.value, node)
        name = node.value.get("name") if isinstance(node.value, dict) else None
        if not isinstance(node.value, dict) or name is None or not isinstance(name.value, str):
            text = f"{show(name or node)} is not a component name."
            if isinstance(node.value, dict) and name is None:
                text = "the settings have no component name."
            hint = f"Write {slot.name}: {{name: {self._owner(slot, node)}, ...}}."
            if slot.many:
                hint = f"Write {slot.name}: {{NAME: {{...}}}}, or none."
            problem = Problem(path=slot.name, text=text, origin=(name or node).origin, hint=hint)
            return SlotChoice(component=None, origin=node.origin, problem=problem)
        choice = self._name(slot, name.value, name)
        rest = {key: item for key, item in node.value.items() if key != "name"}
        return self._settings(slot, choice, evolve(node, value=rest))

    def _owner(self, slot: Slot, node: Node) -> str:
        """Return the name of the only component with these settings; NAME where several or none have them."""
        names = {*node.value} if isinstance(node.value, dict) else set()
        every = self.registry.components(slot.name) if names else ()
        owners = [one.name for one in every if names <= {*settings_of(one.config)}]
        return owners[0] if len(owners) == 1 else "NAME"

    def _item(self, slot: Slot, name: str, node: Node) -> SlotChoice:
        """Read one item of ``{NAME: {settings...}, ...}``."""
        choice = self._name(slot, name, evolve(node, origin=node.key or node.origin))
        return choice if node.value is None else self._settings(slot, choice, node)

    def _name(self, slot: Slot, name: str, base: Node) -> SlotChoice:
        named = name_component(slot.name, name, base.origin, self.registry, base.folder)
        self.values.extend(named.values)
        return named.choice

    def _settings(self, slot: Slot, choice: SlotChoice, node: Node) -> SlotChoice:
        """Note the settings of a component, and return its choice, which keeps those of an unknown one."""
        if choice.component is None:
            return evolve(choice, settings=node)
        if node.value != {}:
            self.values.append(Value(slot=slot.name, component=choice.component, node=node))
        return choice

    def _distinct(self, slot: Slot, choices: list[SlotChoice]) -> tuple[SlotChoice, ...]:
        distinct: list[SlotChoice] = []
        for choice in choices:
            if choice.component is not None and choice.component in [item.component for item in distinct]:
                text, hint = f"{choice.component.name} is named twice.", "Remove one of them."
                problem = Problem(path=slot.name, text=text, origin=choice.origin, hint=hint)
                self.problems.append(problem)
            else:
                distinct.append(choice)
        return tuple(distinct)
