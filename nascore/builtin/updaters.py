"""Built-in updaters: SGD on the architecture parameters, and a control that chooses at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim import SGD

from nascore.nn import Descent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from nascore.api import ChoiceGroup, Gradients, Horizon, NoSettings
    from nascore.builtin.components import SgdSettings
    from nascore.nn import ArchitectureState


class Sgd(Descent):
    """SGD with momentum and coupled weight decay on theta, with a constant learning rate."""

    def __init__(self, settings: SgdSettings) -> None:
        super().__init__(
            lambda thetas: SGD(
                thetas, lr=settings.lr, momentum=settings.momentum, weight_decay=settings.weight_decay
            )
        )


class Uniform:
    """Never updates theta; ranks candidates by random numbers, since ties would favour the first column."""

    gradient: None = None
    granularity = "batch"

    def __init__(self, settings: NoSettings) -> None:
        del settings
        self.ranks: dict[str, Tensor] = {}

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Draw a rank in (0, 1] for every entry."""
        del horizon
        self.ranks = {
            # One minus, because torch.rand may return 0, the strength of dead entries.
            name: (1 - torch.rand(state.theta[name].shape, generator=generator)) ** _powers(group)
            for name, group in sorted(state.groups.items())
        }

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Do nothing; the trainer does not call it, since ``gradient`` is None."""

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return each group's ranks [E, O]; entries that are not alive get 0."""
        del expected
        return {
            name: rank.to(state.alive[name].device) * state.alive[name] for name, rank in self.ranks.items()
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the random ranks of the entries of each group."""
        return {"ranks": {name: rank.clone() for name, rank in self.ranks.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the ranks."""
        self.ranks = dict(state["ranks"])


def _powers(group: ChoiceGroup) -> Tensor:
    """Return the exponent of the ranks of each row, [E, 1], which makes all edges equally likely to be kept.

    An edge is ranked by its best operation, and the maximum of more random numbers is larger. The maximum of
    n uniform numbers, raised to the power of n, has the same distribution for every n. The order within an
    edge does not change.
    """
    if group.segment == "node":
        return torch.ones(len(group.rows), 1)
    may = torch.tensor([op not in group.never for op in group.ops])
    counts = (torch.tensor(group.mask) & may).sum(1, keepdim=True).clamp_min(1)
    return counts / counts.max()  # at most 1, so that no rank becomes zero
