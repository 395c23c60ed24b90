"""The compiled library: which one fits the processor, and its functions by type."""

from __future__ import annotations

import ctypes
import warnings
from ctypes import c_double, c_int, c_int64, c_uint8, c_void_p
from functools import cache, wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Protocol

import torch
from torch.autograd.function import once_differentiable

from nascore.nn.kernels import TorchKernels
from nascore_native import compilation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor

    Backward = Callable[["Context", Tensor], tuple[Tensor | None, ...]]

_INSTALL: Final = "pip install --force-reinstall --no-deps ./plugins/nascore-native"

# What a processor of each kind can run, the fastest first.
FITTING: Final = {"AVX512": ("avx512", "avx2", "default"), "AVX2": ("avx2", "default")}


# Pointers, among them those to the numbers of a convolution or sum, are handed over as addresses.
_ARGUMENTS: Final[dict[str, Sequence[Any]]] = {
    "depthwise_forward": (c_void_p, c_void_p, c_void_p, c_int, c_void_p),
    "depthwise_backward": (c_void_p, c_void_p, c_void_p, c_void_p, c_int, c_void_p, c_void_p),
    "pointwise_forward": (c_void_p, c_void_p, c_void_p, c_int, c_void_p),
    "pointwise_backward": (c_void_p, c_void_p, c_void_p, c_void_p, c_int, c_void_p, c_void_p),
    "norm_relu_forward": (c_void_p, c_int64, c_int64, c_double, c_int, c_void_p, c_void_p),
    "norm_relu_backward": (c_void_p, c_void_p, c_void_p, c_int64, c_int64, c_int, c_void_p),
    "mixed_sum_forward": (c_void_p,) * 4 + (c_int, c_double, c_int, c_void_p, c_void_p),
    "mixed_sum_backward": (c_void_p,) * 4 + (c_int, c_void_p, c_void_p, c_int, c_int, c_void_p, c_void_p),
}
_SUFFIXES: Final = {torch.float32: "f32", torch.float64: "f64"}


def find() -> tuple[Path | None, str]:
    """Return the library that fits the processor, or None and the reason."""
    targets = FITTING.get(torch.backends.cpu.get_cpu_capability(), ("default",))
    for target in targets:
        path = compilation.library(target)
        if path.is_file():
            return path, ""
    note = compilation.FOLDER / compilation.NOTE
    if note.is_file():
        cause = note.read_text(encoding="utf-8").strip()
    elif any(compilation.FOLDER.glob("*.so")):
        cause = "they were compiled from an older source"
    else:
        cause = "the installation did not compile them"
    remedy = f"Install a C++ compiler, for example g++, and install again: {_INSTALL}"
    return None, f"The native kernels are not built ({cause}). {remedy}"


def functions(path: Path) -> dict[torch.dtype, SimpleNamespace]:
    """Load a library; return its functions by the type of the numbers."""
    library = ctypes.CDLL(str(path))
    tables = {}
    for dtype, suffix in _SUFFIXES.items():
        table = SimpleNamespace()
        for name, arguments in _ARGUMENTS.items():
            function = getattr(library, f"nascore_{name}_{suffix}")
            function.argtypes = arguments
            function.restype = c_int
            setattr(table, name, function)
        tables[dtype] = table
    return tables


class Context(Protocol):
    """What torch hands to the passes of a function, as far as they use it, with attributes of their own."""

    saved_tensors: tuple[Any, ...]
    needs_input_grad: tuple[Any, ...]
    settings: Any

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for the backward pass."""

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Declare results that have no gradient."""


def table(dtype: torch.dtype) -> SimpleNamespace:
    """Return the functions of the library for a type."""
    found = FUNCTIONS.get(dtype)
    if found is None:
        raise RuntimeError(REASON or f"the native kernels compute float32 and float64, not {dtype}")
    return found


def check(status: int) -> None:
    """Raise MemoryError if a function of the library reports that memory is short."""
    if status:
        raise MemoryError("the native kernels cannot allocate their buffers")


@cache
def pointers(count: int) -> type[ctypes.Array[c_void_p]]:
    """Return the type of an array of pointers."""
    return c_void_p * count


class Integers:
    """Integers of 64 bits, or bytes, in memory that lasts as long as this object."""

    def __init__(self, values: Sequence[int], kind: type[c_int64 | c_uint8] = c_int64) -> None:
        self._array = (kind * len(values))(*values)
        self.address = ctypes.addressof(self._array)


def differentiable_once(function: Backward) -> Backward:
    """Return a backward pass that refuses a second derivative, at no cost where none may follow."""
    refusing = once_differentiable(function)

    @wraps(function)
    def guarded(ctx: Context, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return refusing(ctx, gradient) if torch.is_grad_enabled() else function(ctx, gradient)

    return guarded


@cache
def warn_unbuilt() -> None:
    """Warn once that the functions of torch take the place of the kernels."""
    if REASON:
        warnings.warn(f"{REASON} Until then functions of torch compute the same, slowly.", stacklevel=3)


@cache
def torch_kernels() -> TorchKernels:
    """Return the kernels in torch's operators, for the cases that the library does not compute."""
    return TorchKernels()


PLAIN: Final = frozenset({torch.Tensor, torch.nn.Parameter})
"""The types of tensors whose numbers are in memory, so that their addresses can be handed over."""

_path, REASON = find()
FUNCTIONS: Final = {} if _path is None else functions(_path)
"""The functions of the library by the type of the numbers; empty if there is no library."""
