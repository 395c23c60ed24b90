"""The weighted sum of candidates, some of them normalised, in one kernel."""

from __future__ import annotations

from ctypes import c_uint8
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import torch

from nascore.nn.stages import check_countable
from nascore_native import library
from nascore_native.library import PLAIN, Integers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from nascore_native.library import Context

_LAST: Final = torch.channels_last

_PER_IMAGE: Final = 3
"""Number of dimensions of weights per image, [B, n, K]."""


def mixed_sum(
    terms: Sequence[Tensor],
    weights: Tensor,
    normed: Sequence[bool],
    eps: float,
    *,
    alike: bool = False,
) -> Tensor:
    """Return the weighted sum of the outputs of candidates, for n edges side by side, in channels-last order.

    Compiled for float32 and float64 on the CPU; every other case is composed of torch's functions. The
    backward pass computes only the gradients that are needed.

    Args:
        terms: K outputs of one shape [B, n * C, H, W]; the channels of the first edge come first.
        weights: The weight of each candidate on each edge [n, K], or also per image [B, n, K].
        normed: For each term, whether it is normalised first, with the statistics of the batch.
        eps: Added to the biased variance.
        alike: Whether all images have the same weights, and only gradients are per image.
    """
    if not _is_supported(terms, weights, normed):
        library.warn_unbuilt()
        if any(normed):
            check_countable(terms[0])
        return library.torch_kernels().mixed_sum(terms, weights, normed, eps, alike=alike)
    normed = tuple(normed)
    if type(terms[0]) not in PLAIN or type(weights) not in PLAIN or torch.compiler.is_compiling():
        operator = torch.ops.nascore_native.mixed_sum
        return cast("Tensor", operator(list(terms), weights, normed, eps, alike)[0])
    if torch.is_grad_enabled() and (weights.requires_grad or any(term.requires_grad for term in terms)):
        return cast("Tensor", _MixedSum.apply(weights, (normed, eps, alike), *terms))
    return forward(_ordered(terms), weights, normed, eps, alike=alike)[0]


def _is_supported(terms: Sequence[Tensor], weights: Tensor, normed: Sequence[bool]) -> bool:
    """Return whether the library computes this sum; torch refuses a single value per channel."""
    first, count = terms[0], len(terms)
    shape, dtype = first.shape, first.dtype
    *images, edges, candidates = (0, 0, *weights.shape)[-max(weights.dim(), 2) :]
    if (
        len(normed) != count
        or candidates != count
        or images not in ([], [shape[0]])
        or edges < 1
        or shape[1] % edges
    ):
        raise ValueError(
            f"mixed_sum has {count} terms of shape {list(shape)}, weights of shape {list(weights.shape)} and "
            f"{len(normed)} flags; expected weights [n, {count}] or [{shape[0]}, n, {count}], where n "
            f"divides {shape[1]}, and {count} flags"
        )
    if (
        dtype not in library.FUNCTIONS
        or weights.dtype != dtype
        or len(shape) != 4  # noqa: PLR2004, NCHW
        or first.numel() <= (shape[1] if any(normed) else 0)
        or not weights.is_cpu
        or torch.is_autocast_enabled("cpu")
    ):
        return False
    return all(term.shape == shape and term.dtype == dtype and term.is_cpu for term in terms)


def forward(
    terms: Sequence[Tensor], weights: Tensor, normed: tuple[bool, ...], eps: float, *, alike: bool
) -> tuple[Tensor, Tensor]:
    """Return the sum, and the scale and shift [K, 2, C] that normalise the terms, which are channels-last."""
    first = terms[0]
    count, shape, threads = len(terms), first.shape, torch.get_num_threads()
    out, affine = torch.empty_like(first), first.new_empty(count, 2, shape[1])
    pointers = library.pointers(count)(*[term.data_ptr() for term in terms])
    values, is_per_image = _values(weights, alike=alike)
    arguments = (
        _numbers(count, shape, weights.shape[-2]).address,
        pointers,
        _flags(normed).address,
        values.data_ptr(),
        is_per_image,
    )
    compute = library.table(first.dtype).mixed_sum_forward
    library.check(compute(*arguments, eps, threads, out.data_ptr(), affine.data_ptr()))
    return out, affine


def backward(
    gradient: Tensor,
    saved: Sequence[Tensor],
    normed: tuple[bool, ...],
    needed: Sequence[bool],
    *,
    alike: bool,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of the weights and of each term, None where it is not needed.

    Args:
        gradient: That of the result, channels-last.
        saved: The weights, the scales and shifts of the forward pass, and the terms, channels-last.
        normed: As in the forward pass.
        needed: Whether the weights, and each term, need a gradient.
        alike: As in the forward pass.
    """
    weights, affine, *terms = saved
    needs_weights, *needs_terms = needed
    of_weights = torch.empty(weights.shape, dtype=weights.dtype) if needs_weights else None
    of_terms = [torch.empty_like(gradient) if needs else None for needs in needs_terms]
    count, shape = len(terms), gradient.shape
    array = library.pointers(count)
    pointers = array(*[term.data_ptr() for term in terms])
    values, is_per_image = _values(weights, alike=alike)
    status = library.table(gradient.dtype).mixed_sum_backward(
        _numbers(count, shape, weights.shape[-2]).address,
        pointers,
        _flags(normed).address,
        values.data_ptr(),
        is_per_image,
        gradient.data_ptr(),
        affine.data_ptr(),
        weights.dim() == _PER_IMAGE and shape[0] > 1,
        torch.get_num_threads(),
        array(*[None if each is None else each.data_ptr() for each in of_terms]),
        None if of_weights is None else of_weights.data_ptr(),
    )
    library.check(status)
    return of_weights, *of_terms


@lru_cache(maxsize=4096)
def _numbers(count: int, shape: torch.Size, edges: int) -> Integers:
    images, channels, height, width = shape
    return Integers((count, images, height * width, channels, edges))


@lru_cache(maxsize=4096)
def _flags(normed: tuple[bool, ...]) -> Integers:
    return Integers(normed, c_uint8)


def _values(weights: Tensor, *, alike: bool) -> tuple[Tensor, bool]:
    """Return the weights as they lie in memory, and whether they differ between images."""
    if weights.dim() < _PER_IMAGE:
        return weights.contiguous(), False
    images = weights.shape[0]
    if images == 0 or (images > 1 and weights.stride(0) != 0 and not alike):
        return weights.contiguous(), True
    return weights[0].contiguous(), False


def _ordered(terms: Sequence[Tensor]) -> list[Tensor]:
    return [term.contiguous(memory_format=_LAST) for term in terms]


class _MixedSum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Context, weights: Tensor, settings: tuple[tuple[bool, ...], float, bool], *terms: Tensor
    ) -> Tensor:
        normed, eps, alike = settings
        ordered = _ordered(terms)
        out, affine = forward(ordered, weights, normed, eps, alike=alike)
        ctx.save_for_backward(weights, affine, *ordered)
        ctx.settings = settings
        return out

    @staticmethod
    @library.differentiable_once
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        needs_weights, _, *needs_terms = ctx.needs_input_grad
        normed, _, alike = ctx.settings
        gradient = gradient.contiguous(memory_format=_LAST)
        needed = (needs_weights, *needs_terms)
        of_weights, *of_terms = backward(gradient, ctx.saved_tensors, normed, needed, alike=alike)
        return of_weights, None, *of_terms
