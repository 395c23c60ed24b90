"""Gradients without gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


def gradients(scalar: Tensor, *sources: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], ...]:
    """Return the derivative of a scalar with respect to named tensors, in one backward pass.

    A tensor that the scalar does not depend on gets zeros: whether an operation was run must not decide
    whether momentum and weight decay reach its weights.

    Args:
        scalar: What is differentiated.
        sources: Tensors by name; a result is returned for each mapping.
    """
    flat = [tensor for source in sources for tensor in source.values()]
    found: tuple[Tensor | None, ...] = (None,) * len(flat)
    if scalar.requires_grad and flat:
        found = torch.autograd.grad(scalar, flat, allow_unused=True)
    filled = (
        torch.zeros_like(tensor) if slope is None else slope
        for tensor, slope in zip(flat, found, strict=True)
    )
    return tuple({name: next(filled) for name in source} for source in sources)
