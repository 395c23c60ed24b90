"""Operations that add their input to what they make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

from nascore.errors import DescriptionError
from nascore.nn.operations.parts import conv, named, norm, relu_conv_norm

if TYPE_CHECKING:
    from torch import Tensor


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
        expand: How many times wider it is inside.
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
            raise DescriptionError(
                f"mbconv needs an odd kernel and an expand of at least 1: {kernel}, {expand}."
            )
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
