"""Convolutions of DARTS (arXiv 1806.09055, the authors' code) and of NAS-Bench-201 (arXiv 2001.00326)."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

from nascore.errors import DescriptionError
from nascore.nn.operations.normalization import norm

if TYPE_CHECKING:
    from torch import Tensor


def conv(  # noqa: PLR0913 - a convolution has that many sides
    c_in: int, c_out: int, kernel: int, stride: int = 1, *, dilation: int = 1, groups: int = 1
) -> nn.Conv2d:
    """Return a convolution without bias, padded to keep height and width at stride 1."""
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
    """Return a sequence of modules; the weights of each carry its name."""
    return nn.Sequential(OrderedDict(parts))


def relu_conv_norm(c_in: int, c_out: int, kernel: int, stride: int = 1, *, affine: bool) -> nn.Sequential:
    """Return ReLU, convolution, batch norm."""
    return named(relu=nn.ReLU(), conv=conv(c_in, c_out, kernel, stride), norm=norm(c_out, affine=affine))


def sep_conv_3x3(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return two depthwise separable 3x3 convolutions; the first has the stride."""
    return _separable_twice(c_in, c_out, 3, stride, affine=affine)


def sep_conv_5x5(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return two depthwise separable 5x5 convolutions; the first has the stride."""
    return _separable_twice(c_in, c_out, 5, stride, affine=affine)


def sep_conv_7x7(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return two depthwise separable 7x7 convolutions; the first has the stride."""
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
    """Return ReLU, 1x1 convolution, batch norm; the convolution has a bias if the batch norm has none."""
    return _biased(c_in, c_out, 1, stride, affine=affine)


def nor_conv_3x3(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, 3x3 convolution, batch norm; the convolution has a bias if the batch norm has none."""
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
    convolution = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=padding, bias=not affine)
    return named(relu=nn.ReLU(), conv=convolution, norm=norm(c_out, affine=affine))


class BasicBlock(nn.Module):
    """The block of ResNet for CIFAR-10 (arXiv 1512.03385, section 4.2), with the shortcut of option A.

    The shortcut has no weights: it takes every ``stride``-th pixel and adds channels of zeros, half of them
    before and half after.

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: Stride of the first convolution.
    """

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        before = (c_out - c_in) // 2
        self.zeros = (before, c_out - c_in - before)
        self.branch = named(
            conv1=conv(c_in, c_out, 3, stride),
            norm1=norm(c_out),
            relu=nn.ReLU(),
            conv2=conv(c_out, c_out, 3),
            norm2=norm(c_out),
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, c_in, H, W] to [B, c_out, ceil(H/stride), ceil(W/stride)]."""
        shortcut = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.zeros))
        return self.relu(self.branch(x) + shortcut)  # type: ignore[no-any-return]


class ResidualBlock(nn.Module):
    """The block between the stages of NAS-Bench-201 (arXiv 2001.00326, section 2.1, the authors' code).

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: Stride of the first convolution, and of the pool in the shortcut.
    """

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.branch = named(
            first=relu_conv_norm(c_in, c_out, 3, stride, affine=True),
            second=relu_conv_norm(c_out, c_out, 3, affine=True),
        )
        self.shortcut = _shortcut(c_in, c_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, c_in, H, W] to [B, c_out, ceil(H/stride), ceil(W/stride)]."""
        return self.branch(x) + self.shortcut(x)  # type: ignore[no-any-return]


def _shortcut(c_in: int, c_out: int, stride: int) -> nn.Module:
    if stride > 1:
        # Rounding up agrees with the branch on odd sizes; on even ones it changes nothing.
        return named(pool=nn.AvgPool2d(stride, ceil_mode=True), conv=conv(c_in, c_out, 1))
    return nn.Identity() if c_in == c_out else relu_conv_norm(c_in, c_out, 1, affine=True)


class MobileBlock(nn.Module):
    """The inverted residual of MobileNetV2 (arXiv 1801.04381, section 3.3).

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: Stride of the depthwise convolution.
        expand: Expansion factor: hidden channels over input channels.
        kernel: Height and width of the depthwise convolution.
        affine: Whether the batch norms have weights.

    Raises:
        DescriptionError: The kernel is not odd, or the block has no channels.
    """

    def __init__(  # noqa: PLR0913 - three places of the contract and three settings
        self, c_in: int, c_out: int, stride: int, *, expand: int = 6, kernel: int = 3, affine: bool = True
    ) -> None:
        super().__init__()
        if kernel % 2 == 0 or kernel < 1 or expand < 1:
            settings = f"kernel={kernel}, expand={expand}"
            raise DescriptionError(f"mbconv needs an odd kernel and an expand of at least 1, not {settings}.")
        wide = c_in * expand
        parts: dict[str, nn.Module] = {}
        if expand > 1:
            parts |= {"expand": conv(c_in, wide, 1), "norm1": norm(wide, affine=affine), "relu1": nn.ReLU6()}
        parts |= {
            "depthwise": conv(wide, wide, kernel, stride, groups=wide),
            "norm2": norm(wide, affine=affine),
            "relu2": nn.ReLU6(),
            "project": conv(wide, c_out, 1),
            "norm3": norm(c_out, affine=affine),
        }
        self.branch = named(**parts)
        self.adds = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, c_in, H, W] to [B, c_out, ceil(H/stride), ceil(W/stride)]."""
        y = self.branch(x)
        return x + y if self.adds else y  # type: ignore[no-any-return]
