"""Depthwise convolutions with kernels for both gradients."""

from __future__ import annotations

from ctypes import byref
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import torch
from torch.autograd.function import once_differentiable

from nascore_native import library, reference

if TYPE_CHECKING:
    from torch import Tensor

    from nascore_native.library import Context

    Geometry = tuple[int, int, int]  # stride, padding, dilation

_KERNELS: Final = (1, 3, 5, 7)
_LAST: Final = torch.channels_last


def depthwise(x: Tensor, weight: Tensor, *, stride: int, padding: int, dilation: int) -> Tensor:
    """Return ``conv2d(x, weight, groups=C)`` in channels-last order.

    Compiled for float32 and float64 on the CPU, odd kernels up to 7x7, stride and dilation 1 or 2; every
    other case is torch's function. The backward pass computes only the gradients that are needed.

    Args:
        x: Images [N, C, H, W].
        weight: One kernel per channel [C, 1, k, k].
        stride: The same in both directions.
        padding: Zeros on each side.
        dilation: The distance of the taps.
    """
    if not is_supported(x, weight, stride, padding, dilation):
        return reference.depthwise(x, weight, stride=stride, padding=padding, dilation=dilation)
    if torch.compiler.is_compiling() or not library.is_plain(x, weight):
        return cast("Tensor", torch.ops.nascore_native.depthwise(x, weight, stride, padding, dilation))
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        return cast("Tensor", _Depthwise.apply(x, weight, (stride, padding, dilation)))
    return forward(x.contiguous(memory_format=_LAST), weight.contiguous(), (stride, padding, dilation))


def is_supported(x: Tensor, weight: Tensor, stride: int, padding: int, dilation: int) -> bool:
    """Return whether the library computes this case."""
    if x.dtype not in library.FUNCTIONS or weight.dtype != x.dtype or x.dim() != 4:  # noqa: PLR2004, NCHW
        return False
    channels, kernel = x.shape[1], weight.shape[-1]
    if stride not in {1, 2} or dilation not in {1, 2} or kernel not in _KERNELS:
        return False
    reach = (kernel - 1) * dilation
    return (
        weight.shape == (channels, 1, kernel, kernel)
        and 0 <= padding <= reach
        and min(x.shape[2:]) + 2 * padding > reach
        and x.numel() > 0
        and x.device.type == "cpu"
        and weight.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
    )


def out_shape(x: Tensor, weight: Tensor, geometry: Geometry) -> tuple[int, int, int, int]:
    """Return the shape of the result."""
    stride, padding, dilation = geometry
    images, channels, height, width = x.shape
    rest = 2 * padding - (weight.shape[-1] - 1) * dilation - 1
    return images, channels, (height + rest) // stride + 1, (width + rest) // stride + 1


def forward(x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Return the convolution; x is channels-last, and weight contiguous."""
    out = torch.empty(out_shape(x, weight, geometry), dtype=x.dtype, memory_format=_LAST)
    shape = byref(_shape(*x.shape, *out.shape[2:], weight.shape[-1], *geometry))
    compute = library.table(x.dtype).depthwise_forward
    library.check(compute(x.data_ptr(), weight.data_ptr(), shape, torch.get_num_threads(), out.data_ptr()))
    return out


def backward(
    gradient: Tensor, x: Tensor | None, weight: Tensor, geometry: Geometry, size: torch.Size | None
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of the input and of the weight.

    Args:
        gradient: That of the result, channels-last.
        x: The input, channels-last; None if the weight needs no gradient.
        weight: Contiguous.
        geometry: Stride, padding and dilation.
        size: The shape of the input; None if it needs no gradient.
    """
    x_gradient = None if size is None else torch.empty(size, dtype=weight.dtype, memory_format=_LAST)
    weight_gradient = None if x is None else torch.empty_like(weight)
    read = size if x is None else x.shape
    assert read is not None
    shape = byref(_shape(*read, *gradient.shape[2:], weight.shape[-1], *geometry))
    status = library.table(weight.dtype).depthwise_backward(
        gradient.data_ptr(),
        None if x is None else x.data_ptr(),
        weight.data_ptr(),
        shape,
        torch.get_num_threads(),
        None if x_gradient is None else x_gradient.data_ptr(),
        None if weight_gradient is None else weight_gradient.data_ptr(),
    )
    library.check(status)
    return x_gradient, weight_gradient


@lru_cache(maxsize=4096)
def _shape(*numbers: int) -> library.Convolution:
    images, channels, height, width, *rest = numbers
    return library.Convolution(images, channels, height, width, *rest)


class _Depthwise(torch.autograd.Function):
    """The direct way to the library: a call through the dispatcher costs several times as much."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        x, weight = x.contiguous(memory_format=_LAST), weight.contiguous()
        needs_x, needs_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(x if needs_weight else None, weight)
        ctx.settings = geometry, x.shape if needs_x else None
        return forward(x, weight, geometry)

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        gradient = gradient.contiguous(memory_format=_LAST)
        return *backward(gradient, *ctx.saved_tensors, *ctx.settings), None
