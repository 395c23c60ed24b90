"""DARTS's update rule: Adam on the logits (arXiv 1806.09055, section 3.3 and the authors' code)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.api import Gradients, Horizon
    from nascore.nn import ArchitectureState
    from nascore_darts.settings import UpdaterSettings


class Updater:
    """Adam with coupled weight decay on the gradient of the loss with respect to theta.

    The decay is torch.optim.Adam's: it is added to the gradient, as in the authors' code, not AdamW's.
    """

    gradient: Literal["theta"] = "theta"
    granularity: Literal["batch"] = "batch"

    def __init__(self, settings: UpdaterSettings) -> None:
        self.settings = settings
        self.names: list[str] = []
        self.adam: torch.optim.Adam | None = None

    def start(self, state: ArchitectureState, horizon: Horizon, generator: torch.Generator) -> None:
        """Make the optimizer for all groups; neither the horizon nor random numbers are needed."""
        del horizon, generator
        self.names = sorted(state.theta)
        self.adam = torch.optim.Adam(
            [state.theta[name] for name in self.names],
            lr=self.settings.lr,
            betas=(self.settings.beta1, self.settings.beta2),
            weight_decay=self.settings.weight_decay,
        )

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Move theta in place; what is not alive stays as it is, whatever Adam remembers of it."""
        if gradients.theta is None:
            raise ValueError("the updater darts follows the gradient of theta, and got none")
        before = {name: state.theta[name].detach().clone() for name in self.names}
        for name in self.names:
            state.theta[name].grad = gradients.theta[name].detach().clone()
        self._started().step()
        with torch.no_grad():
            for name in self.names:
                theta = state.theta[name]
                theta.grad = None
                theta.copy_(torch.where(state.alive[name], theta, before[name]))

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what deriving ranks by: the mixture itself, after the softmax, never theta."""
        return {name: expected[name].detach().abs() * state.alive[name] for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of Adam's state, and the names of the groups that it is for."""
        # torch hands out the very tensors that the next step changes.
        return {"names": list(self.names), "adam": deepcopy(self._started().state_dict())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state of an updater that was started with the same groups."""
        if list(state["names"]) != self.names:
            raise ValueError(f"the saved state is for the groups {state['names']}, these are {self.names}")
        self._started().load_state_dict(deepcopy(state["adam"]))

    def _started(self) -> torch.optim.Adam:
        if self.adam is None:
            raise RuntimeError("the updater was not started")
        return self.adam
