"""Which architectures grow next (the authors' controller, arXiv 1905.13360, section 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from nascore.api import Entry, Gallery
    from nascore_petridish.settings import GrowthSettings

COST = "macs"


def next_parents(settings: GrowthSettings, gallery: Gallery, rng: Random) -> Sequence[Entry]:
    """Return the parents of the next wave; none where the run is over.

    Those on the lower hull of validation error over cost, or up to `eps` above it, are gone through from the
    costliest to the cheapest, again and again; each is accepted with the probability 1/(n + 1), where n is
    how often it has grown already.
    """
    wanted = min(settings.wave, settings.count - len(gallery))
    able = {entry.id for entry in gallery if _grows(settings, gallery, entry)}
    pool = [entry for entry in reversed(gallery.hull(COST, settings.eps)) if entry.id in able]
    if wanted < 1 or not pool:
        return ()
    used = {entry.id: 0 for entry in gallery}
    for entry in gallery:
        if entry.parent is not None:
            used[entry.parent] += 1
    accepted = _accepted(pool, used, rng)
    return [next(accepted) for _ in range(wanted)]


def _accepted(pool: Sequence[Entry], used: Mapping[int, int], rng: Random) -> Iterator[Entry]:
    times = dict(used)
    while True:
        for entry in pool:
            if rng.random() < 1 / (times[entry.id] + 1):
                # Counted at once: parents of one wave know of each other.
                times[entry.id] += 1
                yield entry


def _grows(settings: GrowthSettings, gallery: Gallery, entry: Entry) -> bool:
    if settings.limit is not None and entry.costs[COST] > settings.limit:
        return False
    return _depth(gallery, entry) < settings.depth


def _depth(gallery: Gallery, entry: Entry) -> int:
    depth = 0
    while entry.parent is not None:
        entry, depth = gallery[entry.parent], depth + 1
    return depth
