"""A planted search for growth policies: one useful architecture among 65,536, and nothing is trained.

Eight layers in a chain offer four operations each, one of which is useful. The error of an architecture is
the share of its layers without their useful operation. A random search that repeats nothing needs 32,768
evaluations on average to find the architecture without error.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from nascore.contract import History
from nascore.description import draw_picks, fingerprint, load, recover_picks
from nascore.gallery import Entry, Gallery

if TYPE_CHECKING:
    from nascore.contract import GrowthPolicy
    from nascore.description import Catalogue, Description


LAYERS: Final = 8
OPS: Final = ("conv_3x3", "sep_conv_3x3", "dil_conv_3x3", "skip_connect")
PLANTED: Final = f"""\
nascore: 1
channels: 4
in_channels: 1
classes: 3
groups:
{"".join(f"  g{number}: {{ops: [{', '.join(OPS)}]}}{chr(10)}" for number in range(LAYERS))}\
network:
  nodes:
    stem: {{from: images, op: stem}}
{"".join(f"    l{number}: {{from: -1, choose: g{number}}}{chr(10)}" for number in range(LAYERS))}\
    head: {{from: -1, op: classifier, width: classes}}
"""

ENOUGH: Final = 500
"""Evaluations in which a policy finds the useful architecture; a random search does in one of 131 runs."""


def evaluations_needed(policy: GrowthPolicy, catalogue: Catalogue, seed: int) -> int | None:
    """Return the number of evaluations until a policy proposes the useful architecture.

    Args:
        policy: A policy that proposes closed descriptions.
        catalogue: The operations.
        seed: Seed of the useful architecture and of the policy's random numbers.

    Returns:
        The number; None if the run ends before, or reaches :data:`ENOUGH` without it.
    """
    space = load(PLANTED)
    useful = draw_picks(space, _rng(f"{seed}/useful"))
    known: dict[int, Description] = {}
    marks: set[str] = set()
    gallery, wave = Gallery(), 0
    while True:
        wave += 1
        history = History(
            gallery=gallery,
            catalogue=catalogue,
            read=lambda entry: known[entry.id],
            holds=lambda description: fingerprint(description) in marks,
        )
        proposals = policy.propose(space, history, wave, _rng(f"{seed}/growth/{wave}"))
        if not proposals:
            return None
        for proposal in proposals:
            number = len(gallery) + 1
            picks = recover_picks(space, proposal.description)
            wrong = sum(picks[name] != useful[name] for name in useful)
            if not wrong:
                return number
            if number == ENOUGH:
                return None
            known[number] = proposal.description
            marks.add(fingerprint(proposal.description))
            parent = None if proposal.parent is None else proposal.parent.id
            gallery = gallery.added(_entry(number, wave, parent, wrong / LAYERS))


def _entry(number: int, wave: int, parent: int | None, error: float) -> Entry:
    return Entry(
        id=number,
        parent=parent,
        wave=wave,
        description=f"architectures/{number:04d}.yaml",
        error=error,
        count=1000,
        costs={"params": 1000, "macs": 10_000},
    )


def _rng(seed: str) -> Random:
    return Random(seed)  # noqa: S311 - nothing secret
