"""The base class of updaters that use an optimizer of torch."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Generator, Tensor
    from torch.optim import Optimizer

    from nascore.contract import Gradients, Horizon
    from nascore.nn.architecture import ArchitectureState


class Descent:
    """Moves theta with an optimizer of torch, by the gradient of loss and penalties with respect to theta.

    Its rate stays, whatever that of the weights does.

    Args:
        make: Makes the optimizer of a list of tensors.
    """

    gradient: Literal["theta"] = "theta"
    granularity: Literal["batch"] = "batch"

    def __init__(self, make: Callable[[list[Tensor]], Optimizer]) -> None:
        self._make = make
        self._names: list[str] = []
        self._optimizer: Optimizer | None = None

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Make the optimizer for all groups; neither the horizon nor random numbers are needed."""
        del horizon, generator
        self._names = sorted(state.theta)
        self._optimizer = self._make([state.theta[name] for name in self._names])

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Move theta in place; what is not alive stays as it is, whatever the optimizer remembers of it."""
        if gradients.theta is None:
            raise ValueError("this updater follows the gradient of theta, and got none")
        before = {name: state.theta[name].detach().clone() for name in self._names}
        for name in self._names:
            state.theta[name].grad = gradients.theta[name].detach().clone()
        self._started().step()
        with torch.no_grad():
            for name in self._names:
                theta = state.theta[name]
                theta.grad = None
                theta.copy_(torch.where(state.alive[name], theta, before[name]))

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the size of the expected weights, never theta: free weights may be negative."""
        return {name: expected[name].detach().abs() * state.alive[name] for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the optimizer's state, and the names of the groups that it is for."""
        # torch hands out the very tensors that the next step changes.
        return {"names": list(self._names), "optimizer": deepcopy(self._started().state_dict())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state of an updater that was started with the same groups.

        Raises:
            ValueError: It is of other groups.
        """
        if list(state["names"]) != self._names:
            raise ValueError(f"the saved state is for the groups {state['names']}, these are {self._names}")
        self._started().load_state_dict(deepcopy(state["optimizer"]))

    def _started(self) -> Optimizer:
        if self._optimizer is None:
            raise RuntimeError("the updater was not started")
        return self._optimizer
