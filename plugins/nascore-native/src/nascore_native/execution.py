"""The execution of nascore with the kernels in C++."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.api import Problem
from nascore.nn.fused import Fused
from nascore_native.functions import REASON, NativeKernels

if TYPE_CHECKING:
    from collections.abc import Iterable


def unbuilt() -> Iterable[Problem]:
    """Yield the problem that the kernels are not built, with the reason and the remedy."""
    if REASON:
        yield Problem(path="", text=REASON)


class Native(Fused):
    """The fused execution with the kernels in C++."""

    kernels = NativeKernels()
    side_by_side = 1 << 18
