"""The kernels as operators of torch, ``torch.ops.nascore_native.*``: for torch.compile, export and tracing.

The functions of this package call the library directly when nothing traces them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.library import custom_op

from nascore_native import convolutions, library, norms, sums

if TYPE_CHECKING:
    from nascore_native.library import Context
    from nascore_native.plans import Plan

_LAST: Final = torch.channels_last


def _plan(x: Tensor, weight: Tensor, geometry: tuple[int, int, int]) -> Plan:
    library.table(x.dtype)
    found = convolutions.depthwise_plan(x.shape, weight.shape, x.dtype, geometry)
    if found is None or weight.dtype != x.dtype:
        raise ValueError(
            f"nascore_native::depthwise has no kernel for x {list(x.shape)}, weight {list(weight.shape)}, "
            f"stride, padding and dilation {geometry}; nascore_native.depthwise computes every case"
        )
    return found


@custom_op("nascore_native::depthwise", mutates_args=(), device_types="cpu")
def depthwise(x: Tensor, weight: Tensor, stride: int, padding: int, dilation: int) -> Tensor:
    """Return the depthwise convolution of a case that the library supports."""
    x, weight = x.contiguous(memory_format=_LAST), weight.contiguous()
    return _plan(x, weight, (stride, padding, dilation)).forward(x, weight)


@depthwise.register_fake
def _(x: Tensor, weight: Tensor, stride: int, padding: int, dilation: int) -> Tensor:
    shape = convolutions.depthwise_shape(x.shape, weight.shape[-1], (stride, padding, dilation))
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=_LAST)


@custom_op("nascore_native::depthwise_backward", mutates_args=(), device_types="cpu")
def depthwise_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, geometry: list[int], needed: list[bool]
) -> tuple[Tensor, Tensor]:
    """Return the gradients of input and weight, empty where they are not needed."""
    stride, padding, dilation = geometry
    needs_x, needs_weight = needed
    gradients = _plan(x, weight, (stride, padding, dilation)).backward(
        gradient.contiguous(memory_format=_LAST),
        x.contiguous(memory_format=_LAST) if needs_weight else None,
        weight.contiguous(),
        needs_x=needs_x,
    )
    of_x, of_weight = (x.new_empty(0) if each is None else each for each in gradients)
    return of_x, of_weight


@depthwise_backward.register_fake
def _(
    _gradient: Tensor, x: Tensor, weight: Tensor, _geometry: list[int], needed: list[bool]
) -> tuple[Tensor, Tensor]:
    needs_x, needs_weight = needed
    of_x = torch.empty_like(x, memory_format=_LAST) if needs_x else x.new_empty(0)
    return of_x, x.new_empty(weight.shape if needs_weight else (0,))


def _keep_depthwise(ctx: Context, inputs: tuple[Any, ...], output: Tensor) -> None:
    del output
    x, weight, *ctx.settings = inputs
    ctx.save_for_backward(x, weight)


def _depthwise_gradients(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
    needed = list(ctx.needs_input_grad[:2])
    gradients = depthwise_backward(gradient, *ctx.saved_tensors, ctx.settings, needed)
    return *(each if need else None for each, need in zip(gradients, needed, strict=True)), None, None, None


depthwise.register_autograd(_depthwise_gradients, setup_context=_keep_depthwise)


@custom_op("nascore_native::pointwise", mutates_args=(), device_types="cpu")
def pointwise(x: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Return the convolution of single pixels of a case that the library supports."""
    x, weight = x.contiguous(memory_format=_LAST), weight.contiguous()
    return _pointwise_plan(x, weight, groups).forward(x, weight)


@pointwise.register_fake
def _(x: Tensor, weight: Tensor, _groups: int) -> Tensor:
    shape = x.shape[0], weight.shape[0], *x.shape[2:]
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=_LAST)


def _pointwise_plan(x: Tensor, weight: Tensor, groups: int) -> Plan:
    library.table(x.dtype)
    found = convolutions.pointwise_plan(x.shape, weight.shape, x.dtype, groups)
    if found is None or weight.dtype != x.dtype:
        raise ValueError(
            f"nascore_native::pointwise has no kernel for x {list(x.shape)}, weight {list(weight.shape)} and "
            f"{groups} groups; nascore_native.pointwise computes every case"
        )
    return found


@custom_op("nascore_native::pointwise_backward", mutates_args=(), device_types="cpu")
def pointwise_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, groups: int, needed: list[bool]
) -> tuple[Tensor, Tensor]:
    """Return the gradients of input and weight, empty where they are not needed."""
    needs_x, needs_weight = needed
    gradients = _pointwise_plan(x, weight, groups).backward(
        gradient.contiguous(memory_format=_LAST),
        x.contiguous(memory_format=_LAST) if needs_weight else None,
        weight.contiguous(),
        needs_x=needs_x,
    )
    of_x, of_weight = (x.new_empty(0) if each is None else each for each in gradients)
    return of_x, of_weight


@pointwise_backward.register_fake
def _(
    _gradient: Tensor, x: Tensor, weight: Tensor, _groups: int, needed: list[bool]
) -> tuple[Tensor, Tensor]:
    needs_x, needs_weight = needed
    of_x = torch.empty_like(x, memory_format=_LAST) if needs_x else x.new_empty(0)
    return of_x, x.new_empty(weight.shape if needs_weight else (0,))


def _keep_pointwise(ctx: Context, inputs: tuple[Any, ...], output: Tensor) -> None:
    del output
    x, weight, ctx.settings = inputs
    ctx.save_for_backward(x, weight)


def _pointwise_gradients(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
    needed = list(ctx.needs_input_grad[:2])
    gradients = pointwise_backward(gradient, *ctx.saved_tensors, ctx.settings, needed)
    return *(each if need else None for each, need in zip(gradients, needed, strict=True)), None


pointwise.register_autograd(_pointwise_gradients, setup_context=_keep_pointwise)


@custom_op("nascore_native::norm_relu", mutates_args=(), device_types="cpu")
def norm_relu(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return the ReLU of the normalised x, and the scale and shift [2, C] that normalise it."""
    return norms.forward(x.contiguous(memory_format=_LAST), eps)


@norm_relu.register_fake
def _(x: Tensor, _eps: float) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x, memory_format=_LAST), x.new_empty(2, x.shape[1])


@custom_op("nascore_native::norm_relu_backward", mutates_args=(), device_types="cpu")
def norm_relu_backward(gradient: Tensor, x: Tensor, affine: Tensor) -> Tensor:
    """Return the gradient of x."""
    return norms.backward(gradient.contiguous(memory_format=_LAST), x.contiguous(memory_format=_LAST), affine)


@norm_relu_backward.register_fake
def _(_gradient: Tensor, x: Tensor, _affine: Tensor) -> Tensor:
    return torch.empty_like(x, memory_format=_LAST)


def _keep_norm(ctx: Context, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(inputs[0], output[1])
    ctx.mark_non_differentiable(output[1])


def _norm_gradients(ctx: Context, gradient: Tensor, _: Tensor) -> tuple[Tensor, None]:
    return norm_relu_backward(gradient, *ctx.saved_tensors), None


norm_relu.register_autograd(_norm_gradients, setup_context=_keep_norm)


@custom_op("nascore_native::mixed_sum", mutates_args=(), device_types="cpu")
def mixed_sum(
    terms: list[Tensor],
    weights: Tensor,
    normed: list[bool],
    eps: float,
    alike: bool,  # noqa: FBT001 - operators of torch take their arguments by position
) -> tuple[Tensor, Tensor]:
    """Return the weighted sum, and the scale and shift [K, 2, C] that normalise the terms."""
    ordered = [term.contiguous(memory_format=_LAST) for term in terms]
    return sums.forward(ordered, weights, tuple(normed), eps, alike=alike)


@mixed_sum.register_fake
def _(
    terms: list[Tensor],
    _weights: Tensor,
    _normed: list[bool],
    _eps: float,
    _alike: bool,  # noqa: FBT001 - operators of torch take their arguments by position
) -> tuple[Tensor, Tensor]:
    first = terms[0]
    affine = first.new_empty(len(terms), 2, first.shape[1])
    return torch.empty_like(first, memory_format=_LAST), affine


@custom_op("nascore_native::mixed_sum_backward", mutates_args=(), device_types="cpu")
def mixed_sum_backward(
    gradient: Tensor,
    saved: list[Tensor],
    normed: list[bool],
    needed: list[bool],
    alike: bool,  # noqa: FBT001 - operators of torch take their arguments by position
) -> list[Tensor]:
    """Return the gradients of the weights and of each term, empty where they are not needed.

    Args:
        gradient: That of the sum.
        saved: The weights, the scales and shifts of the forward pass, and the terms.
        normed: As in the forward pass.
        needed: Whether the weights, and each term, need a gradient.
        alike: As in the forward pass.
    """
    weights, affine, *terms = saved
    ordered = [weights, affine, *(term.contiguous(memory_format=_LAST) for term in terms)]
    gradient = gradient.contiguous(memory_format=_LAST)
    gradients = sums.backward(gradient, ordered, tuple(normed), needed, alike=alike)
    return [gradient.new_empty(0) if each is None else each for each in gradients]


@mixed_sum_backward.register_fake
def _(
    _gradient: Tensor,
    saved: list[Tensor],
    _normed: list[bool],
    needed: list[bool],
    _alike: bool,  # noqa: FBT001 - operators of torch take their arguments by position
) -> list[Tensor]:
    weights, _, *terms = saved
    needs_weights, *needs_terms = needed
    gradients = [
        torch.empty_like(term, memory_format=_LAST) if need else term.new_empty(0)
        for term, need in zip(terms, needs_terms, strict=True)
    ]
    return [weights.new_empty(weights.shape if needs_weights else (0,)), *gradients]


def _keep_mixed(ctx: Context, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    terms, weights, normed, _, alike = inputs
    ctx.settings = normed, alike
    ctx.save_for_backward(weights, output[1], *terms)
    ctx.mark_non_differentiable(output[1])


def _mixed_gradients(ctx: Context, gradient: Tensor, _: Tensor) -> tuple[Any, ...]:
    needs_terms, needs_weights, *_ignored = ctx.needs_input_grad
    needed = [needs_weights, *needs_terms]
    normed, alike = ctx.settings
    found = mixed_sum_backward(gradient, list(ctx.saved_tensors), normed, needed, alike)
    of_weights, *of_terms = (each if need else None for each, need in zip(found, needed, strict=True))
    return of_terms, of_weights, None, None, None


mixed_sum.register_autograd(_mixed_gradients, setup_context=_keep_mixed)
