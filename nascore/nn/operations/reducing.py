"""Halving the size without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from nascore.nn.operations.parts import conv, norm

if TYPE_CHECKING:
    from torch import Tensor


class FactorizedReduce(nn.Module):
    """Two 1x1 convolutions of stride 2, the second shifted by one pixel, side by side (DARTS).

    Odd sizes, on which the authors' code fails, are padded by zeros at the right and at the bottom for the
    shifted convolution. An odd number of channels gives the first convolution one more.

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        affine: Whether the batch norm has weights.
    """

    def __init__(self, c_in: int, c_out: int, *, affine: bool = True) -> None:
        super().__init__()
        half = c_out // 2
        self.relu = nn.ReLU()
        self.even = conv(c_in, c_out - half, 1, 2)
        # A convolution to no channels warns when it draws its first weights.
        self.odd = conv(c_in, half, 1, 2) if half else None
        self.norm = norm(c_out, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, c_in, H, W] to [B, c_out, ceil(H/2), ceil(W/2)]."""
        x = self.relu(x)
        halves = [self.even(x)]
        if self.odd is not None:
            # A negative pad cuts off. Without a branch on the size, torch.fx can trace it.
            shifted = functional.pad(x, (-1, x.shape[3] % 2, -1, x.shape[2] % 2))
            halves.append(self.odd(shifted))
        return self.norm(torch.cat(halves, 1))  # type: ignore[no-any-return]
