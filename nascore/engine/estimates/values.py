"""What estimates are given and give."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

Tensors: TypeAlias = "Mapping[str, Tensor]"
Loss: TypeAlias = "Callable[[Tensors, Tensors], Tensor]"
"""A mean loss as a function of weights and mixture. It draws the same random numbers each time it is called,
and leaves everything as it was."""


@frozen(kw_only=True)
class Estimate:
    """What an estimate gives.

    Attributes:
        loss: The loss that the mixture is judged by, a scalar without a graph.
        mixture: Its derivative with respect to the mixture, by group, in the mixture's shape.
        weights: Its derivative with respect to the weights, by name; empty unless one batch serves both.
    """

    loss: Tensor
    mixture: dict[str, Tensor]
    weights: dict[str, Tensor]
