"""The single-level estimate: one batch and one backward pass for weights and mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.engine.estimates.values import Estimate
from nascore.engine.gradient import gradients

if TYPE_CHECKING:
    from torch import Tensor

    from nascore.engine.estimates.values import Tensors


def single_level(loss: Tensor, weights: Tensors, mixture: Tensors) -> Estimate:
    """Return dL/du and dL/dw at one point, from one backward pass.

    Args:
        loss: Mean loss on the training batch, with its graph: the pass is part of training, so it is made on
            the network itself and running statistics see it.
        weights: The weights w, by name, which require a gradient.
        mixture: The mixture u, by group: leaves that require a gradient.
    """
    slope, descent = gradients(loss, mixture, weights)
    return Estimate(loss=loss.detach(), mixture=slope, weights=descent)
