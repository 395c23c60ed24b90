"""Things by name, where several plugins may bring one of the same name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Named(Mapping[str, T]):
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
