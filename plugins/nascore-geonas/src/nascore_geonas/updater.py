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
    """Mirror descent with the entropy as its mirror: each segment is a point on the simplex.

    Theta is the logarithm of that point, u = exp(theta), so that the softmax of theta is the point itself.
    One step makes u * exp(-lr * dL/du) of it and normalises. The gradient is that of the mean loss of a
    batch, with respect to u: a constant that is added over a segment moves nothing.

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
        """Make theta the logarithm of a point, which its softmax stays; needs no horizon, draws nothing."""
        del horizon, generator
        self.names = sorted(state.theta)
        for name in self.names:
            theta = state.theta[name]
            theta.copy_(log_normalise(theta, state.segments(name)))

    @torch.no_grad()
    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Move the point of every live segment, in place."""
        if gradients.mixture is None:
            raise ValueError("the updater geonas follows the gradient of the mixture, and got none")
        for name in self.names:
            theta, slope = state.theta[name], gradients.mixture[name]
            if gradients.penalty is not None:
                slope = slope + gradients.penalty[name]
            if self.settings.entropic:
                # KL(u || even) = sum u log(u n), whose derivative is log u + log n + 1; the step is blind to
                # the constants.
                slope = slope + self.settings.entropic * theta
            theta.copy_(eg_step(theta, slope, state.segments(name), self.settings.lr))

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what deriving ranks by: the mixture that is expected, where it is alive."""
        return {name: expected[name].detach().abs() * state.alive[name] for name in state.theta}

    def state_dict(self) -> dict[str, Any]:
        """Return the names of the groups: all that it knows is in theta."""
        return {"names": list(self.names)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state of an updater that was started with the same groups.

        Raises:
            ValueError: It is of other groups.
        """
        if list(state["names"]) != self.names:
            raise ValueError(f"the saved state is for the groups {state['names']}, these are {self.names}")
