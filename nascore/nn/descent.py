"""The base class of updaters that step theta with an optimizer of torch."""

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
    """Steps theta with an optimizer of torch, by the gradient of loss and penalties with respect to theta.

    Its learning rate is constant, whatever the schedule of the weights.

    Args:
        make: Builds the optimizer for a list of tensors.
    """

    gradient: Literal["theta"] = "theta"
    granularity: Literal["batch"] = "batch"

    def __init__(self, make: Callable[[list[Tensor]], Optimizer]) -> None:
        self._make = make
        self._names: list[str] = []
        self._optimizer: Optimizer | None = None

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Build the optimizer for theta of all groups; horizon and generator are not used."""
        del horizon, generator
        self._names = sorted(state.theta)
        self._optimizer = self._make([state.theta[name] for name in self._names])

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Update theta in place; dead entries keep their values, whatever momentum the optimizer has."""
        if gradients.theta is None:
            raise ValueError("this updater follows the gradient of theta, but received none")
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
        """Return the absolute expected mixture by group [E, O]; dead entries are 0.

        Not theta: the weights of an unconstrained relaxation may be negative.
        """
        return {name: expected[name].detach().abs() * state.alive[name] for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the optimizer's state, and the names of its groups."""
        # torch returns the tensors themselves, which the next step changes.
        return {"names": list(self._names), "optimizer": deepcopy(self._started().state_dict())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of an updater that was started with the same groups.

        Raises:
            ValueError: The state belongs to other groups.
        """
        if list(state["names"]) != self._names:
            text = f"the saved state is for the groups {state['names']}, but this updater has {self._names}"
            raise ValueError(text)
        self._started().load_state_dict(deepcopy(state["optimizer"]))

    def _started(self) -> Optimizer:
        if self._optimizer is None:
            raise RuntimeError("the updater was not started")
        return self._optimizer
