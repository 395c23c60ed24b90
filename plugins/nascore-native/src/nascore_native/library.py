"""The compiled library: which one fits the processor, and its functions by type."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_bool, c_double, c_int, c_int64, c_uint8, c_void_p
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Protocol

import torch

from nascore_native import compilation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

_INSTALL: Final = "pip install --force-reinstall --no-deps ./plugins/nascore-native"

# What a processor of each kind can run, the fastest first.
FITTING: Final = {"AVX512": ("avx512", "avx2", "default"), "AVX2": ("avx2", "default")}


class Convolution(Structure):
    """The numbers of a convolution, as ``native::Convolution`` in depthwise.h."""

    _fields_ = [
        (name, c_int64)
        for name in (
            "images",
            "channels",
            "height",
            "width",
            "out_height",
            "out_width",
            "kernel",
            "stride",
            "padding",
            "dilation",
        )
    ]


class Mixture(Structure):
    """A weighted sum, as ``native::Mixture`` in mixed.h."""

    _fields_ = (
        ("count", c_int64),
        ("images", c_int64),
        ("pixels", c_int64),
        ("channels", c_int64),
        ("terms", c_void_p),
        ("normed", c_void_p),
        ("weights", c_void_p),
        ("per_image", c_bool),
    )


_ARGUMENTS: Final[dict[str, Sequence[Any]]] = {
    "depthwise_forward": (c_void_p, c_void_p, POINTER(Convolution), c_int, c_void_p),
    "depthwise_backward": (c_void_p, c_void_p, c_void_p, POINTER(Convolution), c_int, c_void_p, c_void_p),
    "norm_relu_forward": (c_void_p, c_int64, c_int64, c_double, c_int, c_void_p, c_void_p),
    "norm_relu_backward": (c_void_p, c_void_p, c_void_p, c_int64, c_int64, c_int, c_void_p),
    "mixed_sum_forward": (POINTER(Mixture), c_double, c_int, c_void_p, c_void_p),
    "mixed_sum_backward": (POINTER(Mixture), c_void_p, c_void_p, c_int, c_int, c_void_p, c_void_p),
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


@cache
def flags(values: tuple[bool, ...]) -> ctypes.Array[c_uint8]:
    """Return an array of bytes that are 0 or 1."""
    return (c_uint8 * len(values))(*values)


def is_plain(*tensors: Tensor) -> bool:
    """Return whether all tensors have numbers in memory that a pointer can point to."""
    return all(type(tensor) in PLAIN for tensor in tensors)


PLAIN: Final = frozenset({torch.Tensor, torch.nn.Parameter})

_path, REASON = find()
FUNCTIONS: Final = {} if _path is None else functions(_path)
"""The functions of the library by the type of the numbers; empty if there is no library."""
