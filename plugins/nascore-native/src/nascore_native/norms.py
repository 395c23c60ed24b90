"""Batch norm with ReLU in one kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import torch

from nascore.nn.stages import check_countable
from nascore_native import library

if TYPE_CHECKING:
    from torch import Tensor

    from nascore_native.library import Context

_LAST: Final = torch.channels_last


def norm_relu(x: Tensor, eps: float) -> Tensor:
    """Return the ReLU of x, normalised with the statistics of the batch, in channels-last order.

    Compiled for float32 and float64 on the CPU; every other case is composed of torch's functions.

    Args:
        x: Images [N, C, H, W].
        eps: Added to the biased variance.
    """
    if not _is_supported(x):
        library.warn_unbuilt()
        check_countable(x)
        return library.torch_kernels().norm_relu(x, eps)
    if type(x) not in library.PLAIN or torch.compiler.is_compiling():
        return cast("Tensor", torch.ops.nascore_native.norm_relu(x, eps)[0])
    if x.requires_grad and torch.is_grad_enabled():
        return cast("Tensor", _NormRelu.apply(x, eps))
    return forward(x.contiguous(memory_format=_LAST), eps)[0]


def _is_supported(x: Tensor) -> bool:
    """Return whether the library normalises this tensor; torch refuses a single value per channel."""
    return (
        x.dtype in library.FUNCTIONS
        and x.dim() == 4  # noqa: PLR2004, NCHW
        and x.numel() > x.shape[1]
        and x.is_cpu
        and not torch.is_autocast_enabled("cpu")
    )


def forward(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return the result, and the scale and shift [2, C] that normalise x, which is channels-last."""
    channels = x.shape[1]
    out, affine = torch.empty_like(x), x.new_empty(2, channels)
    compute = library.table(x.dtype).norm_relu_forward
    rows, threads = x.numel() // channels, torch.get_num_threads()
    library.check(compute(x.data_ptr(), rows, channels, eps, threads, out.data_ptr(), affine.data_ptr()))
    return out, affine


def backward(gradient: Tensor, x: Tensor, affine: Tensor) -> Tensor:
    """Return the gradient of x; both tensors are channels-last."""
    channels = x.shape[1]
    out = torch.empty_like(x)
    compute = library.table(x.dtype).norm_relu_backward
    sources = gradient.data_ptr(), x.data_ptr(), affine.data_ptr()
    library.check(compute(*sources, x.numel() // channels, channels, torch.get_num_threads(), out.data_ptr()))
    return out


class _NormRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Context, x: Tensor, eps: float) -> Tensor:
        x = x.contiguous(memory_format=_LAST)
        out, affine = forward(x, eps)
        ctx.save_for_backward(x, affine)
        return out

    @staticmethod
    @library.differentiable_once
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return backward(gradient.contiguous(memory_format=_LAST), *ctx.saved_tensors), None
