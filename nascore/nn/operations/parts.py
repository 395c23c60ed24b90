"""The parts that most operations are made of."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def norm(channels: int, *, affine: bool = True) -> nn.BatchNorm2d:
    """Return batch norm; whether it keeps running statistics is decided where the network is compiled."""
    return nn.BatchNorm2d(channels, affine=affine)


def conv(  # noqa: PLR0913 - a convolution has that many sides
    c_in: int, c_out: int, kernel: int, stride: int = 1, *, dilation: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Return a convolution without bias, padded so that at stride 1 it keeps the size."""
    return nn.Conv2d(
        c_in,
        c_out,
        kernel,
        stride=stride,
        padding=dilation * (kernel // 2),
        dilation=dilation,
        groups=groups,
        bias=False,
    )


def named(**parts: nn.Module) -> nn.Sequential:
    """Return modules that are applied one after the other, and that name their weights."""
    return nn.Sequential(OrderedDict(parts))


def relu_conv_norm(c_in: int, c_out: int, kernel: int, stride: int = 1, *, affine: bool) -> nn.Sequential:
    """Return ReLU, convolution, batch norm."""
    return named(relu=nn.ReLU(), conv=conv(c_in, c_out, kernel, stride), norm=norm(c_out, affine=affine))
