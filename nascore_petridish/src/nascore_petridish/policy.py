"""The growth policy of Petridish (Hu et al., NeurIPS 2019, arXiv 1905.13360), without torch and state."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Gallery, Proposal, RecipeError, settle
from nascore_petridish.places import candidates, opened, seed, softened

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from random import Random

    from nascore.api import Catalogue, Description, Entry, History, Matrix
    from nascore_petridish.settings import GrowthSettings


COST = "macs"


def next_parents(
    settings: GrowthSettings, gallery: Gallery, rng: Random, refused: Collection[int] = ()
) -> Sequence[Entry]:
    """Return the parents of the next wave; none if the run is over.

    The pool contains the entries that may still grow and lie on the lower hull of validation error over cost,
    or up to `eps` above it. For each parent, the entries are tried from the costliest to the cheapest until
    one is accepted. The probability is 1/(n + 1), where n is the number of its growths, failed ones included.

    Args:
        settings: The settings of the policy.
        gallery: The architectures so far.
        rng: Random numbers.
        refused: Ids of entries that cannot be opened.
    """
    able = Gallery(
        tuple(entry for entry in gallery if entry.id not in refused and _grows(settings, gallery, entry))
    )
    pool = able.hull(COST, settings.eps)[::-1]
    if not pool:
        return ()
    times = Counter({entry.id: gallery.tries(entry) for entry in pool})
    chosen: list[Entry] = []
    for _ in range(min(settings.wave, settings.count - len(gallery))):
        chosen.append(_accepted(pool, times, rng))
        times[chosen[-1].id] += 1  # count at once, for the next parent of this wave
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
    """Grows entries near the lower hull of validation error over cost, by the candidates that help most.

    A parent's candidates are shadows: the network reads them as zero, and they get the gradient of the change
    that they would make, so that training them is functional gradient descent. The candidates that are kept
    stay behind a gate that starts at zero: the child is the same function as its parent, in training and in
    evaluation mode. It inherits all weights, and the running statistics of norms.
    """

    settings: GrowthSettings

    def propose(self, space: Description, history: History, wave: int, rng: Random) -> Sequence[Proposal]:
        """Return the smallest architecture of the space in the first wave, then parents with candidates.

        A closed space begins with its only architecture. An entry that cannot be opened leaves its place to
        another.

        Raises:
            RecipeError: No entry can be opened.
        """
        if wave == 1:
            first = seed(space) if space.is_open else space
            return [Proposal(description=first, epochs=self.settings.seed_epochs)]
        opened: dict[int, Description] = {}
        refused: dict[int, RecipeError] = {}
        while parents := next_parents(self.settings, history.gallery, rng, refused):
            for parent in parents:
                if parent.id not in opened:
                    try:
                        opened[parent.id] = self.open(history.description(parent), history.catalogue)
                    except RecipeError as error:
                        refused[parent.id] = error
            if refused.keys().isdisjoint(parent.id for parent in parents):
                return [self._child(parent, opened[parent.id]) for parent in parents]
        if refused:
            raise next(reversed(refused.values()))
        return ()

    def _child(self, parent: Entry, opened: Description) -> Proposal:
        return Proposal(description=opened, parent=parent, inherits=True, epochs=self.settings.child_epochs)

    def open(self, parent: Description, catalogue: Catalogue) -> Description:
        """Return the parent with candidates at each place where it grows."""
        settings = self.settings
        ops = candidates(settings.operations, catalogue)
        shadowed = opened(parent, ops, catalogue, keep=settings.keep, macro=settings.search == "macro")
        return softened(shadowed) if settings.soft else shadowed

    def close(self, opened: Description, strength: Mapping[str, Matrix]) -> Description:
        """Return the child, which keeps the strongest candidates of each place behind a gated projection."""
        return settle(opened, strength)
