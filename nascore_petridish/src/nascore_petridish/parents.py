"""Which architectures grow next (the authors' controller, arXiv 1905.13360, section 4.3)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nascore.api import Gallery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from nascore.api import Entry
    from nascore_petridish.settings import GrowthSettings

COST = "macs"


def next_parents(settings: GrowthSettings, gallery: Gallery, rng: Random) -> Sequence[Entry]:
    """Return the parents of the next wave; none where the run is over.

    The pool is what may still grow and lies on the lower hull of validation error over cost, or up to `eps`
    above it. For each parent it is gone through from the costliest to the cheapest, until one is accepted:
    with the probability 1/(n + 1), where n is how often it has grown already, or failed to.
    """
    able = Gallery(tuple(entry for entry in gallery if _grows(settings, gallery, entry)))
    pool = able.hull(COST, settings.eps)[::-1]
    if not pool:
        return ()
    times = Counter({entry.id: gallery.tries(entry) for entry in pool})
    chosen: list[Entry] = []
    for _ in range(min(settings.wave, settings.count - len(gallery))):
        chosen.append(_accepted(pool, times, rng))
        times[chosen[-1].id] += 1  # at once: parents of one wave know of each other
    return chosen


def _accepted(pool: Sequence[Entry], times: Mapping[int, int], rng: Random) -> Entry:
    while True:
        for entry in pool:
            if rng.random() < 1 / (times[entry.id] + 1):
                return entry


def _grows(settings: GrowthSettings, gallery: Gallery, entry: Entry) -> bool:
    if settings.limit is not None and entry.costs[COST] > settings.limit:
        return False
    return _depth(gallery, entry) < settings.depth


def _depth(gallery: Gallery, entry: Entry) -> int:
    depth = 0
    while entry.parent is not None:
        entry, depth = gallery[entry.parent], depth + 1
    return depth
