"""The first-order estimate: the weights are taken as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.engine.estimates.values import Estimate
from nascore.engine.gradient import gradients

if TYPE_CHECKING:
    from nascore.engine.estimates.values import Loss, Tensors


def first(held: Loss, weights: Tensors, mixture: Tensors) -> Estimate:
    """Return dL_held(w, u)/du: DARTS's first order (arXiv 1806.09055, section 2.3, xi = 0).

    Args:
        held: Loss on images that the weights are not fitted to.
        weights: The weights w, by name.
        mixture: The mixture u, by group: leaves that require a gradient.
    """
    loss = held(weights, mixture)
    (slope,) = gradients(loss, mixture)
    return Estimate(loss=loss.detach(), mixture=slope, weights={})
