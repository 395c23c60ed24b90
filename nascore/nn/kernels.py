"""The kernels of the fused execution: differentiable functions in which a supernet spends its time.

They are written in torch's own operators, in the formulations that are fastest on a CPU with the memory
layout NHWC (channels last). A plugin can bring other kernels with the same results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import torch
from attrs import frozen
from torch.autograd.function import once_differentiable
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    Slopes = tuple[Tensor | None, ...]

_ATEN: Final = torch.ops.aten

_NARROW: Final = 3
"""Largest width of a kernel whose weight gradient is fast in oneDNN; its height does not matter."""

_PHASES: Final = 2
"""The dilation whose weight gradient is computed in phases."""

_DENSE: Final = 64
"""Number of channels up to which one product of matrices is faster than a convolution in groups."""

_WORTH_SPLITTING: Final = 1 << 14
"""Number of input elements from which the weight gradient of a wide kernel is faster in parts."""


class Context(Protocol):
    """The object that torch hands to both passes of a function.

    Attributes:
        saved_tensors: The tensors that the forward pass saved.
        needs_input_grad: For each argument of the forward pass, whether its gradient is needed.
        settings: The numbers that the forward pass saved.
    """

    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]
    settings: tuple[Any, ...]

    def save_for_backward(self, *tensors: Tensor) -> None:
        """Save tensors for the backward pass."""
        ...


class Kernels(Protocol):
    """The functions of the fused execution; each is differentiable once in its tensors."""

    def depthwise(self, x: Tensor, weight: Tensor, *, stride: int, padding: int, dilation: int) -> Tensor:
        """Return the depthwise convolution of x [B, C, H, W] with weight [C, 1, k, k]."""
        ...

    def pointwise(self, x: Tensor, weight: Tensor, *, groups: int) -> Tensor:
        """Return the 1x1 convolution of x [B, C, H, W] in groups, with weight [D, C / groups, 1, 1]."""
        ...

    def norm_relu(self, x: Tensor, eps: float) -> Tensor:
        """Return the ReLU of x [B, C, H, W], normalised with the statistics of the batch."""
        ...

    def mixed_sum(
        self,
        terms: Sequence[Tensor],
        weights: Tensor,
        normed: Sequence[bool],
        eps: float,
        *,
        alike: bool = False,
    ) -> Tensor:
        """Return the weighted sum of the outputs of candidates, for n edges side by side.

        Args:
            terms: K outputs [B, n * C, H, W]; the channels of the first edge come first.
            weights: The weight of each candidate on each edge [n, K], or also per image [B, n, K].
            normed: For each of the K terms, whether it is normalised with the statistics of the batch first.
            eps: Added to the variances.
            alike: Whether all images have the same weights, and only gradients are per image.
        """
        ...


class TorchKernels:
    """The kernels in torch's operators; they run on every device, in every number type."""

    def depthwise(self, x: Tensor, weight: Tensor, *, stride: int, padding: int, dilation: int) -> Tensor:
        """Return the depthwise convolution of x [B, C, H, W] with weight [C, 1, k, k]."""
        if stride == dilation > 1 and padding % stride == 0:
            # Only every other pixel is read, so this is an ordinary convolution of these pixels.
            x = x[:, :, ::stride, ::stride]
            stride, padding, dilation = 1, padding // dilation, 1
        if x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return functional.conv2d(x, weight, None, stride, padding, dilation, weight.shape[0])
        return cast("Tensor", _Depthwise.apply(x, weight, (stride, padding, dilation)))

    def pointwise(self, x: Tensor, weight: Tensor, *, groups: int) -> Tensor:
        """Return the 1x1 convolution of x [B, C, H, W] in groups, with weight [D, C / groups, 1, 1]."""
        is_dense = groups > 1 and max(weight.shape[0], x.shape[1]) <= _DENSE
        if not is_dense or x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return functional.conv2d(x, weight, None, 1, 0, 1, groups)
        return cast("Tensor", _Pointwise.apply(x, weight, groups))

    def norm_relu(self, x: Tensor, eps: float) -> Tensor:
        """Return the ReLU of x [B, C, H, W], normalised with the statistics of the batch."""
        if not x.numel():
            return functional.relu(functional.batch_norm(x, None, None, training=True, eps=eps))
        return cast("Tensor", _NormRelu.apply(x, eps))

    def mixed_sum(
        self,
        terms: Sequence[Tensor],
        weights: Tensor,
        normed: Sequence[bool],
        eps: float,
        *,
        alike: bool = False,
    ) -> Tensor:
        """Return the weighted sum of the outputs of candidates, for n edges side by side."""
        if not terms[0].numel():
            return sum(terms[1:], terms[0]) * weights.sum()  # empty, with gradients that are zero
        full = [
            term if term.dtype == weights.dtype else term.to(torch.promote_types(term.dtype, weights.dtype))
            for term in terms
        ]
        return cast("Tensor", _MixedSum.apply(weights, (tuple(normed), eps, alike), *full))


class LibraryKernels(TorchKernels):
    """The kernels with convolutions of torch's library on every device, each in one operation."""

    def depthwise(self, x: Tensor, weight: Tensor, *, stride: int, padding: int, dilation: int) -> Tensor:
        """Return the depthwise convolution of x [B, C, H, W] with weight [C, 1, k, k]."""
        return functional.conv2d(x, weight, None, stride, padding, dilation, weight.shape[0])

    def pointwise(self, x: Tensor, weight: Tensor, *, groups: int) -> Tensor:
        """Return the 1x1 convolution of x [B, C, H, W] in groups, with weight [D, C / groups, 1, 1]."""
        return functional.conv2d(x, weight, None, 1, 0, 1, groups)


class _Depthwise(torch.autograd.Function):
    """A depthwise convolution whose gradients avoid the slow paths of oneDNN."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, weight: Tensor, sizes: tuple[int, int, int]) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        ctx.save_for_backward(x, weight)
        ctx.settings = sizes
        return functional.conv2d(x, weight, None, *sizes, weight.shape[0])

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, slope: Tensor) -> Slopes:
        x, weight = ctx.saved_tensors
        slope = slope.contiguous(memory_format=torch.channels_last)
        to_x, to_weight, _ = ctx.needs_input_grad
        return (
            _input_gradient(slope, x, weight, ctx.settings) if to_x else None,
            _weight_gradient(slope, x, weight, ctx.settings) if to_weight else None,
            None,
        )


def _input_gradient(slope: Tensor, x: Tensor, weight: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Return the gradient of the input; `sizes` are stride, padding and dilation."""
    stride, padding, dilation = sizes
    reach = dilation * (weight.shape[2] - 1)
    if stride == 1 and padding <= reach:
        flipped = weight.flip(2, 3)
        return functional.conv2d(slope, flipped, None, 1, reach - padding, dilation, weight.shape[0])
    return _gradients(slope, x, weight, (stride, (padding, padding), dilation), (True, False))[0]


def _weight_gradient(slope: Tensor, x: Tensor, weight: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Return the gradient of the weight; `sizes` are stride, padding and dilation."""
    stride, padding, dilation = sizes
    size = weight.shape[2]
    if stride == 1 and dilation == _PHASES and _splits_into_phases(x, slope, padding):
        # Pixels of one parity meet only each other: four images of half the size.
        return _weight_gradient(_phases(slope), _phases(x), weight, (1, padding // 2, 1))
    if dilation != 1 or size <= _NARROW or x.numel() < _WORTH_SPLITTING:
        return _gradients(slope, x, weight, (stride, (padding, padding), dilation), (False, True))[1]
    parts = []
    for left in range(0, size, _NARROW):
        width = min(_NARROW, size - left)
        # The columns that these taps meet, with zeros where they meet the border; less than 0 crops.
        before = padding - left
        after = (slope.shape[3] - 1) * stride + width - x.shape[3] - before
        part = weight.new_empty(weight.shape[0], 1, size, width)
        seen = functional.pad(x, (before, after))
        parts.append(_gradients(slope, seen, part, (stride, (padding, 0), 1), (False, True))[1])
    return torch.cat(parts, 3)


def _gradients(
    slope: Tensor,
    x: Tensor,
    weight: Tensor,
    sizes: tuple[int, tuple[int, int], int],
    wanted: tuple[bool, bool],
) -> tuple[Tensor, Tensor]:
    """Return the gradients of a depthwise convolution by torch's operator, for input and weight.

    Args:
        slope: Gradient of the output.
        x: Input.
        weight: Weight.
        sizes: Stride, padding of height and of width, dilation.
        wanted: Whether the gradients of input and weight are needed.
    """
    stride, padding, dilation = sizes
    steps, spread, channels = [stride] * 2, [dilation] * 2, weight.shape[0]
    transposed, masks = False, [*wanted, False]
    found = _ATEN.convolution_backward(
        slope, x, weight, None, steps, [*padding], spread, transposed, [0, 0], channels, masks
    )
    return found[0], found[1]


def _splits_into_phases(x: Tensor, slope: Tensor, padding: int) -> bool:
    return padding % 2 == 0 and x.shape == slope.shape and not any(length % 2 for length in x.shape[2:])


def _phases(x: Tensor) -> Tensor:
    """Return the four images of every other pixel of each image, [4 * B, C, H / 2, W / 2]."""
    count, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(count, height // 2, 2, width // 2, 2, channels)
    phases = pixels.permute(2, 4, 0, 1, 3, 5).reshape(4 * count, height // 2, width // 2, channels)
    return phases.permute(0, 3, 1, 2)


class _Pointwise(torch.autograd.Function):
    """A 1x1 convolution in groups as a product of matrices; its groups are blocks on a diagonal."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        blocks = weight.view(groups, weight.shape[0] // groups, -1)
        matrix = weight.new_zeros(groups, blocks.shape[1], groups, blocks.shape[2])
        matrix.diagonal(0, 0, 2).copy_(blocks.permute(1, 2, 0))
        matrix = matrix.view(weight.shape[0], -1)
        pixels = _pixels(x)
        ctx.save_for_backward(pixels, matrix)
        ctx.settings = groups, x.shape, weight.shape
        return _image(pixels @ matrix.t(), x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, slope: Tensor) -> Slopes:
        pixels, matrix = ctx.saved_tensors
        groups, shape, weight_shape = ctx.settings
        slopes = _pixels(slope)
        to_x, to_weight, _ = ctx.needs_input_grad
        to_blocks = None
        if to_weight:
            rows, columns = (size // groups for size in matrix.shape)
            blocks = (slopes.t() @ pixels).view(groups, rows, groups, columns)
            to_blocks = blocks.diagonal(0, 0, 2).permute(2, 0, 1).reshape(weight_shape)
        return _image(slopes @ matrix, shape) if to_x else None, to_blocks, None


def _pixels(x: Tensor) -> Tensor:
    """Return the pixels of images [B, C, H, W] as a matrix [B * H * W, C], without a copy in NHWC."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _image(pixels: Tensor, like: torch.Size) -> Tensor:
    """Return pixels [B * H * W, D] as images [B, D, H, W] in the layout NHWC."""
    count, _, height, width = like
    return pixels.view(count, height, width, pixels.shape[1]).permute(0, 3, 1, 2)


def stacked(weights: Sequence[Tensor]) -> Tensor:
    """Return equal weights [D, ...] of n edges as one [n * D, ...]."""
    return cast("Tensor", _Stacked.apply(*weights))


class _Stacked(torch.autograd.Function):
    """A concatenation whose gradient is split in one operation."""

    @staticmethod
    def forward(ctx: Context, *weights: Tensor) -> Tensor:
        ctx.settings = (len(weights),)
        return torch.cat(weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, slope: Tensor) -> Slopes:
        (count,) = ctx.settings
        return slope.chunk(count)


class _NormRelu(torch.autograd.Function):
    """Batch norm without weights, with the statistics of the batch, and ReLU."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, eps: float) -> Tensor:
        y, mean, scale = _normalise(x, None, eps)
        y.relu_()
        ctx.save_for_backward(x, y, mean, scale)
        ctx.settings = (eps,)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, slope: Tensor) -> Slopes:
        x, y, mean, scale = ctx.saved_tensors
        passed = _ATEN.threshold_backward(slope, y, 0)
        (eps,) = ctx.settings
        return _norm_gradient(passed, _Normed(x, None, mean, scale), eps, (True, False))[0], None


@frozen
class _Normed:
    """Features that are normalised with the statistics of the batch.

    Attributes:
        x: The features.
        weight: The weight of each channel; None: 1.
        mean: The mean of each channel.
        scale: 1 / standard deviation of each channel.
    """

    x: Tensor
    weight: Tensor | None
    mean: Tensor
    scale: Tensor


def _normalise(x: Tensor, weight: Tensor | None, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return x normalised with the statistics of the batch, their mean, and 1 / standard deviation."""
    training, momentum = True, 0.0
    found = _ATEN.native_batch_norm(x, weight, None, None, None, training, momentum, eps)
    return found[0], found[1], found[2]


def _norm_gradient(
    slope: Tensor, of: _Normed, eps: float, wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor]:
    """Return the gradients of a batch norm, for input and weight."""
    statistics, mask = (None, None, of.mean, of.scale), [*wanted, False]
    training = True
    found = _ATEN.native_batch_norm_backward(slope, of.x, of.weight, *statistics, training, eps, mask)
    return found[0], found[1]


class _MixedSum(torch.autograd.Function):
    """The weighted sum of candidates; a norm takes the weight of its candidate as its own weight."""

    @staticmethod
    def forward(
        ctx: Context, weights: Tensor, settings: tuple[tuple[bool, ...], float, bool], *terms: Tensor
    ) -> Tensor:
        normed, eps, alike = settings
        total: Tensor | None = None
        statistics: list[Tensor] = []
        factors = _factors(weights, terms[0].shape[1], alike=alike)
        for factor, term, has_norm in zip(factors, terms, normed, strict=True):
            value, weight = term, cast("Tensor | None", factor)
            if has_norm:
                joint = factor if factor.dim() == 1 else None
                value, *found = _normalise(term, joint, eps)
                statistics += found
                weight = factor if joint is None else None
            total = _add(total, value, weight)
        ctx.save_for_backward(weights, *terms, *statistics)
        ctx.settings = settings
        return cast("Tensor", total)

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, slope: Tensor) -> Slopes:
        normed, eps, alike = ctx.settings
        weights, *saved = ctx.saved_tensors
        terms, statistics = saved[: len(normed)], iter(saved[len(normed) :])
        to_weights, _, *to_terms = ctx.needs_input_grad
        if terms[0].is_contiguous(memory_format=torch.channels_last):
            slope = slope.contiguous(memory_format=torch.channels_last)
        sums = slope.sum((2, 3)) if to_weights and weights.dim() == _PER_IMAGE else None
        found = []
        factors = _factors(weights, slope.shape[1], alike=alike)
        for term, has_norm, factor, to_term in zip(terms, normed, factors, to_terms, strict=True):
            moments = (next(statistics), next(statistics)) if has_norm else None
            term_slope = _TermSlope(slope, term, factor, moments, sums)
            found.append(term_slope.gradients(eps, (to_term, to_weights)))
        to_factors = [to_factor for _, to_factor in found if to_factor is not None]
        return _to_weights(to_factors, weights) if to_weights else None, None, *(each for each, _ in found)


_PER_IMAGE: Final = 3
"""Number of dimensions of weights per image, [B, n, K]."""


def _factors(weights: Tensor, channels: int, *, alike: bool) -> tuple[Tensor, ...]:
    """Return the factor of each of K candidates: by channel [n * C], or also by image [B, n * C, 1, 1]."""
    if weights.dim() == _PER_IMAGE and alike:
        weights = weights[0]
    each = weights.repeat_interleave(channels // weights.shape[-2], -2)
    if each.dim() < _PER_IMAGE:
        return each.t().contiguous().unbind()
    return each.permute(2, 0, 1)[..., None, None].unbind()


def _add(total: Tensor | None, value: Tensor, factor: Tensor | None) -> Tensor:
    """Return the total plus a value times its factor; the total is changed in place."""
    if factor is None:
        return value if total is None else total.add_(value)
    factor = factor[:, None, None] if factor.dim() == 1 else factor
    return value * factor if total is None else total.addcmul_(value, factor)


@frozen
class _TermSlope:
    """The gradient of a sum, and a term of it.

    Attributes:
        slope: The gradient of the sum.
        term: The term.
        factor: Its factor, by channel, or by image and channel.
        moments: Mean and 1 / standard deviation if it is normalised.
        sums: Sum of the slope by image and channel, if the gradient of the factor is needed by image.
    """

    slope: Tensor
    term: Tensor
    factor: Tensor
    moments: tuple[Tensor, Tensor] | None
    sums: Tensor | None

    def gradients(self, eps: float, wanted: tuple[bool, bool]) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of the term and of its factor: by channel, or by image and channel."""
        to_term, to_factor = wanted
        by_image = self._by_image() if to_factor and self.sums is not None else None
        weight, passed = (
            (self.factor, self.slope) if self.factor.dim() == 1 else (None, self.slope * self.factor)
        )
        if self.moments is not None:
            normed = _Normed(self.term, weight, *self.moments)
            to_x, by_channel = _norm_gradient(passed, normed, eps, wanted)
            return to_x if to_term else None, by_channel if by_image is None else by_image
        to_x = passed if weight is None else passed * weight[:, None, None]
        if to_factor and by_image is None:
            by_image = (self.slope * self.term).sum((0, 2, 3))
        return to_x if to_term else None, by_image

    def _by_image(self) -> Tensor:
        products = (self.slope * self.term).sum((2, 3))
        if self.moments is None:
            return products
        mean, scale = self.moments
        assert self.sums is not None
        return (products - mean * self.sums) * scale


def _to_weights(found: Sequence[Tensor], weights: Tensor) -> Tensor:
    """Return the gradient of the weights from those of the factors, each [n * C] or [B, n * C]."""
    stacked = torch.stack(tuple(found), -1)
    edges = weights.shape[-2]
    by_edge = stacked.view(*stacked.shape[:-2], edges, stacked.shape[-2] // edges, -1)
    return by_edge.sum(-2).to(weights.dtype)
