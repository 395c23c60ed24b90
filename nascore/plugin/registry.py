"""The registry: components by slot and name, operations, presets and verbs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from nascore.plugin.hooks import answered, collect
from nascore.plugin.plugin import Plugin
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.component import Command, Component, Preset
    from nascore.description import Operation
    from nascore.description.translate import Translator
    from nascore.slots import Slot


T = TypeVar("T")


class NameTable(Mapping[str, T]):
    """Things by the name that one types; never silently the first of two.

    A bare name finds a thing only if no other has it; ``plugin:name`` finds each. The names that are gone
    through are the bare ones, and the full ones of those that share a bare one.

    Args:
        items: Triples of a plugin's name, the thing's own name and the thing.
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
        """Return what a name stands for."""
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the shortest names that each stand for one thing."""
        return iter(self._shown)

    def __len__(self) -> int:
        """Return the number of things."""
        return len(self._shown)

    def ambiguous(self, name: str) -> tuple[str, ...]:
        """Return the full names of all that a bare name may mean, where they are several."""
        same = self._full.get(name, {})
        return tuple(same) if len(same) > 1 else ()


class Registry:
    """All that the loaded plugins bring.

    Two things of one name stay reachable as ``plugin:name``; only the bare name is then ambiguous.

    Args:
        plugins: The plugins, also those that are not ready.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins: tuple[Plugin, ...] = answered(plugins)
        self._slots: dict[str, dict[str, list[Component]]] = {}
        for plugin in self.plugins:
            for component in plugin.components:
                self._slots.setdefault(component.slot, {}).setdefault(component.name, []).append(component)
        # Asked for at every look at a description.
        self._operations: NameTable[Operation] = NameTable(
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
        return tuple(sorted(NameTable((one.plugin, one.name, one) for one in self.components(slot))))

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

    def operations(self) -> NameTable[Operation]:
        """The catalogue of operations."""
        return self._operations

    def presets(self) -> NameTable[Preset]:
        """All presets by name."""
        return NameTable((one.name, item.name, item) for one in self.plugins for item in one.presets)

    def translators(self) -> NameTable[Translator]:
        """All notations for architectures by name."""
        return NameTable((one.name, item.name, item) for one in self.plugins for item in one.translators)

    def commands(self) -> NameTable[Command]:
        """All verbs that plugins bring, by name."""
        return NameTable((one.name, item.name, item) for one in self.plugins for item in one.commands)

    def _named(self, slot: str, name: str) -> list[Component]:
        plugin, _, bare = name.rpartition(":")
        found = self._slots.get(slot, {}).get(bare, [])
        return [item for item in found if item.plugin == plugin] if plugin else found
