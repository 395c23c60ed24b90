"""All architectures of a run, and those that no other beats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.errors import RunFolderError
from nascore.gallery.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator


@frozen
class Gallery:
    """The architectures of a run, in the order of their jobs.

    Attributes:
        entries: The architectures.
    """

    entries: tuple[Entry, ...] = ()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        """Return how many architectures there are."""
        return len(self.entries)

    def __getitem__(self, number: int) -> Entry:
        """Return the entry with this id."""
        return next(entry for entry in self.entries if entry.id == number)

    def added(self, entry: Entry) -> Gallery:
        """Return the gallery with one more entry."""
        return Gallery((*self.entries, entry))

    def front(self, cost: str = "params") -> tuple[Entry, ...]:
        """Return the entries that no other beats in error and cost, cheapest first.

        One entry beats another if it is no worse in both and better in one. Of equals all stand.
        """
        standing = [
            entry for entry in self.entries if not any(_beats(other, entry, cost) for other in self.entries)
        ]
        return tuple(sorted(standing, key=lambda entry: (entry.costs[cost], entry.error, entry.id)))

    @property
    def best(self) -> Entry:
        """The entry with the lowest error; of equals the one with the fewest parameters, then the first."""
        return min(self.entries, key=lambda entry: (entry.error, entry.costs.get("params", 0), entry.id))

    def to_json(self) -> str:
        """Return the gallery as JSON text, with the ids of its front."""
        front = [entry.id for entry in self.front()]
        plain = {"entries": [entry.plain() for entry in self.entries], "front": front}
        return json.dumps(plain, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Gallery:
        """Return the gallery of a JSON text.

        Raises:
            RunFolderError: The text holds no gallery.
        """
        try:
            return cls(tuple(Entry.of(plain) for plain in json.loads(text)["entries"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RunFolderError(f"this is no gallery: {error}") from error


def _beats(one: Entry, other: Entry, cost: str) -> bool:
    mine, its = (one.error, one.costs[cost]), (other.error, other.costs[cost])
    return mine != its and mine[0] <= its[0] and mine[1] <= its[1]
