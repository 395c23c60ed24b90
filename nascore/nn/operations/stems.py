"""The frame before and between cells."""

from __future__ import annotations

from torch import nn

from nascore.nn.operations.parts import conv, named, norm, relu_conv_norm
from nascore.nn.operations.reducing import FactorizedReduce


def stem(c_in: int, c_out: int, stride: int, *, relu: bool = False) -> nn.Module:
    """Return a 3x3 convolution and batch norm with weights, with ``relu`` followed by ReLU."""
    parts: dict[str, nn.Module] = {"conv": conv(c_in, c_out, 3, stride), "norm": norm(c_out)}
    if relu:
        parts["relu"] = nn.ReLU()
    return named(**parts)


def imagenet_stem0(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Return DARTS's first stem for ImageNet: two 3x3 convolutions of stride 2, the first half as wide."""
    del stride
    half = max(c_out // 2, 1)
    return named(
        conv1=conv(c_in, half, 3, 2),
        norm1=norm(half),
        relu=nn.ReLU(),
        conv2=conv(half, c_out, 3, 2),
        norm2=norm(c_out),
    )


def imagenet_stem1(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Return DARTS's second stem for ImageNet: ReLU, a 3x3 convolution, batch norm."""
    return relu_conv_norm(c_in, c_out, 3, stride, affine=True)


def fit(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return what brings an input to the channels and the size of a cell."""
    if stride == 1:
        return project(c_in, c_out, stride, affine=affine)
    return FactorizedReduce(c_in, c_out, affine=affine)


def project(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, 1x1 convolution, batch norm."""
    return relu_conv_norm(c_in, c_out, 1, stride, affine=affine)
