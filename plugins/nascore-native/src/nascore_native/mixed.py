"""The weighted sum of candidates, some of them normalised, in one kernel."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final, cast

import torch
from torch.autograd.function import once_differentiable

from nascore_native import library, reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from nascore_native.library import Context

_LAST: Final = torch.channels_last


def mixed_sum(terms: Sequence[Tensor], weights: Tensor, normed: Sequence[bool], eps: float) -> Tensor:
    """Return the sum of ``weights[k] * terms[k]`` in channels-last order.

    Compiled for float32 and float64 on the CPU; every other case is composed of torch's functions. The
    backward pass computes only the gradients that are needed.

    Args:
        terms: K tensors of one shape [N, C, H, W].
        weights: [K], or [N, K] with weights for each image; [1, K] expanded to that costs no more than [K].
        normed: For each term, whether it is normalised first, with the statistics of the batch.
        eps: Added to the biased variance.
    """
    if not is_supported(terms, weights, normed):
        return reference.mixed_sum(terms, weights, normed, eps)
    if torch.compiler.is_compiling() or not library.is_plain(weights, *terms):
        operator = torch.ops.nascore_native.mixed_sum
        return cast("Tensor", operator(list(terms), weights, list(normed), eps)[0])
    normed = tuple(normed)
    if torch.is_grad_enabled() and (weights.requires_grad or any(term.requires_grad for term in terms)):
        return cast("Tensor", _MixedSum.apply(weights, normed, eps, *terms))
    return forward(_ordered(terms), weights, normed, eps)[0]


def is_supported(terms: Sequence[Tensor], weights: Tensor, normed: Sequence[bool]) -> bool:
    """Return whether the library computes this sum; torch refuses a single value per channel."""
    first = terms[0]
    shape, dtype = first.shape, first.dtype
    if dtype not in library.FUNCTIONS or weights.dtype != dtype or len(shape) != 4:  # noqa: PLR2004, NCHW
        return False
    count = len(terms)
    if len(normed) != count or weights.shape not in {(count,), (shape[0], count)}:
        raise ValueError(
            f"mixed_sum has {count} terms of shape {list(shape)}, weights of shape {list(weights.shape)} and "
            f"{len(normed)} flags; expected weights [{count}] or [{shape[0]}, {count}] and {count} flags"
        )
    return (
        first.numel() > (shape[1] if any(normed) else 0)
        and weights.device.type == "cpu"
        and all(term.shape == shape and term.dtype == dtype and term.device.type == "cpu" for term in terms)
        and not torch.is_autocast_enabled("cpu")
    )


def forward(
    terms: Sequence[Tensor], weights: Tensor, normed: tuple[bool, ...], eps: float
) -> tuple[Tensor, Tensor]:
    """Return the sum, and the scale and shift [K, 2, C] that normalise the terms, which are channels-last."""
    first = terms[0]
    out, affine = torch.empty_like(first, memory_format=_LAST), first.new_empty(len(terms), 2, first.shape[1])
    compute = library.table(first.dtype).mixed_sum_forward
    mixture = _Arguments(terms, weights, normed)
    status = compute(
        ctypes.byref(mixture.value), eps, torch.get_num_threads(), out.data_ptr(), affine.data_ptr()
    )
    library.check(status)
    return out, affine


def backward(
    gradient: Tensor, saved: Sequence[Tensor], normed: tuple[bool, ...], needed: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """Return the gradients of the weights and of each term, None where it is not needed.

    Args:
        gradient: That of the result, channels-last.
        saved: The weights, the scales and shifts of the forward pass, and the terms, channels-last.
        normed: As in the forward pass.
        needed: Whether the weights, and each term, need a gradient.
    """
    weights, affine, *terms = saved
    needs_weights, *needs_terms = needed
    weight_gradient = torch.empty(weights.shape, dtype=weights.dtype) if needs_weights else None
    gradients = [torch.empty_like(gradient, memory_format=_LAST) if needs else None for needs in needs_terms]
    mixture = _Arguments(terms, weights, normed)
    out = library.pointers(len(terms))(*[None if each is None else each.data_ptr() for each in gradients])
    status = library.table(gradient.dtype).mixed_sum_backward(
        ctypes.byref(mixture.value),
        gradient.data_ptr(),
        affine.data_ptr(),
        weights.dim() > 1 and weights.shape[0] > 1,
        torch.get_num_threads(),
        out,
        None if weight_gradient is None else weight_gradient.data_ptr(),
    )
    library.check(status)
    return weight_gradient, *gradients


class _Arguments:
    """The terms and weights as the library takes them; keeps alive the memory that it points to."""

    def __init__(self, terms: Sequence[Tensor], weights: Tensor, normed: tuple[bool, ...]) -> None:
        images, channels, height, width = terms[0].shape
        per_image = False
        if weights.dim() > 1:
            per_image = images > 1 and weights.stride(0) != 0
            weights = weights if per_image else weights[0]
        self._weights = weights.contiguous()
        self._terms = library.pointers(len(terms))(*[term.data_ptr() for term in terms])
        self._normed = library.flags(normed)
        self.value = library.Mixture(
            len(terms),
            images,
            height * width,
            channels,
            ctypes.cast(self._terms, ctypes.c_void_p),
            ctypes.cast(self._normed, ctypes.c_void_p),
            self._weights.data_ptr(),
            per_image,
        )


def _ordered(terms: Sequence[Tensor]) -> list[Tensor]:
    return [term.contiguous(memory_format=_LAST) for term in terms]


class _MixedSum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Context, weights: Tensor, normed: tuple[bool, ...], eps: float, *terms: Tensor
    ) -> Tensor:
        ordered = _ordered(terms)
        out, affine = forward(ordered, weights, normed, eps)
        ctx.save_for_backward(weights, affine, *ordered)
        ctx.settings = normed
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        needs_weights, _, _, *needs_terms = ctx.needs_input_grad
        gradient = gradient.contiguous(memory_format=_LAST)
        needed = (needs_weights, *needs_terms)
        weight_gradient, *gradients = backward(gradient, ctx.saved_tensors, ctx.settings, needed)
        return weight_gradient, None, None, *gradients
