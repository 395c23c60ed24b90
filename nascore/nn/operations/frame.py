"""The operations that turn a state into logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torch import nn
from torch.nn import functional

from nascore.nn.operations.convolutions import conv, named, norm, relu_conv_norm
from nascore.nn.operations.simple import FactorizedReduce

if TYPE_CHECKING:
    from torch import Tensor


HIDDEN: Final = (128, 768)
"""Channels of the auxiliary head's two convolutions."""

POOLED: Final = {3: range(8, 11), 2: range(7, 9)}
"""By stride of a 5x5 pool the heights and widths from which it makes 2x2 places."""


def classifier(c_in: int, c_out: int, stride: int, *, size: int = 1) -> nn.Module:
    """Return pooling to ``size`` x ``size`` places and a linear map of all of them to [B, c_out].

    With ``size`` as large as the state is, nothing is averaged: the linear map sees every place.
    """
    del stride
    return named(
        pool=nn.AdaptiveAvgPool2d(size), flatten=nn.Flatten(), linear=nn.Linear(c_in * size * size, c_out)
    )


def norm_classifier(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Return the head of NAS-Bench-201: batch norm, ReLU, the mean over all places, a linear map."""
    del stride
    return named(
        norm=norm(c_in),
        relu=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(c_in, c_out),
    )


class Auxiliary(nn.Module):
    """The auxiliary head of DARTS: for CIFAR-10 it reads 8x8 places, for ImageNet 7x7, pooled to 2x2.

    Other sizes, on which the authors' code fails, are pooled evenly to 2x2.

    Args:
        c_in: Channels of the state.
        c_out: Number of classes.
        stride: Not used; every operation is built with one.
        imagenet: The head for ImageNet: its pool has stride 2, not 3, and no norm follows the second
            convolution, as in the authors' code and its tables.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, *, imagenet: bool = False) -> None:
        super().__init__()
        del stride
        middle, last = HIDDEN
        second = {} if imagenet else {"norm2": norm(last)}
        self.features = named(
            conv1=nn.Conv2d(c_in, middle, 1, bias=False),
            norm1=norm(middle),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(middle, last, 2, bias=False),
            **second,
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
        )
        self.stride = 2 if imagenet else 3
        self.relu = nn.ReLU()
        self.linear = nn.Linear(last, c_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, c_in, H, W] to logits [B, c_out]."""
        x = self.relu(x)
        pooled = POOLED[self.stride]
        if x.shape[2] in pooled and x.shape[3] in pooled:
            x = functional.avg_pool2d(x, 5, stride=self.stride, count_include_pad=False)
        else:
            x = functional.adaptive_avg_pool2d(x, 2)
        return self.linear(self.features(x))  # type: ignore[no-any-return]


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
