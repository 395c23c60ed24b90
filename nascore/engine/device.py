"""Where a run computes, and torch's settings for as long as it does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import torch

from nascore.errors import Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator


def device_of(name: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device; `auto` is CUDA where there is one.

    Raises:
        RecipeError: CUDA is asked for, and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        text = "this machine, or this build of torch, has no CUDA."
        raise RecipeError([Problem(path="device", text=text, hint="Write --device cpu.")])
    kind = ("cuda" if available else "cpu") if name == "auto" else name
    return torch.device(kind)


@contextmanager
def computing(threads: int) -> Iterator[None]:
    """Compute inside with this many threads and repeatable convolutions; put back what was set before."""
    before = torch.get_num_threads()
    convolutions = torch.backends.cudnn
    deterministic, benchmark = convolutions.deterministic, convolutions.benchmark
    torch.set_num_threads(threads)
    convolutions.deterministic, convolutions.benchmark = True, False
    try:
        yield
    finally:
        torch.set_num_threads(before)
        convolutions.deterministic, convolutions.benchmark = deterministic, benchmark
