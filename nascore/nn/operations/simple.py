"""Operations without convolutions: none, noise, identity and pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from nascore.nn.operations.convolutions import conv, named, norm

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


class _Shaped(nn.Module):
    """An operation that takes only the shape of its input."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.same_channels = c_in == c_out
        self.c_out = c_out
        self.stride = stride

    def shaped(self, x: Tensor) -> Tensor:
        """Return some values in the shape of the output [B, c_out, ceil(H/stride), ceil(W/stride)]."""
        x = x[:, :, :: self.stride, :: self.stride]
        return x if self.same_channels else x[:, :1].expand(-1, self.c_out, -1, -1)


class Zero(_Shaped):
    """Gives zeros: the choice of no operation (``none``)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros, also where the input is not finite."""
        return torch.zeros_like(self.shaped(x))


class Noise(_Shaped):
    """Gives normal noise: a candidate that cannot be useful.

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: How much smaller the output is.
        copy: Distinguishes several candidates of one edge, which may not be equal.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, *, copy: int = 0) -> None:
        super().__init__(c_in, c_out, stride)
        self.copy = copy

    def forward(self, x: Tensor) -> Tensor:
        """Return fresh noise, independent of the input."""
        return torch.randn_like(self.shaped(x))


def skip_connect(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return the identity or, at stride 2, :class:`FactorizedReduce`; channels stay, says the catalogue."""
    if stride == 1 and c_in == c_out:
        return nn.Identity()
    return FactorizedReduce(c_in, c_out, affine=affine)


def max_pool_3x3(c_in: int, c_out: int, stride: int, *, pool_norm: bool = False) -> nn.Module:
    """Return maximum pooling, with ``pool_norm`` followed by batch norm without weights."""
    del c_out
    return _pool(nn.MaxPool2d(3, stride=stride, padding=1), c_in, pool_norm=pool_norm)


def avg_pool_3x3(c_in: int, c_out: int, stride: int, *, pool_norm: bool = False) -> nn.Module:
    """Return mean pooling that leaves padding out, with ``pool_norm`` followed by batch norm."""
    del c_out
    pool = nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False)
    return _pool(pool, c_in, pool_norm=pool_norm)


def _pool(pool: nn.Module, channels: int, *, pool_norm: bool) -> nn.Module:
    return named(pool=pool, norm=norm(channels, affine=False)) if pool_norm else pool
