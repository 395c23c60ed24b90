"""Convolutions of one shape and type: the call of the library that is prepared once and made many times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import torch

from nascore_native import library
from nascore_native.library import PLAIN, Integers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from nascore_native.library import Context

_LAST: Final = torch.channels_last


class Plan:
    """A convolution of one shape and type, with everything that does not depend on its numbers.

    Args:
        kind: Its name in the library: ``depthwise`` or ``pointwise``.
        size: The shape of the input.
        out_shape: The shape of the result.
        dtype: The type of the numbers.
        numbers: The integers that describe it to the library.
    """

    def __init__(
        self,
        kind: str,
        size: torch.Size,
        out_shape: tuple[int, ...],
        dtype: torch.dtype,
        numbers: Sequence[int],
    ) -> None:
        self._size, self._out_shape, self._dtype = size, out_shape, dtype
        self._numbers = Integers(numbers)
        table = library.table(dtype)
        self._forward: Any = getattr(table, f"{kind}_forward")
        self._backward: Any = getattr(table, f"{kind}_backward")

    def apply(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution, with a graph if a gradient is needed."""
        if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
            return cast("Tensor", _Planned.apply(x, weight, self))
        return self.forward(x.contiguous(memory_format=_LAST), weight.contiguous())

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the convolution; x is channels-last, and weight contiguous."""
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


def is_direct(x: Tensor, weight: Tensor) -> bool:
    """Return whether both are plain tensors that nothing traces, so that their addresses can be passed."""
    return type(x) in PLAIN and type(weight) in PLAIN and not torch.compiler.is_compiling()


def is_on_cpu(x: Tensor, weight: Tensor) -> bool:
    """Return whether both are on the CPU, in a type of the library and outside of autocast."""
    return (
        x.dtype in library.FUNCTIONS
        and weight.dtype == x.dtype
        and x.device.type == weight.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
    )


class _Planned(torch.autograd.Function):
    """The direct way to the library: a call through the dispatcher costs several times as much."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, weight: Tensor, plan: Plan) -> Tensor:
        x, weight = x.contiguous(memory_format=_LAST), weight.contiguous()
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, weight)
        ctx.settings = plan
        return plan.forward(x, weight)

    @staticmethod
    @library.differentiable_once
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient, needs_x = gradient.contiguous(memory_format=_LAST), ctx.needs_input_grad[0]
        return *ctx.settings.backward(gradient, x, weight, needs_x=needs_x), None
