"""What is installed: components by slot and name, operations, presets and verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.component import SLOTS
from nascore.plugin.collect import collect
from nascore.plugin.named import Named
from nascore.plugin.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.component import Command, Component, Preset, Slot
    from nascore.description import Operation
    from nascore.description.translate import Translator


class Registry:
    """All that the loaded plugins bring.

    Two things of one name stay reachable as ``plugin:name``; only the bare name is then ambiguous.

    Args:
        plugins: The plugins, also those that are not ready.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins: tuple[Plugin, ...] = tuple(plugins)
        self._slots: dict[str, dict[str, list[Component]]] = {}
        for plugin in self.plugins:
            for component in plugin.components:
                self._slots.setdefault(component.slot, {}).setdefault(component.name, []).append(component)
        # Asked for at every look at a description.
        self._operations: Named[Operation] = Named(
            (one.name, item.name, item) for one in self.plugins for item in one.operations
        )

    @classmethod
    def of(cls, slots: Iterable[Slot] = SLOTS, /, **modules: object) -> Registry:
        """Load modules, or any objects that hold hooks, as plugins of the given names; nothing else.

        Args:
            slots: The slot table.
            modules: Plugins by name.
        """
        return cls(collect({Plugin(name=name, value=name): item for name, item in modules.items()}, slots))

    def words(self) -> tuple[str, ...]:
        """The words that stand for a plugin: its own name, or that of its distribution; sorted."""
        return tuple(sorted({word for one in self.plugins for word in (one.name, one.distribution) if word}))

    def names(self, slot: str) -> tuple[str, ...]:
        """The names of all components of a slot, sorted."""
        return tuple(sorted(self._slots.get(slot, {})))

    def shown(self, slot: str) -> tuple[str, ...]:
        """The shortest names that each stand for one component of a slot, sorted."""
        return tuple(sorted(Named((one.plugin, one.name, one) for one in self.components(slot))))

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

    def operations(self) -> Named[Operation]:
        """The catalogue of operations."""
        return self._operations

    def presets(self) -> Named[Preset]:
        """All presets by name."""
        return Named((one.name, item.name, item) for one in self.plugins for item in one.presets)

    def translators(self) -> Named[Translator]:
        """All notations for architectures by name."""
        return Named((one.name, item.name, item) for one in self.plugins for item in one.translators)

    def commands(self) -> Named[Command]:
        """All verbs that plugins bring, by name."""
        return Named((one.name, item.name, item) for one in self.plugins for item in one.commands)

    def _named(self, slot: str, name: str) -> list[Component]:
        plugin, _, bare = name.rpartition(":")
        found = self._slots.get(slot, {}).get(bare, [])
        return [item for item in found if item.plugin == plugin] if plugin else found
