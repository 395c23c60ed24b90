"""Depthwise and pointwise convolutions with kernels for both gradients."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import torch
from torch.nn import functional

from nascore_native import library
from nascore_native.plans import Plan, is_direct, is_on_cpu

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Geometry = tuple[int, int, int]  # stride, padding, dilation

_KERNELS: Final = (1, 3, 5, 7)

# From this size on oneDNN, which torch calls, is faster at forward passes, if the channels fill its blocks.
_LARGE: Final = 1 << 17
_BLOCK: Final = 16

_WIDEST: Final = 64
"""Channels of a group up to which there are kernels."""


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
    geometry = (stride, padding, dilation)
    if is_on_cpu(x, weight):
        if is_direct(x, weight):
            found = depthwise_plan(x.shape, weight.shape, x.dtype, geometry)
            if found is not None:
                return found.apply(x, weight)
        elif has_depthwise_kernel(x.shape, weight.shape, geometry):
            return cast("Tensor", torch.ops.nascore_native.depthwise(x, weight, *geometry))
    library.warn_unbuilt()
    return library.torch_kernels().depthwise(x, weight, stride=stride, padding=padding, dilation=dilation)


def depthwise_shape(size: torch.Size, kernel: int, geometry: Geometry) -> tuple[int, int, int, int]:
    """Return the shape of the result."""
    stride, padding, dilation = geometry
    images, channels, height, width = size
    rest = 2 * padding - (kernel - 1) * dilation - 1
    return images, channels, (height + rest) // stride + 1, (width + rest) // stride + 1


def has_depthwise_kernel(size: torch.Size, weight_size: torch.Size, geometry: Geometry) -> bool:
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


class Depthwise(Plan):
    """A depthwise convolution; torch computes the parts of which its own way is faster."""

    def __init__(self, size: torch.Size, kernel: int, dtype: torch.dtype, geometry: Geometry) -> None:
        out = depthwise_shape(size, kernel, geometry)
        super().__init__("depthwise", size, out, dtype, (*size, *out[2:], kernel, *geometry))
        self._geometry = geometry
        _, padding, dilation = geometry
        self._mirrored = 1, (kernel - 1) * dilation - padding, dilation
        is_large = dtype == torch.float32 and min(size.numel(), math.prod(out)) >= _LARGE
        has_onednn: Callable[[], bool] = torch.backends.mkldnn.is_available
        self._uses_torch = is_large and size[1] % _BLOCK == 0 and has_onednn()

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution; x is channels-last, and weight contiguous."""
        if self._uses_torch:
            return functional.conv2d(x, weight, None, *self._geometry, self._size[1])
        return super().forward(x, weight)

    def backward(
        self, gradient: Tensor, x: Tensor | None, weight: Tensor, *, needs_x: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of the input and of the weight; see :meth:`Plan.backward`."""
        if needs_x and self._uses_torch and self._geometry[0] == 1:
            flipped = functional.conv2d(gradient, weight.flip(2, 3), None, *self._mirrored, self._size[1])
            return flipped, None if x is None else super().backward(gradient, x, weight, needs_x=False)[1]
        return super().backward(gradient, x, weight, needs_x=needs_x)


@lru_cache(maxsize=4096)
def depthwise_plan(
    size: torch.Size, weight_size: torch.Size, dtype: torch.dtype, geometry: Geometry
) -> Depthwise | None:
    """Return the plan of a convolution, or None if the library does not compute it."""
    if dtype not in library.FUNCTIONS or not has_depthwise_kernel(size, weight_size, geometry):
        return None
    return Depthwise(size, weight_size[-1], dtype, geometry)


def pointwise(x: Tensor, weight: Tensor, *, groups: int) -> Tensor:
    """Return ``conv2d(x, weight, groups=groups)`` for weights of one pixel, in channels-last order.

    Compiled for float32 and float64 on the CPU and narrow groups; every other case is composed of torch's
    functions. The backward pass computes only the gradients that are needed.

    Args:
        x: Images [N, C, H, W].
        weight: The weights [D, C / groups, 1, 1].
        groups: Number of groups of channels that are convolved each by itself.
    """
    if is_on_cpu(x, weight):
        if is_direct(x, weight):
            found = pointwise_plan(x.shape, weight.shape, x.dtype, groups)
            if found is not None:
                return found.apply(x, weight)
        elif has_pointwise_kernel(x.shape, weight.shape, groups):
            return cast("Tensor", torch.ops.nascore_native.pointwise(x, weight, groups))
    library.warn_unbuilt()
    return library.torch_kernels().pointwise(x, weight, groups=groups)


def has_pointwise_kernel(size: torch.Size, weight_size: torch.Size, groups: int) -> bool:
    """Return whether there is a kernel for these shapes, and torch is not faster."""
    return (
        len(size) == 4  # noqa: PLR2004, NCHW
        and groups >= 1
        and min(size) > 0
        and size[1] % groups == weight_size[0] % groups == 0
        and weight_size[1:] == (size[1] // groups, 1, 1)
        and 0 < weight_size[0] <= groups * _WIDEST
        and size[1] <= groups * _WIDEST
    )


@lru_cache(maxsize=4096)
def pointwise_plan(size: torch.Size, weight_size: torch.Size, dtype: torch.dtype, groups: int) -> Plan | None:
    """Return the plan of a convolution, or None if the library does not compute it."""
    if dtype not in library.FUNCTIONS or not has_pointwise_kernel(size, weight_size, groups):
        return None
    images, channels, height, width = size
    numbers = (images * height * width, groups, channels // groups, weight_size[0] // groups)
    return Plan("pointwise", size, (images, weight_size[0], height, width), dtype, numbers)
