"""Built-in growth policies: none, and randomly drawn architectures; no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.api import Proposal, choose, derive, expand, fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random as Rng

    from nascore.api import Description, History, NoSettings, Picks
    from nascore.builtin.components import RandomSettings

MISSES: Final = 200
"""Draws in a row that bring nothing new, after which a space counts as used up."""


@frozen
class NoGrowth:
    """One search in one supernet: it begins with no architecture."""

    settings: NoSettings

    def propose(self, space: Description, history: History, wave: int, rng: Rng) -> Sequence[Proposal]:
        """Return none."""
        del space, history, wave, rng
        return ()


@frozen
class Random:
    """Architectures drawn at random, each trained alike: the control of every search.

    Li & Talwalkar 2019, arXiv:1902.07638, section 3: random search without weight sharing.
    """

    settings: RandomSettings

    def propose(self, space: Description, history: History, wave: int, rng: Rng) -> Sequence[Proposal]:
        """Return all architectures in the first wave, and none after it."""
        del history
        if wave > 1:
            return ()
        return [Proposal(description=one) for one in draw_different(space, self.settings.count, rng)]

    def remark(self, seeds: Sequence[Description]) -> str:
        """Say so where the space has fewer architectures than were asked for."""
        wanted = self.settings.count
        if len(seeds) == wanted:
            return ""
        return f"growth.count: {wanted} architectures were asked for, and the space gave {len(seeds)}."


def draw_different(space: Description, count: int, rng: Rng) -> tuple[Description, ...]:
    """Return closed descriptions that are drawn at random, no two alike; fewer if the space has no more.

    Args:
        space: The description of the space; a closed one contains one architecture, itself.
        count: Number of architectures.
        rng: Random numbers.
    """
    if not space.is_open:
        return (space,)
    drawn: dict[str, Description] = {}
    seen: set[str] = set()
    misses = 0
    while len(drawn) < count and misses < MISSES:
        picks = drawn_picks(space, rng)
        misses += 1
        text = str({name: sorted(kept) for name, kept in picks.items()})
        if text in seen:  # known without a fingerprint
            continue
        seen.add(text)
        architecture = derive(space, picks)
        mark = fingerprint(architecture)
        if mark not in drawn:
            drawn[mark], misses = architecture, 0
    return tuple(drawn.values())


def drawn_picks(description: Description, rng: Rng) -> Picks:
    """Return picks at random, each that the space's rule could keep as likely as any other.

    Of a node whose segments are edges, every set of `edges` edges is equally likely, and on each of them
    every set of `keep` operations, also where edges offer different numbers of them. Of a node that is one
    segment, every set of `keep` entries is equally likely. What the mask leaves out is not drawn, nor what is
    never kept.

    It is the rule itself, :func:`~nascore.api.choose`, that draws: it is given random strengths. Independent
    numbers alone would not do: an edge is ranked by its best operation, so one that offers more would be kept
    more often. So the rank of each edge is drawn first, as the whole part of its strengths.
    """
    strength: dict[str, list[list[float]]] = {}
    layouts = expand(description).layouts
    for name in sorted(layouts):
        layout = layouts[name]
        ranks = list(range(len(layout.rows)))
        rng.shuffle(ranks)
        if description.groups[name].segment == "node":
            ranks = [0] * len(ranks)
        # Above zero: of a node that is one segment, an entry of strength zero is not kept.
        strength[name] = [[rank + 1 - rng.random() for _ in layout.ops] for rank in ranks]
    return choose(description, strength)
