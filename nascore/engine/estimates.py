"""Estimates of the architecture gradient: first order, unrolled, single-level."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch
from attrs import frozen

from nascore.engine.mixture import gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor


Tensors: TypeAlias = "Mapping[str, Tensor]"
Loss: TypeAlias = "Callable[[Tensors, Tensors], Tensor]"
"""A mean loss as a function of weights and mixture. Every call draws the same random numbers and changes
nothing."""


@frozen(kw_only=True)
class Estimate:
    """An estimate of the architecture gradient.

    Attributes:
        loss: The loss on the architecture batch, a scalar without a graph.
        mixture: Its derivative with respect to the mixture, by group, in the shape of the mixture.
        weights: Its derivative with respect to the weights, by name; empty unless one batch serves both.
    """

    loss: Tensor
    mixture: dict[str, Tensor]
    weights: dict[str, Tensor]


def first(held: Loss, weights: Tensors, mixture: Tensors, scale: float = 1.0) -> Estimate:
    """Return dL_held(w, u)/du: DARTS's first order (arXiv 1806.09055, section 2.3, xi = 0).

    Args:
        held: Loss on images that the weights are not trained on.
        weights: The weights w, by name.
        mixture: The mixture u, by group: leaves that require a gradient.
        scale: Factor of the loss in the backward pass; see :class:`nascore.engine.loss_scale.LossScale`.
    """
    # Detached, since the gradient of the weights, which is not needed, takes half of the backward pass.
    loss = held({name: weight.detach() for name, weight in weights.items()}, mixture)
    (slope,) = gradients(loss, mixture, of="" if torch.is_grad_enabled() else "the loss", scale=scale)
    return Estimate(loss=loss.detach(), mixture=slope, weights={})


def single_level(loss: Tensor, weights: Tensors, mixture: Tensors, scale: float = 1.0) -> Estimate:
    """Return dL/du and dL/dw at one point, from one backward pass.

    Args:
        loss: Mean loss on the training batch, with its graph; the pass is part of training, so it updates
            running statistics.
        weights: The weights w, by name, which require a gradient.
        mixture: The mixture u, by group: leaves that require a gradient.
        scale: Factor of the loss in the backward pass; see :class:`nascore.engine.loss_scale.LossScale`.
    """
    slope, descent = gradients(loss, mixture, weights, scale=scale)
    return Estimate(loss=loss.detach(), mixture=slope, weights=descent)


REACH = 0.01
"""Distance of the finite difference to each side, in the norm over all weights (DARTS, footnote 2)."""


@frozen(kw_only=True)
class VirtualStep:
    """The virtual weights step of an unrolled estimate: SGD with momentum and weight decay, without clipping.

    Attributes:
        lr: Learning rate xi; 0 gives the first-order estimate.
        momentum: Factor of the buffers.
        weight_decay: Factor of the weights that is added to their gradient.
        buffers: Momentum buffers by weight; a missing one counts as zero.
    """

    lr: float
    momentum: float
    weight_decay: float
    buffers: Tensors

    def ahead(self, weights: Tensors, slope: Tensors) -> dict[str, Tensor]:
        """Return w' = w - lr * (momentum * buffer + gradient + weight_decay * w), as fresh leaves."""
        return {name: self._moved(name, weight, slope[name]) for name, weight in weights.items()}

    def _moved(self, name: str, weight: Tensor, slope: Tensor) -> Tensor:
        now = weight.detach()
        direction = slope + self.weight_decay * now
        if name in self.buffers:
            direction = direction + self.momentum * self.buffers[name]
        return (now - self.lr * direction).requires_grad_()


def unrolled(train: Loss, held: Loss, weights: Tensors, mixture: Tensors, step: VirtualStep) -> Estimate:
    """Return dL_held(w', u)/du with w' one step ahead (arXiv 1806.09055, equations 7 and 8).

    The second derivative times the vector v = dL_held/dw' is a central difference of dL_train/du at w + eps v
    and w - eps v, exact for losses that are quadratic in w.

    Args:
        train: Loss on the batch that the weights step is going to take.
        held: Loss on images that the weights are not trained on.
        weights: The weights w, by name, which require a gradient.
        mixture: The mixture u, by group: leaves that require a gradient.
        step: The virtual step.
    """
    fixed = {name: value.detach() for name, value in mixture.items()}
    # The loss may depend on no weight at all: then the virtual step changes nothing.
    (slope,) = gradients(train(weights, fixed), weights, of="")
    virtual = step.ahead(weights, slope)
    loss = held(virtual, mixture)
    direct, vector = gradients(loss, mixture, virtual)
    indirect = _second_order(train, weights, mixture, vector)
    total = {name: direct[name] - step.lr * indirect[name] for name in direct}
    return Estimate(loss=loss.detach(), mixture=total, weights={})


def _second_order(train: Loss, weights: Tensors, mixture: Tensors, vector: Tensors) -> dict[str, Tensor]:
    norm = torch.stack([part.norm() for part in vector.values()]).norm()
    # If no active operation has weights, the norm is 0, and so is the difference whatever the distance. To
    # ask for this case would wait for the device.
    eps = REACH / norm.where(norm != 0, 1.0)
    ahead = _slope_at(train, weights, mixture, vector, eps)
    behind = _slope_at(train, weights, mixture, vector, -eps)
    return {name: (ahead[name] - behind[name]) / (2 * eps) for name in mixture}


def _slope_at(
    train: Loss, weights: Tensors, mixture: Tensors, vector: Tensors, eps: Tensor
) -> dict[str, Tensor]:
    moved = {name: weight.detach() + eps * vector[name] for name, weight in weights.items()}
    (slope,) = gradients(train(moved, mixture), mixture, of="")
    return slope
