"""The operations around the cells: stems, preprocessing of cell inputs, classifiers, the auxiliary head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torch import nn
from torch.nn import functional

from nascore.nn.operations.convolutions import conv, named, relu_conv_norm
from nascore.nn.operations.normalization import norm
from nascore.nn.operations.simple import FactorizedReduce

if TYPE_CHECKING:
    from torch import Tensor


HIDDEN: Final = (128, 768)
"""Channels of the auxiliary head's two convolutions."""

POOLED: Final = {3: range(8, 11), 2: range(7, 9)}
"""By stride of a 5x5 pool, the heights and widths that it reduces to 2x2."""


def classifier(c_in: int, c_out: int, stride: int, *, size: int = 1) -> nn.Module:
    """Return average pooling to ``size`` x ``size`` and a linear layer to logits [B, c_out].

    If ``size`` equals the height and width of the state, the linear layer reads every pixel.
    """
    del stride
    return named(
        pool=nn.AdaptiveAvgPool2d(size), flatten=nn.Flatten(), linear=nn.Linear(c_in * size * size, c_out)
    )


def norm_classifier(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Return the head of NAS-Bench-201 (arXiv 2001.00326): batch norm, ReLU, global mean, linear layer."""
    del stride
    return named(
        norm=norm(c_in),
        relu=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(c_in, c_out),
    )


class Auxiliary(nn.Module):
    """The auxiliary head of DARTS: it pools 8x8 states (CIFAR-10) or 7x7 states (ImageNet) to 2x2.

    States of other sizes, on which the authors' code fails, are pooled evenly to 2x2.

    Args:
        c_in: Channels of the state.
        c_out: Number of classes.
        stride: Unused; required by the signature of operations.
        imagenet: Whether it is the head for ImageNet: its pool has stride 2, not 3, and no norm follows the
            second convolution, as in the authors' code and its tables.
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
    """Return a 3x3 convolution and affine batch norm, followed by ReLU if ``relu`` is set."""
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
    """Return the preprocessing of a cell input: a 1x1 convolution, or a factorized reduction at stride 2."""
    if stride == 1:
        return project(c_in, c_out, stride, affine=affine)
    return FactorizedReduce(c_in, c_out, affine=affine)


def project(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, 1x1 convolution, batch norm."""
    return relu_conv_norm(c_in, c_out, 1, stride, affine=affine)
