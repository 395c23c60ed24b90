"""The growth policy of Petridish (Hu et al., NeurIPS 2019, arXiv 1905.13360); no torch, no state."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Gallery, settle
from nascore_petridish.places import candidates, opened, seed, softened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from nascore.api import Catalogue, Description, Entry, Matrix
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


@frozen
class Petridish:
    """Grows what lies near the lower hull of validation error over cost, by the candidates that help most.

    A parent's candidates are shadows: they are read as zero and get the gradient of what they would change,
    so that training them is functional gradient descent. What is kept of them stays behind a gate that begins
    at zero: the child is the parent's function, in training and in evaluation mode. It inherits all weights,
    and the running statistics of norms.
    """

    settings: GrowthSettings

    @property
    def seed_epochs(self) -> int:
        """Epochs for the initial architectures."""
        return self.settings.seed_epochs

    @property
    def child_epochs(self) -> int:
        """Passes over the images for a child."""
        return self.settings.child_epochs

    def seeds(self, description: Description, rng: Random) -> Sequence[Description]:
        """Return the least architecture of the space; a closed description is its own."""
        del rng
        return (seed(description) if description.is_open else description,)

    def next_parents(self, gallery: Gallery, wave: int, rng: Random) -> Sequence[Entry]:
        """Return the parents of a wave; none where the run is over."""
        del wave
        return next_parents(self.settings, gallery, rng)

    def open(self, parent: Description, catalogue: Catalogue) -> Description:
        """Return the parent with candidates at each place where it grows."""
        settings = self.settings
        ops = candidates(settings.operations, catalogue)
        shadowed = opened(parent, ops, catalogue, keep=settings.keep, macro=settings.search == "macro")
        return softened(shadowed) if settings.soft else shadowed

    def close(self, opened: Description, strength: Mapping[str, Matrix]) -> Description:
        """Return the child: the strongest candidates of each place stay, behind a gated projection."""
        return settle(opened, strength)
