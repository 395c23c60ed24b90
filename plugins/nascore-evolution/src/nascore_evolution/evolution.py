"""Regularized evolution (Real et al., AAAI 2019, arXiv 1802.01548), without torch and state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.api import Proposal, derive, draw_architectures, fingerprint, mutate_picks, recover_picks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from nascore.api import Description, Entry, History
    from nascore_evolution.settings import EvolutionSettings

MISSES: Final = 200
"""Mutations in a row that were all trained before, after which the run ends."""


@frozen
class Evolution:
    """Mutates winners of tournaments; the population is the latest architectures, so that the oldest die.

    An architecture is never trained twice: a mutation that was tried is drawn again, with its tournament.
    """

    settings: EvolutionSettings

    def propose(self, space: Description, history: History, wave: int, rng: Random) -> Sequence[Proposal]:
        """Return the random initial population, then mutations of parents."""
        settings = self.settings
        if wave == 1:
            first = draw_architectures(space, min(settings.population, settings.count), rng)
            return [Proposal(description=one) for one in first]
        if not space.is_open:
            return ()
        population = history.gallery.entries[-settings.population :]
        left = settings.count - len(history.gallery)
        children: dict[str, Proposal] = {}
        misses = 0
        while len(children) < min(settings.wave, left) and misses < MISSES:
            parent = self.winner(population, rng)
            picks = recover_picks(space, history.description(parent))
            child = derive(space, mutate_picks(space, picks, rng))
            mark = fingerprint(child)
            if mark in children or history.tried(child):
                misses += 1
                continue
            children[mark], misses = Proposal(description=child, parent=parent), 0
        return tuple(children.values())

    def winner(self, population: Sequence[Entry], rng: Random) -> Entry:
        """Return the best architecture of a random sample of the population; among equals the newest."""
        sample = rng.sample(population, min(self.settings.sample, len(population)))
        return min(sample, key=lambda entry: (entry.error, -entry.id))
