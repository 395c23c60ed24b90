"""The updater of Geometric NAS (Li et al., ICLR 2021, arXiv 2004.07802, section 3: GAEA)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from nascore.nn import eg_step, log_normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.api import Gradients, Horizon
    from nascore.nn import ArchitectureState
    from nascore_geonas import UpdaterSettings


class Updater:
    """Mirror descent with the entropy as mirror map: each segment is a point on the simplex.

    Theta is the logarithm of the point u, so that the softmax of theta is u. A step multiplies u by
    exp(-lr * dL/du) and normalises. The gradient is that of the mean loss of a batch with respect to u; a
    constant added to all entries of a segment has no effect.

    Args:
        settings: Step size, and weight of the entropic regulariser.
    """

    gradient: Literal["mixture"] = "mixture"
    granularity: Literal["batch"] = "batch"

    def __init__(self, settings: UpdaterSettings) -> None:
        self.settings = settings
        self.names: list[str] = []

    @torch.no_grad()
    def start(self, state: ArchitectureState, horizon: Horizon, generator: torch.Generator) -> None:
        """Normalise theta to the logarithm of its softmax."""
        del horizon, generator
        self.names = sorted(state.theta)
        for name in self.names:
            theta = state.theta[name]
            theta.copy_(log_normalise(theta, state.segments(name)))

    @torch.no_grad()
    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Update the point of every live segment, in place."""
        if gradients.mixture is None:
            raise ValueError("the updater geonas follows the gradient of the mixture, and got none")
        for name in self.names:
            theta, slope = state.theta[name], gradients.mixture[name]
            if gradients.penalty is not None:
                slope = slope + gradients.penalty[name]
            if self.settings.entropic:
                # KL(u || uniform) = sum u log(u n) has the derivative log u + log n + 1; constants have no
                # effect on the step.
                slope = slope + self.settings.entropic * theta
            theta.copy_(eg_step(theta, slope, state.segments(name), self.settings.lr))

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the expected mixture of the live entries, which ranks them when deriving."""
        return {name: expected[name].detach().abs() * state.alive[name] for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return the names of the groups; the rest of the state is in theta."""
        return {"names": list(self.names)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of an updater that was started with the same groups.

        Raises:
            ValueError: The state belongs to other groups.
        """
        if list(state["names"]) != self.names:
            raise ValueError(f"the saved state is for the groups {state['names']}, these are {self.names}")
