"""The same operations composed of torch's functions: for other types and devices, and to test against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def depthwise(x: Tensor, weight: Tensor, *, stride: int, padding: int, dilation: int) -> Tensor:
    """Return the convolution of each channel with a kernel of its own."""
    return functional.conv2d(x, weight, None, stride, padding, dilation, x.shape[1])


def norm(x: Tensor, eps: float) -> Tensor:
    """Return x normalised with the statistics of the batch."""
    return functional.batch_norm(x, None, None, training=True, eps=eps)


def norm_relu(x: Tensor, eps: float) -> Tensor:
    """Return the ReLU of the normalised x."""
    return functional.relu(norm(x, eps))


def mixed_sum(terms: Sequence[Tensor], weights: Tensor, normed: Sequence[bool], eps: float) -> Tensor:
    """Return the weighted sum of the terms, some of them normalised."""
    shape = (-1, 1, 1, 1) if weights.dim() > 1 else ()
    columns = [column.reshape(shape) for column in weights.unbind(-1)]
    summed = torch.zeros_like(terms[0])
    for term, column, is_normed in zip(terms, columns, normed, strict=True):
        summed = summed + column * (norm(term, eps) if is_normed else term)
    return summed
