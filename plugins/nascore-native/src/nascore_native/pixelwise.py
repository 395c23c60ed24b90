"""Convolutions of single pixels in narrow groups."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import torch

from nascore_native import library
from nascore_native.library import PLAIN, Integers

if TYPE_CHECKING:
    from torch import Tensor

    from nascore_native.library import Context

_LAST: Final = torch.channels_last

_WIDEST: Final = 64
"""Channels of a group up to which there are kernels."""


def pointwise(x: Tensor, weight: Tensor, *, groups: int) -> Tensor:
    """Return ``conv2d(x, weight, groups=groups)`` for weights of one pixel, in channels-last order.

    Compiled for float32 and float64 on the CPU and narrow groups; every other case is composed of torch's
    functions. The backward pass computes only the gradients that are needed.

    Args:
        x: Images [N, C, H, W].
        weight: The weights [D, C / groups, 1, 1].
        groups: Number of groups of channels that are convolved each by itself.
    """
    if type(x) in PLAIN and type(weight) in PLAIN and not torch.compiler.is_compiling():
        found = plan(x.shape, weight.shape, x.dtype, weight.dtype, groups)
        if found is not None and x.is_cpu and weight.is_cpu and not torch.is_autocast_enabled("cpu"):
            if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
                return cast("Tensor", _Pointwise.apply(x, weight, found))
            return found.forward(x.contiguous(memory_format=_LAST), weight.contiguous())
    elif _is_supported(x, weight, groups):
        return cast("Tensor", torch.ops.nascore_native.pointwise(x, weight, groups))
    library.warn_unbuilt()
    return library.torch_kernels().pointwise(x, weight, groups=groups)


def is_computed(size: torch.Size, weight_size: torch.Size, groups: int) -> bool:
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


class Plan:
    """The convolution of one shape and type, with everything that does not depend on the numbers."""

    def __init__(self, size: torch.Size, weight_size: torch.Size, dtype: torch.dtype, groups: int) -> None:
        images, channels, height, width = size
        self._dtype, self._size = dtype, size
        self._out_shape = (images, weight_size[0], height, width)
        inputs, outputs = channels // groups, weight_size[0] // groups
        self._numbers = Integers((images * height * width, groups, inputs, outputs))
        table = library.table(dtype)
        self._forward, self._backward = table.pointwise_forward, table.pointwise_backward

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution; x is channels-last, and weight contiguous."""
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
    size: torch.Size, weight_size: torch.Size, dtype: torch.dtype, weight_dtype: torch.dtype, groups: int
) -> Plan | None:
    """Return the plan of a convolution, or None if the library does not compute it."""
    if dtype not in library.FUNCTIONS or weight_dtype != dtype or not is_computed(size, weight_size, groups):
        return None
    return Plan(size, weight_size, dtype, groups)


def _is_supported(x: Tensor, weight: Tensor, groups: int) -> bool:
    return (
        x.dtype in library.FUNCTIONS
        and weight.dtype == x.dtype
        and x.device.type == weight.device.type == "cpu"
        and is_computed(x.shape, weight.shape, groups)
        and not torch.is_autocast_enabled("cpu")
    )


class _Pointwise(torch.autograd.Function):
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
