"""The gallery of a run: all entries, the front, and the hypervolume."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, evolve, field, frozen

from nascore.errors import RunFolderError
from nascore.files.schema import ANY_OBJECT, COUNT, faults, list_of, map_of
from nascore.gallery.entry import Entry
from nascore.gallery.front import eps_hull, hypervolume, reference_of
from nascore.gallery.score import ACCURACY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.files.schema import Schema
    from nascore.gallery.score import Metric

_SCHEMA: Final[Schema] = {"entries": list_of(ANY_OBJECT), "failures": map_of(COUNT)}


@frozen
class Gallery:
    """The architectures of a run, in the order of their jobs.

    Attributes:
        entries: The architectures.
        failures: Number of failed children by id of the parent; entries without failures are left out.
    """

    entries: tuple[Entry, ...] = ()
    failures: Mapping[int, int] = Factory(dict)
    _best: Entry | None = field(default=None, eq=False, repr=False, alias="known_best")

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        """Return the number of architectures."""
        return len(self.entries)

    def __getitem__(self, number: int) -> Entry:
        """Return the entry with this id.

        Raises:
            KeyError: No entry has this id.
        """
        for entry in self.entries:
            if entry.id == number:
                return entry
        raise KeyError(number)

    def added(self, entry: Entry) -> Gallery:
        """Return the gallery with one more entry."""
        # A long run asks for the best after each job, and must not compare all entries each time.
        best = min(self.best, entry, key=_rank) if self.entries else entry
        return evolve(self, entries=(*self.entries, entry), known_best=best)

    def failed(self, parent: int) -> Gallery:
        """Return the gallery with one more failed child of an entry."""
        return evolve(self, failures={**self.failures, parent: self.failures.get(parent, 0) + 1})

    def tries(self, entry: Entry) -> int:
        """Return how often an entry was a parent, including children that failed."""
        children = sum(other.parent == entry.id for other in self.entries)
        return children + self.failures.get(entry.id, 0)

    def front(self, cost: str = "params") -> tuple[Entry, ...]:
        """Return the Pareto front: the entries that no other dominates in error and cost, cheapest first.

        One entry dominates another if it is no worse in both and better in one. Equal entries are all
        included.
        """
        front: list[Entry] = []
        for entry in sorted(self.entries, key=lambda entry: (entry.costs[cost], entry.error, entry.id)):
            # Earlier entries cost no more: this one must have a lower error, or equal the last in both.
            last = front[-1] if front else None
            if last is None or entry.error < last.error or _equal(entry, last, cost):
                front.append(entry)
        return tuple(front)

    def hull(self, cost: str = "macs", eps: float = 0.0) -> tuple[Entry, ...]:
        """Return the entries on the lower hull of error over cost, or close above it, cheapest first.

        See :func:`~nascore.gallery.front.eps_hull`.
        """
        return eps_hull(self.entries, cost, eps)

    def reference(self, cost: str = "params") -> tuple[float, float]:
        """Return the default reference point of :meth:`hypervolume`: an error and a cost."""
        return reference_of(self.entries, cost)

    def hypervolume(self, cost: str = "params", reference: tuple[float, float] | None = None) -> float:
        """Return the share of the rectangle from 0 to a reference point that the entries dominate, 0 to 1.

        See :func:`~nascore.gallery.front.hypervolume`.

        Args:
            cost: Name of the cost.
            reference: Error and cost of the reference point; None: error 1, without an upper
                limit 1.1 times the largest error, and 1.1 times the largest cost.
                Only values for the same point are comparable between galleries.
        """
        return hypervolume(self.entries, cost, self.reference(cost) if reference is None else reference)

    @property
    def best(self) -> Entry:
        """The entry with the lowest error; among equals the one with the fewest parameters, or the first."""
        return min(self.entries, key=_rank) if self._best is None else self._best

    @property
    def metric(self) -> Metric:
        """The metric of the entries; the accuracy if there is none."""
        return self.entries[0].metric if self.entries else ACCURACY

    @property
    def costs(self) -> tuple[str, ...]:
        """Names of the costs that every entry has, in the order of the first entry."""
        first = self.entries[0].costs if self.entries else ()
        return tuple(cost for cost in first if all(cost in entry.costs for entry in self.entries))

    def to_json(self) -> str:
        """Return the gallery as JSON text, with the ids on its front by parameters and its hypervolumes.

        Front and hypervolume are for other programs; :meth:`from_json` reads only entries and failures.
        """
        plain = {
            "entries": [entry.plain() for entry in self.entries],
            "failures": {str(number): times for number, times in self.failures.items()},
            "front": [entry.id for entry in self.front()],
            "hypervolume": {cost: self.hypervolume(cost) for cost in self.costs},
        }
        return json.dumps(plain, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Gallery:
        """Return the gallery of a JSON text.

        Raises:
            RunFolderError: The text holds no gallery.
        """
        try:
            return cls.of(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise RunFolderError(f"the text is not a valid gallery: {error}") from error

    @classmethod
    def of(cls, whole: object) -> Gallery:
        """Return the gallery of a parsed JSON text.

        Raises:
            ValueError: The value is not a valid gallery.
        """
        if not isinstance(whole, dict):
            raise ValueError("it holds no JSON object")  # noqa: TRY004 - the text is wrong, not the program
        wrong = list(faults(whole, _SCHEMA, ("entries",)))
        if wrong:
            raise ValueError("; ".join(wrong))
        failures = {int(number): times for number, times in whole.get("failures", {}).items()}
        entries = tuple(_entry(plain, place) for place, plain in enumerate(whole["entries"], start=1))
        ids = {entry.id for entry in entries}
        if len(ids) < len(entries):
            raise ValueError("two entries have the same id")
        lost = sorted({entry.parent for entry in entries if entry.parent is not None} - ids)
        if lost:
            raise ValueError(f"entry {lost[0]} is missing, but it is the parent of another")
        return cls(entries, failures)


def _entry(plain: Mapping[str, Any], place: int) -> Entry:
    try:
        return Entry.of(plain)
    except ValueError as error:
        raise ValueError(f"entry {place}: {error}") from None


def _rank(entry: Entry) -> tuple[float, float, int]:
    return entry.error, entry.costs.get("params", 0), entry.id


def _equal(one: Entry, other: Entry, cost: str) -> bool:
    return (one.error, one.costs[cost]) == (other.error, other.costs[cost])
