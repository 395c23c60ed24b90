"""Architectures of a space that are drawn at random, and random neighbours of an architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.description.derive import choose, derive
from nascore.description.expand import expand
from nascore.description.fingerprint import fingerprint
from nascore.description.neighbours import edge_moves, operation_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from nascore.description.derive import Pick, Picks
    from nascore.description.graph import Description


MISSES: Final = 200
"""Number of draws in a row without a new architecture after which a space counts as used up."""


def draw_architectures(space: Description, count: int, rng: Random) -> tuple[Description, ...]:
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
        picks = draw_picks(space, rng)
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


def draw_picks(description: Description, rng: Random) -> Picks:
    """Return random picks; all picks that the rule of the space allows are equally likely.

    If the segments of a node are its edges, every set of `edges` edges is equally likely, and on each edge
    every set of `keep` operations, even if the edges offer different numbers of operations. If a node is one
    segment, every set of `keep` entries is equally likely. Masked entries and operations that are never kept
    are not drawn.

    The rule itself, :func:`choose`, makes the choice by random strengths. Independent strengths would not be
    enough: an edge is ranked by its best operation, so an edge with more operations would be kept more often.
    Therefore the rank of each edge is drawn first, as the integer part of its strengths.
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


def mutate_picks(space: Description, picks: Mapping[str, Sequence[Pick]], rng: Random) -> Picks:
    """Return the picks of a random neighbour; the same picks if the space has no other architecture.

    Whether an operation changes or an edge moves is equally likely if both are possible, as in regularized
    evolution (Real et al. 2019, arXiv 1802.01548); then every such change is.

    Args:
        space: The open description of the space.
        picks: The picks of one of its architectures.
        rng: Random numbers.
    """
    kinds = [found for found in (operation_changes(space, picks), edge_moves(space, picks)) if found]
    return rng.choice(rng.choice(kinds)) if kinds else {name: list(kept) for name, kept in picks.items()}
