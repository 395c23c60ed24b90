"""The registry: components by slot and name, operations, presets and verbs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from nascore.plugin.hooks import collect, with_contributions
from nascore.plugin.plugin import Plugin
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.component import Command, Component, Execution, ImageReader, Preset
    from nascore.description import Operation
    from nascore.description.translate import Translator
    from nascore.slots import Slot


T = TypeVar("T")


class NameTable(Mapping[str, T]):
    """A mapping from names to items of plugins, in which ambiguous names find nothing.

    A bare name finds an item only if no other item has it; ``plugin:name`` finds any item. Iteration yields
    the bare names, and the full names of items that share a bare one.

    Args:
        items: Triples of a plugin's name, the item's own name and the item.
    """

    def __init__(self, items: Iterable[tuple[str, str, T]]) -> None:
        self._full: dict[str, dict[str, T]] = defaultdict(dict)
        for plugin, name, item in items:
            self._full[name][f"{plugin}:{name}"] = item
        self._found = {full: item for same in self._full.values() for full, item in same.items()}
        self._shown: list[str] = []
        for name, same in self._full.items():
            if len(same) == 1:
                self._found[name] = next(iter(same.values()))
            self._shown += [name] if len(same) == 1 else same

    def __getitem__(self, name: str) -> T:
        """Return the item of a name."""
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the shortest unambiguous name of each item."""
        return iter(self._shown)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self._shown)

    def ambiguous(self, name: str) -> tuple[str, ...]:
        """Return the full names of all items of an ambiguous bare name; empty for any other name."""
        same = self._full.get(name, {})
        return tuple(same) if len(same) > 1 else ()


class Registry:
    """The contents of all plugins.

    Two items of one name are reachable as ``plugin:name``; their bare name is ambiguous.

    Args:
        plugins: All plugins, also those that are not ready.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins: tuple[Plugin, ...] = with_contributions(plugins)
        self._slots: dict[str, dict[str, list[Component]]] = {}
        for plugin in self.plugins:
            for component in plugin.components:
                self._slots.setdefault(component.slot, {}).setdefault(component.name, []).append(component)
        # Made once: every reading of a description needs it.
        self._operations: NameTable[Operation] = NameTable(
            (one.name, item.name, item) for one in self.plugins for item in one.operations
        )

    @classmethod
    def of(cls, slots: Iterable[Slot] = SLOTS, /, **modules: object) -> Registry:
        """Return a registry of modules, or any objects with hooks, as plugins of the given names.

        Args:
            slots: The slot table.
            modules: Plugins by name.
        """
        return cls(collect({Plugin(name=name, value=name): item for name, item in modules.items()}, slots))

    def words(self) -> tuple[str, ...]:
        """Return the names of all plugins and of their distributions, sorted."""
        return tuple(sorted({word for one in self.plugins for word in (one.name, one.distribution) if word}))

    def names(self, slot: str) -> tuple[str, ...]:
        """Return the names of all components of a slot, sorted."""
        return tuple(sorted(self._slots.get(slot, {})))

    def shown(self, slot: str) -> tuple[str, ...]:
        """Return the shortest unambiguous names of all components of a slot, sorted."""
        return tuple(sorted(NameTable((one.plugin, one.name, one) for one in self.components(slot))))

    def components(self, slot: str) -> tuple[Component, ...]:
        """Return all components of a slot, sorted by name."""
        named = self._slots.get(slot, {})
        return tuple(component for name in sorted(named) for component in named[name])

    def get(self, slot: str, name: str) -> Component | None:
        """Return the component called ``name`` or ``plugin:name``; None where there is none, or several."""
        found = self._named(slot, name)
        return found[0] if len(found) == 1 else None

    def ambiguous(self, slot: str, name: str) -> tuple[str, ...]:
        """Return the full names of all components of an ambiguous name; empty for any other name."""
        found = self._named(slot, name)
        return tuple(f"{item.plugin}:{item.name}" for item in found) if len(found) > 1 else ()

    def slots_of(self, name: str) -> tuple[str, ...]:
        """Return the slots with a component of this name."""
        return tuple(slot for slot in self._slots if self._named(slot, name))

    def operations(self) -> NameTable[Operation]:
        """Return the catalogue of operations."""
        return self._operations

    def presets(self) -> NameTable[Preset]:
        """Return all presets by name."""
        return NameTable((one.name, item.name, item) for one in self.plugins for item in one.presets)

    def translators(self) -> NameTable[Translator]:
        """Return all notations for architectures by name."""
        return NameTable((one.name, item.name, item) for one in self.plugins for item in one.translators)

    def commands(self) -> NameTable[Command]:
        """Return all verbs of plugins, by name."""
        return NameTable((one.name, item.name, item) for one in self.plugins for item in one.commands)

    def executions(self) -> NameTable[Execution]:
        """Return all executions by name."""
        return NameTable((one.name, item.name, item) for one in self.plugins for item in one.executions)

    def image_readers(self) -> tuple[ImageReader, ...]:
        """Return all readers of image files."""
        return tuple(item for one in self.plugins for item in one.readers)

    def _named(self, slot: str, name: str) -> list[Component]:
        plugin, _, bare = name.rpartition(":")
        found = self._slots.get(slot, {}).get(bare, [])
        return [item for item in found if item.plugin == plugin] if plugin else found
