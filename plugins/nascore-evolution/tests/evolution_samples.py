"""Searches without training: the error of an architecture is given."""

from __future__ import annotations

from random import Random

import nascore.builtin
from nascore.builtin.components import TinySettings
from nascore.builtin.spaces import Tiny
from nascore.contract import DataFacts, History
from nascore.description import fingerprint, recover_picks
from nascore.gallery import Entry, Gallery
from nascore.plugin import Registry

CATALOGUE = Registry.of(builtin=nascore.builtin).operations()
FACTS = DataFacts(
    channels=3, height=8, width=8, classes=3, train=48, test=12, mean=(0.5,) * 3, std=(1.0,) * 3
)
TINY = Tiny(TinySettings()).describe(FACTS)
"""27 architectures: one of three operations on each of three edges."""


def codes(description):
    """Return the operation of each edge, as columns: 1 to 3."""
    return tuple(column for _, column in sorted(recover_picks(TINY, description)["cell"]))


class Search:
    """A run of a policy in the space `tiny`.

    Args:
        policy: The policy.
        error: The error of an architecture, from its code.
        fails: Codes of architectures whose job fails.
        seed: Seed of the random numbers.
    """

    def __init__(self, policy, error, fails=(), seed=0):
        self.policy, self.error, self.fails, self.seed = policy, error, set(fails), seed
        self.gallery, self.known, self.marks, self.wave = Gallery(), {}, set(), 0

    def history(self):
        return History(
            gallery=self.gallery,
            catalogue=CATALOGUE,
            read=lambda entry: self.known[entry.id],
            holds=lambda one: fingerprint(one) in self.marks,
        )

    def step(self):
        """Propose a wave and evaluate it; returns the proposals."""
        self.wave += 1
        rng = Random(f"{self.seed}/{self.wave}")  # noqa: S311 - nothing secret
        proposals = self.policy.propose(TINY, self.history(), self.wave, rng)
        for one in proposals:
            self.add(one)
        return proposals

    def add(self, proposal):
        code = codes(proposal.description)
        self.marks.add(fingerprint(proposal.description))
        if code in self.fails:
            return
        number = len(self.known) + 1
        self.known[number] = proposal.description
        parent = None if proposal.parent is None else proposal.parent.id
        found = Entry(
            id=number, parent=parent, wave=self.wave, description="", error=self.error(code), count=100
        )
        self.gallery = self.gallery.added(found)

    def run(self, most=100):
        """Run to the end; returns the codes in their order."""
        while self.step():
            assert self.wave < most
        return [codes(one) for one in self.known.values()]


def distance(one, other):
    return sum(a != b for a, b in zip(one, other, strict=True))


def to(goal):
    """Return the error as the distance from a code."""
    return lambda code: distance(code, goal) / 4
