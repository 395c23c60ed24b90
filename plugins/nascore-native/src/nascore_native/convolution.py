"""Depthwise convolutions with kernels for both gradients."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import torch
from torch.nn import functional

from nascore_native import library
from nascore_native.library import PLAIN, Integers

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from nascore_native.library import Context

    Geometry = tuple[int, int, int]  # stride, padding, dilation

_KERNELS: Final = (1, 3, 5, 7)
_LAST: Final = torch.channels_last

# From this size on oneDNN, which torch calls, is faster at forward passes, if the channels fill its blocks.
_LARGE: Final = 1 << 17
_BLOCK: Final = 16


def depthwise(x: Tensor, weight: Tensor, *, stride: int, padding: int, dilation: int) -> Tensor:
    """Return ``conv2d(x, weight, groups=C)`` in channels-last order.

    Compiled for float32 and float64 on the CPU, odd kernels up to 7x7, stride and dilation 1 or 2; every
    other case is composed of torch's functions. The backward pass computes only needed gradients.

    Args:
        x: Images [N, C, H, W].
        weight: One kernel per channel [C, 1, k, k].
        stride: The same in both directions.
        padding: Zeros on each side.
        dilation: The distance of the taps.
    """
    if type(x) in PLAIN and type(weight) in PLAIN and not torch.compiler.is_compiling():
        found = plan(x.shape, weight.shape, x.dtype, weight.dtype, (stride, padding, dilation))
        if found is not None and x.is_cpu and weight.is_cpu and not torch.is_autocast_enabled("cpu"):
            if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
                return cast("Tensor", _Depthwise.apply(x, weight, found))
            return found.forward(x.contiguous(memory_format=_LAST), weight.contiguous())
    elif _is_supported(x, weight, (stride, padding, dilation)):
        return cast("Tensor", torch.ops.nascore_native.depthwise(x, weight, stride, padding, dilation))
    library.warn_unbuilt()
    return library.torch_kernels().depthwise(x, weight, stride=stride, padding=padding, dilation=dilation)


def out_shape(size: torch.Size, kernel: int, geometry: Geometry) -> tuple[int, int, int, int]:
    """Return the shape of the result."""
    stride, padding, dilation = geometry
    images, channels, height, width = size
    rest = 2 * padding - (kernel - 1) * dilation - 1
    return images, channels, (height + rest) // stride + 1, (width + rest) // stride + 1


def is_computed(size: torch.Size, weight_size: torch.Size, geometry: Geometry) -> bool:
    """Return whether there is a kernel for these shapes."""
    stride, padding, dilation = geometry
    kernel = weight_size[-1]
    reach = (kernel - 1) * dilation
    return (
        len(size) == 4  # noqa: PLR2004, NCHW
        and {stride, dilation} <= {1, 2}
        and kernel in _KERNELS
        and weight_size == (size[1], 1, kernel, kernel)
        and 0 <= padding <= reach
        and min(size) > 0
        and min(size[2:]) + 2 * padding > reach
    )


class Plan:
    """The convolution of one shape and type, with everything that does not depend on the numbers."""

    def __init__(self, size: torch.Size, kernel: int, dtype: torch.dtype, geometry: Geometry) -> None:
        self._dtype, self._size = dtype, size
        self._out_shape = out_shape(size, kernel, geometry)
        images, channels, height, width = size
        self._numbers = Integers((images, channels, height, width, *self._out_shape[2:], kernel, *geometry))
        self._geometry = geometry
        _, padding, dilation = geometry
        self._mirrored = 1, (kernel - 1) * dilation - padding, dilation
        is_large = dtype == torch.float32 and min(size.numel(), math.prod(self._out_shape)) >= _LARGE
        has_onednn: Callable[[], bool] = torch.backends.mkldnn.is_available
        self._uses_torch = is_large and size[1] % _BLOCK == 0 and has_onednn()
        table = library.table(dtype)
        self._forward, self._backward = table.depthwise_forward, table.depthwise_backward

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution; x is channels-last, and weight contiguous."""
        if self._uses_torch:
            return functional.conv2d(x, weight, None, *self._geometry, self._size[1])
        if self._out_shape == self._size:
            out = torch.empty_like(x)
        else:
            out = torch.empty(self._out_shape, dtype=self._dtype, memory_format=_LAST)
        numbers, threads = self._numbers.address, torch.get_num_threads()
        library.check(self._forward(x.data_ptr(), weight.data_ptr(), numbers, threads, out.data_ptr()))
        return out

    def backward(
        self, gradient: Tensor, x: Tensor | None, weight: Tensor, *, needs_x: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of the input and of the weight.

        Args:
            gradient: That of the result, channels-last.
            x: The input, channels-last; None if the weight needs no gradient.
            weight: Contiguous.
            needs_x: Whether the input needs a gradient.
        """
        if needs_x and self._uses_torch and self._geometry[0] == 1:
            flipped = functional.conv2d(gradient, weight.flip(2, 3), None, *self._mirrored, self._size[1])
            return flipped, None if x is None else self.backward(gradient, x, weight, needs_x=False)[1]
        of_x = torch.empty(self._size, dtype=self._dtype, memory_format=_LAST) if needs_x else None
        of_weight = None if x is None else torch.empty_like(weight)
        status = self._backward(
            gradient.data_ptr(),
            None if x is None else x.data_ptr(),
            weight.data_ptr(),
            self._numbers.address,
            torch.get_num_threads(),
            None if of_x is None else of_x.data_ptr(),
            None if of_weight is None else of_weight.data_ptr(),
        )
        library.check(status)
        return of_x, of_weight


@lru_cache(maxsize=4096)
def plan(
    size: torch.Size,
    weight_size: torch.Size,
    dtype: torch.dtype,
    weight_dtype: torch.dtype,
    geometry: Geometry,
) -> Plan | None:
    """Return the plan of a convolution, or None if the library does not compute it."""
    if (
        dtype not in library.FUNCTIONS
        or weight_dtype != dtype
        or not is_computed(size, weight_size, geometry)
    ):
        return None
    return Plan(size, weight_size[-1], dtype, geometry)


def _is_supported(x: Tensor, weight: Tensor, geometry: Geometry) -> bool:
    return (
        x.dtype in library.FUNCTIONS
        and weight.dtype == x.dtype
        and x.device.type == weight.device.type == "cpu"
        and is_computed(x.shape, weight.shape, geometry)
        and not torch.is_autocast_enabled("cpu")
    )


class _Depthwise(torch.autograd.Function):
    """The direct way to the library: a call through the dispatcher costs several times as much."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, weight: Tensor, found: Plan) -> Tensor:
        x, weight = x.contiguous(memory_format=_LAST), weight.contiguous()
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, weight)
        ctx.settings = found
        return found.forward(x, weight)

    @staticmethod
    @library.differentiable_once
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient, needs_x = gradient.contiguous(memory_format=_LAST), ctx.needs_input_grad[0]
        return *ctx.settings.backward(gradient, x, weight, needs_x=needs_x), None
