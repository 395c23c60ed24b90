"""Local search (White et al., UAI 2021, arXiv 2005.02960), without torch and state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.api import Proposal, derive, draw_architectures, fingerprint, neighbours, recover_picks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from nascore.api import Description, Entry, Gallery, History
    from nascore_evolution.settings import LocalSearchSettings

MISSES: Final = 200
"""Draws in a row that were all trained before, after which a space counts as used up."""


@frozen
class LocalSearch:
    """Trains neighbours of an architecture, moves to the best if it is better, and else starts again.

    An architecture is never trained twice: neighbours that were tried before are left out.
    """

    settings: LocalSearchSettings

    def propose(self, space: Description, history: History, wave: int, rng: Random) -> Sequence[Proposal]:
        """Return random architectures, then neighbours of the present one, or a new start."""
        settings = self.settings
        if wave == 1:
            first = draw_architectures(space, min(settings.starts, settings.count), rng)
            return [Proposal(description=one) for one in first]
        left = settings.count - len(history.gallery)
        if left < 1 or not space.is_open:
            return ()
        present = present_of(history.gallery)
        found: list[Proposal] = []
        for one in untried(space, history, present, rng):
            found.append(Proposal(description=one, parent=present))
            if len(found) == min(left, settings.wave or left):
                break
        return found or new_start(space, history, rng)


def present_of(gallery: Gallery) -> Entry:
    """Return the architecture at which a search stands, by the descent of the entries.

    The search began at the best entry of the latest wave without parents, and moved to the best child as long
    as that was better.
    """
    starts = [entry for entry in gallery if entry.parent is None]
    latest = max(entry.wave for entry in starts)
    present = _best(entry for entry in starts if entry.wave == latest)
    while better := [one for one in gallery if one.parent == present.id and one.error < present.error]:
        present = _best(better)
    return present


def untried(space: Description, history: History, present: Entry, rng: Random) -> Iterator[Description]:
    """Yield the neighbours of an entry that were not tried, no two alike, in random order."""
    around = neighbours(space, recover_picks(space, history.description(present)))
    rng.shuffle(around)
    seen: set[str] = set()
    for picks in around:
        neighbour = derive(space, picks)
        mark = fingerprint(neighbour)
        if mark not in seen and not history.tried(neighbour):
            yield neighbour
        seen.add(mark)


def new_start(space: Description, history: History, rng: Random) -> list[Proposal]:
    """Return a random architecture that was not tried; none if the space seems used up."""
    for _ in range(MISSES):
        (drawn,) = draw_architectures(space, 1, rng)
        if not history.tried(drawn):
            return [Proposal(description=drawn)]
    return []


def _best(entries: Iterator[Entry] | Sequence[Entry]) -> Entry:
    return min(entries, key=lambda entry: (entry.error, entry.id))
