"""Gradient descent on theta, as Petridish moves it (arXiv 1905.13360) and as the simplest learner."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from nascore.api import Gradients, Horizon
    from nascore.builtin.settings import SgdSettings
    from nascore.nn import ArchitectureState


class Sgd:
    """SGD with momentum and coupled weight decay; its rate stays, whatever that of the weights does."""

    gradient: Literal["theta"] = "theta"
    granularity: Literal["batch"] = "batch"

    def __init__(self, settings: SgdSettings) -> None:
        self.settings = settings
        self.names: list[str] = []
        self.descent: torch.optim.SGD | None = None

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Make the optimizer for all groups; neither the horizon nor random numbers are needed."""
        del horizon, generator
        self.names = sorted(state.theta)
        self.descent = torch.optim.SGD(
            [state.theta[name] for name in self.names],
            lr=self.settings.lr,
            momentum=self.settings.momentum,
            weight_decay=self.settings.weight_decay,
        )

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Move theta in place; what is not alive stays as it is, whatever momentum it has."""
        if gradients.theta is None:
            raise ValueError("the updater sgd follows the gradient of theta, and got none")
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
        """Return the size of the expected weights: with a free relaxation they may be negative."""
        return {name: expected[name].detach().abs() * state.alive[name] for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the momentum, and the names of the groups that it is for."""
        # torch hands out the very tensors that the next step changes.
        return {"names": list(self.names), "descent": deepcopy(self._started().state_dict())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state of an updater that was started with the same groups."""
        if list(state["names"]) != self.names:
            raise ValueError(f"the saved state is for the groups {state['names']}, these are {self.names}")
        self._started().load_state_dict(deepcopy(state["descent"]))

    def _started(self) -> torch.optim.SGD:
        if self.descent is None:
            raise RuntimeError("the updater was not started")
        return self.descent
