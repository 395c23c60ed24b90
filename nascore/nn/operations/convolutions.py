"""Convolutions of DARTS (arXiv 1806.09055, the authors' code) and of NAS-Bench-201 (arXiv 2001.00326)."""

from __future__ import annotations

from torch import nn

from nascore.nn.operations.parts import conv, named, norm, relu_conv_norm


def sep_conv_3x3(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return two depthwise separable 3x3 convolutions, of which the first has the stride."""
    return _separable_twice(c_in, c_out, 3, stride, affine=affine)


def sep_conv_5x5(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return two depthwise separable 5x5 convolutions, of which the first has the stride."""
    return _separable_twice(c_in, c_out, 5, stride, affine=affine)


def sep_conv_7x7(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return two depthwise separable 7x7 convolutions, of which the first has the stride."""
    return _separable_twice(c_in, c_out, 7, stride, affine=affine)


def dil_conv_3x3(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return a depthwise separable 3x3 convolution of dilation 2: it spans 5x5 pixels."""
    return _separable(c_in, c_out, 3, stride, dilation=2, affine=affine)


def dil_conv_5x5(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return a depthwise separable 5x5 convolution of dilation 2: it spans 9x9 pixels."""
    return _separable(c_in, c_out, 5, stride, dilation=2, affine=affine)


def conv_7x1_1x7(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, a convolution along the rows, one along the columns, batch norm."""
    row = nn.Conv2d(c_in, c_out, (1, 7), stride=(1, stride), padding=(0, 3), bias=False)
    column = nn.Conv2d(c_out, c_out, (7, 1), stride=(stride, 1), padding=(3, 0), bias=False)
    return named(relu=nn.ReLU(), row=row, column=column, norm=norm(c_out, affine=affine))


def conv_3x3(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, 3x3 convolution, batch norm."""
    return relu_conv_norm(c_in, c_out, 3, stride, affine=affine)


def nor_conv_1x1(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, 1x1 convolution, batch norm; the convolution has a bias where batch norm has none."""
    return _biased(c_in, c_out, 1, stride, affine=affine)


def nor_conv_3x3(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, 3x3 convolution, batch norm; the convolution has a bias where batch norm has none."""
    return _biased(c_in, c_out, 3, stride, affine=affine)


def _separable_twice(c_in: int, c_out: int, kernel: int, stride: int, *, affine: bool) -> nn.Module:
    return named(
        first=_separable(c_in, c_in, kernel, stride, affine=affine),
        second=_separable(c_in, c_out, kernel, 1, affine=affine),
    )


def _separable(  # noqa: PLR0913 - a convolution has that many sides
    c_in: int, c_out: int, kernel: int, stride: int, *, dilation: int = 1, affine: bool
) -> nn.Module:
    return named(
        relu=nn.ReLU(),
        depthwise=conv(c_in, c_in, kernel, stride, dilation=dilation, groups=c_in),
        pointwise=conv(c_in, c_out, 1),
        norm=norm(c_out, affine=affine),
    )


def _biased(c_in: int, c_out: int, kernel: int, stride: int, *, affine: bool) -> nn.Module:
    padding = kernel // 2
    weighted = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=padding, bias=not affine)
    return named(relu=nn.ReLU(), conv=weighted, norm=norm(c_out, affine=affine))
