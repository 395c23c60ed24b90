"""What is installed: components by slot and name, operations, presets and verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nascore.component import SLOTS
from nascore.plugin.collect import collect
from nascore.plugin.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nascore.component import Command, Component, Preset, Slot
    from nascore.description import Operation
    from nascore.description.translate import Translator

T = TypeVar("T")


class Registry:
    """All that the loaded plugins bring.

    Two components of one name stay reachable as ``plugin:name``; only the bare name is then ambiguous.

    Args:
        plugins: The plugins, broken ones too.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins: tuple[Plugin, ...] = tuple(plugins)
        self._slots: dict[str, dict[str, list[Component]]] = {}
        for plugin in self.plugins:
            for component in plugin.components:
                self._slots.setdefault(component.slot, {}).setdefault(component.name, []).append(component)

    @classmethod
    def of(cls, slots: Iterable[Slot] = SLOTS, /, **modules: object) -> Registry:
        """Load modules, or any objects that hold hooks, as plugins of the given names; nothing else.

        Args:
            slots: The slot table.
            modules: Plugins by name.
        """
        return cls(collect({Plugin(name=name, value=name): item for name, item in modules.items()}, slots))

    def names(self, slot: str) -> tuple[str, ...]:
        """The names of all components of a slot, sorted."""
        return tuple(sorted(self._slots.get(slot, {})))

    def components(self, slot: str) -> tuple[Component, ...]:
        """All components of a slot, sorted by name."""
        named = self._slots.get(slot, {})
        return tuple(component for name in sorted(named) for component in named[name])

    def get(self, slot: str, name: str) -> Component | None:
        """Return the component called ``name`` or ``plugin:name``; None where there is none, or several."""
        found = self._named(slot, name)
        return found[0] if len(found) == 1 else None

    def ambiguous(self, slot: str, name: str) -> tuple[str, ...]:
        """The full names of all components that a name stands for, where they are several."""
        found = self._named(slot, name)
        return tuple(f"{item.plugin}:{item.name}" for item in found) if len(found) > 1 else ()

    def slots_of(self, name: str) -> tuple[str, ...]:
        """The slots that have a component of this name."""
        return tuple(slot for slot in self._slots if self._named(slot, name))

    def operations(self) -> Mapping[str, Operation]:
        """The catalogue of operations; of two with one name, the first plugin's."""
        return _first((item.name, item) for plugin in self.plugins for item in plugin.operations)

    def presets(self) -> Mapping[str, Preset]:
        """All presets by name; of two with one name, the first plugin's."""
        return _first((item.name, item) for plugin in self.plugins for item in plugin.presets)

    def translators(self) -> Mapping[str, Translator]:
        """All notations for architectures by name; of two with one name, the first plugin's."""
        return _first((item.name, item) for plugin in self.plugins for item in plugin.translators)

    def commands(self) -> Mapping[str, Command]:
        """All verbs that plugins bring, by name; of two with one name, the first plugin's."""
        return _first((item.name, item) for plugin in self.plugins for item in plugin.commands)

    def _named(self, slot: str, name: str) -> list[Component]:
        plugin, _, bare = name.rpartition(":")
        found = self._slots.get(slot, {}).get(bare, [])
        return [item for item in found if item.plugin == plugin] if plugin else found


def _first(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, item in pairs:
        found.setdefault(name, item)
    return found
