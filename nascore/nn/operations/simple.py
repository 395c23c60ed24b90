"""Zero, noise, identity, pools, and the factorized reduction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from nascore.nn.operations.convolutions import conv, named
from nascore.nn.operations.normalization import norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class FactorizedReduce(nn.Module):
    """Two 1x1 convolutions of stride 2, the second shifted by one pixel, side by side (DARTS).

    For odd sizes, on which the authors' code fails, the input of the shifted convolution is padded with zeros
    at the right and at the bottom. For an odd number of channels the first convolution has one more.

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
        # A convolution with 0 output channels warns when its weights are initialised.
        self.odd = conv(c_in, half, 1, 2) if half else None
        self.norm = norm(c_out, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, c_in, H, W] to [B, c_out, ceil(H/2), ceil(W/2)]."""
        return self.norm(self._halve(self.relu(x)))  # type: ignore[no-any-return]

    def fusible_stages(self) -> tuple[Callable[[Tensor], Tensor], ...]:
        """Return the functions whose composition is the operation; see :class:`nascore.nn.stages.Staged`."""
        return self.relu, self._halve, self.norm

    def _halve(self, x: Tensor) -> Tensor:
        halves = [self.even(x)]
        if self.odd is not None:
            # Negative padding crops. Without a branch on the size, torch.fx can trace this.
            shifted = functional.pad(x, (-1, x.shape[3] % 2, -1, x.shape[2] % 2))
            halves.append(self.odd(shifted))
        return torch.cat(halves, 1)


class _Shaped(nn.Module):
    """An operation whose output depends only on the shape of its input."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.same_channels = c_in == c_out
        self.c_out = c_out
        self.stride = stride

    def shaped(self, x: Tensor) -> Tensor:
        """Return a tensor in the shape of the output [B, c_out, ceil(H/stride), ceil(W/stride)]."""
        x = x[:, :, :: self.stride, :: self.stride]
        return x if self.same_channels else x[:, :1].expand(-1, self.c_out, -1, -1)


class Zero(_Shaped):
    """Returns zeros: the choice of no operation (``none``)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros [B, c_out, ceil(H/stride), ceil(W/stride)], also if the input is not finite."""
        return torch.zeros_like(self.shaped(x))


class Noise(_Shaped):
    """Returns standard normal noise: a candidate that cannot be useful.

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: Factor by which height and width are reduced.
        copy: A number that distinguishes several noise candidates of one edge, which must differ.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, *, copy: int = 0) -> None:
        super().__init__(c_in, c_out, stride)
        self.copy = copy

    def forward(self, x: Tensor) -> Tensor:
        """Return new noise [B, c_out, ceil(H/stride), ceil(W/stride)], independent of the input."""
        return torch.randn_like(self.shaped(x))


def skip_connect(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return the identity, or :class:`FactorizedReduce` at stride 2; the catalogue ensures equal channels."""
    if stride == 1 and c_in == c_out:
        return nn.Identity()
    return FactorizedReduce(c_in, c_out, affine=affine)


def max_pool_3x3(c_in: int, c_out: int, stride: int, *, pool_norm: bool = False) -> nn.Module:
    """Return 3x3 max pooling, followed by batch norm without weights if ``pool_norm`` is set."""
    del c_out
    return _pool(nn.MaxPool2d(3, stride=stride, padding=1), c_in, pool_norm=pool_norm)


def avg_pool_3x3(c_in: int, c_out: int, stride: int, *, pool_norm: bool = False) -> nn.Module:
    """Return 3x3 average pooling that excludes padding, followed by batch norm if ``pool_norm`` is set."""
    del c_out
    pool = nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False)
    return _pool(pool, c_in, pool_norm=pool_norm)


def _pool(pool: nn.Module, channels: int, *, pool_norm: bool) -> nn.Module:
    return named(pool=pool, norm=norm(channels, affine=False)) if pool_norm else pool
