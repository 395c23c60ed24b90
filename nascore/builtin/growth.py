"""Built-in growth policies: none, and randomly drawn architectures; no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.api import Proposal, draw_architectures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random as Rng

    from nascore.api import Description, History, NoSettings
    from nascore.builtin.components import RandomSettings


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
        return [Proposal(description=one) for one in draw_architectures(space, self.settings.count, rng)]

    def remark(self, seeds: Sequence[Description]) -> str:
        """Say so where the space has fewer architectures than were asked for."""
        wanted = self.settings.count
        if len(seeds) == wanted:
            return ""
        return f"growth.count: {wanted} architectures were asked for, and the space gave {len(seeds)}."
