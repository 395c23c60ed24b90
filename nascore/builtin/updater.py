"""The control: an updater that learns nothing and chooses by random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from nascore.api import Gradients, Horizon, NoSettings
    from nascore.nn import ArchitectureState


class Uniform:
    """Leaves theta alone; ranks by numbers drawn once, since ties would favour the first column."""

    gradient: None = None
    granularity = "batch"

    def __init__(self, settings: NoSettings) -> None:
        del settings
        self.ranks: dict[str, Tensor] = {}

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Draw a rank in (0, 1] for every entry."""
        del horizon
        self.ranks = {
            # One minus, because zero means "out" and torch.rand may return it.
            name: 1 - torch.rand(state.theta[name].shape, generator=generator)
            for name in sorted(state.theta)
        }

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Do nothing; with ``gradient`` None the trainer does not call it either."""

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the ranks of what is alive, 0 elsewhere."""
        del expected
        return {
            name: rank.to(state.alive[name].device) * state.alive[name] for name, rank in self.ranks.items()
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the ranks."""
        return {"ranks": {name: rank.clone() for name, rank in self.ranks.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the ranks."""
        self.ranks = dict(state["ranks"])
