"""The execution of nascore with the kernels in C++."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.api import Problem
from nascore.nn.fused import Fused
from nascore.nn.kernels import TorchKernels
from nascore_native.functions import REASON, depthwise, mixed_sum, norm_relu
from nascore_native.library import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor


def unbuilt() -> Iterable[Problem]:
    """Yield the problem that the kernels are not built, with the reason and the remedy."""
    if REASON:
        yield Problem(path="", text=REASON)


class Kernels(TorchKernels):
    """The kernels in C++ on a CPU, and those of torch for other devices, types and several edges."""

    def depthwise(self, x: Tensor, weight: Tensor, *, stride: int, padding: int, dilation: int) -> Tensor:
        """Return the depthwise convolution of x [B, C, H, W] with weight [C, 1, k, k]."""
        if _computes(x, weight):
            return depthwise(x, weight, stride=stride, padding=padding, dilation=dilation)
        return super().depthwise(x, weight, stride=stride, padding=padding, dilation=dilation)

    def norm_relu(self, x: Tensor, eps: float) -> Tensor:
        """Return the ReLU of x [B, C, H, W], normalised with the statistics of the batch."""
        return norm_relu(x, eps) if _computes(x) else super().norm_relu(x, eps)

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
        if weights.shape[-2] > 1 or alike or not _computes(*terms, weights):
            return super().mixed_sum(terms, weights, normed, eps, alike=alike)
        return mixed_sum(terms, weights.squeeze(-2), normed, eps)


class Native(Fused):
    """The fused execution with the kernels in C++."""

    kernels = Kernels()


def _computes(*tensors: Tensor) -> bool:
    """Return whether the library computes with tensors of this type and device."""
    dtype = tensors[0].dtype
    return dtype in FUNCTIONS and all(each.is_cpu and each.dtype == dtype for each in tensors)
