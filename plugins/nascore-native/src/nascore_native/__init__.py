"""Kernels in C++ for nascore on the CPU: convolutions, norm with ReLU, and the sum over candidates.

The library has a plain C interface and no part of torch, so it serves every version of torch. Without it
:data:`AVAILABLE` is false, :data:`REASON` says why, and the functions are composed of torch's own.

The functions are imported on first use, since torch is slow to import and a list of plugins does not need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nascore.api import Execution, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore_native.functions import (
        AVAILABLE,
        REASON,
        NativeKernels,
        depthwise,
        mixed_sum,
        norm_relu,
        pointwise,
        require,
    )

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


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a function or a constant
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("nascore_native.functions"), name)


@hookimpl
def nascore_executions() -> Iterable[Execution]:
    """Yield the execution with the kernels in C++."""
    yield Execution(
        name="native",
        summary="The fused execution with kernels in C++; on other devices it equals fused.",
        build="nascore_native.execution:Native",
        check="nascore_native.execution:unbuilt",
    )
