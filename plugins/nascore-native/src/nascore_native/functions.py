"""The functions of the package; importing them registers the operators of torch."""

from __future__ import annotations

from nascore_native import operators as _operators  # noqa: F401, registers the operators
from nascore_native.convolutions import depthwise, pointwise
from nascore_native.library import FUNCTIONS, REASON
from nascore_native.norms import norm_relu
from nascore_native.sums import mixed_sum

AVAILABLE = bool(FUNCTIONS)
"""Whether the compiled kernels are installed."""


class NativeKernels:
    """The kernels of the fused execution: in C++ where there is one, and else those of torch."""

    depthwise = staticmethod(depthwise)
    pointwise = staticmethod(pointwise)
    norm_relu = staticmethod(norm_relu)
    mixed_sum = staticmethod(mixed_sum)


def require() -> None:
    """Raise RuntimeError with the remedy if the kernels are not built."""
    if not AVAILABLE:
        raise RuntimeError(REASON)


__all__ = [
    "AVAILABLE",
    "REASON",
    "NativeKernels",
    "depthwise",
    "mixed_sum",
    "norm_relu",
    "pointwise",
    "require",
]
