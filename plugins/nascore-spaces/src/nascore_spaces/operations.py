"""The modules of the plugin's operations, each built as ``build(c_in, c_out, stride, **settings)``."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from nascore.api import DescriptionError

ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6, "none": None}
GROWN_FROM = 4
"""Inner width of a layer of DenseNet-BC, in multiples of its output (arXiv 1608.06993, section 3)."""


def conv_norm_relu(c_in: int, c_out: int, stride: int, *, kernel: int = 3, affine: bool = True) -> nn.Module:
    """Return a convolution, batch norm, ReLU: the form of NAS-Bench-101 (arXiv 1902.09635)."""
    return _named(conv=_conv(c_in, c_out, kernel, stride), norm=_norm(c_out, affine=affine), relu=nn.ReLU())


def two_conv_3x3(c_in: int, c_out: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Return ReLU, 3x3 convolution and batch norm, twice; the first has the stride."""
    return _named(
        relu1=nn.ReLU(),
        conv1=_conv(c_in, c_out, 3, stride),
        norm1=_norm(c_out, affine=affine),
        relu2=nn.ReLU(),
        conv2=_conv(c_out, c_out, 3),
        norm2=_norm(c_out, affine=affine),
    )


def bottleneck(c_in: int, c_out: int, stride: int, *, narrow: int = 4, affine: bool = True) -> nn.Module:
    """Return convolutions 1x1, 3x3, 1x1, each after ReLU and before batch norm; the 3x3 has the stride.

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: Stride of the 3x3 convolution.
        narrow: Factor by which the inner width is smaller than the output (arXiv 1512.03385, section 4.1).
        affine: Whether the batch norms have weights.

    Raises:
        DescriptionError: `narrow` is less than 1.
    """
    if narrow < 1:
        raise DescriptionError(f"bottleneck needs narrow to be at least 1, not {narrow}.")
    inside = max(c_out // narrow, 1)
    return _named(
        relu1=nn.ReLU(),
        conv1=_conv(c_in, inside, 1),
        norm1=_norm(inside, affine=affine),
        relu2=nn.ReLU(),
        conv2=_conv(inside, inside, 3, stride),
        norm2=_norm(inside, affine=affine),
        relu3=nn.ReLU(),
        conv3=_conv(inside, c_out, 1),
        norm3=_norm(c_out, affine=affine),
    )


def dense_layer(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Return a layer of DenseNet-BC: convolutions 1x1 and 3x3, each after batch norm and ReLU."""
    inside = GROWN_FROM * c_out
    return _named(
        norm1=_norm(c_in),
        relu1=nn.ReLU(),
        conv1=_conv(c_in, inside, 1),
        norm2=_norm(inside),
        relu2=nn.ReLU(),
        conv2=_conv(inside, c_out, 3, stride),
    )


def dense_transition(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Return a transition of DenseNet: batch norm, ReLU, 1x1 convolution, average pooling."""
    return _named(
        norm=_norm(c_in),
        relu=nn.ReLU(),
        conv=_conv(c_in, c_out, 1),
        # Round up like every operation, so that odd sizes match.
        pool=nn.AvgPool2d(stride, ceil_mode=True),
    )


def frame_conv(  # noqa: PLR0913 - three arguments of the contract and three settings
    c_in: int, c_out: int, stride: int, *, kernel: int = 3, activation: str = "relu", norm: bool = True
) -> nn.Module:
    """Return a convolution for fixed parts of networks, with an optional batch norm and activation.

    Raises:
        DescriptionError: The activation is unknown.
    """
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise DescriptionError(f"frame_conv has no activation {activation!r}. Known: {known}.")
    parts: dict[str, nn.Module] = {"conv": _conv(c_in, c_out, kernel, stride)}
    if norm:
        parts["norm"] = _norm(c_out)
    made = ACTIVATIONS[activation]
    if made is not None:
        parts["relu"] = made()
    return _named(**parts)


def wide_classifier(c_in: int, c_out: int, stride: int, *, times: int = 4) -> nn.Module:
    """Return the head of MobileNetV2: a 1x1 convolution to `times` as many channels, pooling, a linear layer.

    Raises:
        DescriptionError: `times` is less than 1.
    """
    del stride
    if times < 1:
        raise DescriptionError(f"wide_classifier needs times to be at least 1, not {times}.")
    wide = c_in * times
    return _named(
        conv=_conv(c_in, wide, 1),
        norm=_norm(wide),
        relu=nn.ReLU6(),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        linear=nn.Linear(wide, c_out),
    )


def frame_pool(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Return maximum pooling of 2x2 pixels."""
    del c_in, c_out
    return nn.MaxPool2d(stride, ceil_mode=True)


def _conv(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    if kernel % 2 == 0 or kernel < 1:
        raise DescriptionError(f"a convolution needs an odd kernel, not {kernel}.")
    return nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2, bias=False)


def _norm(channels: int, *, affine: bool = True) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, affine=affine)


def _named(**parts: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(parts))
