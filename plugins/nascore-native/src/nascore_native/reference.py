"""The same operations composed of torch's functions, against which the kernels are tested and measured."""

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


def pointwise(x: Tensor, weight: Tensor, *, groups: int) -> Tensor:
    """Return the convolution of single pixels in groups of channels."""
    return functional.conv2d(x, weight, None, groups=groups)


def norm(x: Tensor, eps: float) -> Tensor:
    """Return x normalised with the statistics of the batch."""
    return functional.batch_norm(x, None, None, training=True, eps=eps)


def norm_relu(x: Tensor, eps: float) -> Tensor:
    """Return the ReLU of the normalised x."""
    return functional.relu(norm(x, eps))


def mixed_sum(
    terms: Sequence[Tensor],
    weights: Tensor,
    normed: Sequence[bool],
    eps: float,
    *,
    alike: bool = False,
) -> Tensor:
    """Return the weighted sum of the terms, some of them normalised, for n edges side by side."""
    del alike  # this only saves work
    factors = weights.repeat_interleave(terms[0].shape[1] // weights.shape[-2], -2)
    summed = torch.zeros_like(terms[0])
    for term, factor, is_normed in zip(terms, factors.unbind(-1), normed, strict=True):
        summed = summed + factor[..., None, None] * (norm(term, eps) if is_normed else term)
    return summed
