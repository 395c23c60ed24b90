"""Estimates the memory that a run takes at least, from shapes, before anything is allocated."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from nascore.engine.factory import FLOAT
from nascore.errors import SMALLER, Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.contract import DataFacts

COPIES_OF_WEIGHTS: Final = 3
"""The weights, their gradient, and the momentum."""


COPIES_OF_IMAGES: Final = 2
"""As the data set gives them, and as they are split."""


GIB: Final = 2**30


_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux says how much a container may take."""


_USED: Final = dict(
    zip(
        _LIMITS,
        ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        strict=True,
    )
)
"""By such a place, where it says how much the container takes."""


def available_memory() -> int | None:
    """Return the bytes of memory that this process can have at most; None where the system does not say."""
    return min(_known(), default=None)


def total_and_free(device: torch.device) -> tuple[int | None, int | None]:
    """Return the bytes of memory where a device computes, and of these the free ones; None: not known."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return total, free
    known = available_memory()
    return known, min([*_free(), *([] if known is None else [known])], default=None)


def _free() -> Iterator[int]:
    with suppress(OSError, ValueError, StopIteration):  # on Linux
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        yield int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024
    for limit, used in _USED.items():
        with suppress(OSError, ValueError):
            yield int(Path(limit).read_text(encoding="ascii")) - int(Path(used).read_text(encoding="ascii"))


def _known() -> Iterator[int]:
    with suppress(AttributeError, OSError, ValueError):  # not on every system
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in _LIMITS:
        with suppress(OSError, ValueError):  # `max` where there is no limit
            yield int(Path(name).read_text(encoding="ascii"))


def image_bytes(facts: DataFacts, *, test: bool = False) -> int:
    """Return the bytes of the training images, with those to test on where they are read too."""
    count = facts.train + facts.test if test else facts.train
    return count * facts.channels * facts.height * facts.width * FLOAT


def check_images(facts: DataFacts) -> None:
    """Refuse images that are more than all memory.

    Raises:
        RecipeError: They are; says how much they take, and how much there is.
    """
    size, there = image_bytes(facts), available_memory()
    if there is not None and size > there:
        text = f"{_images(facts)} take {told(size)}, and this machine has {told(there)} of memory."
        hint = "Set fewer images, or smaller ones."
        raise RecipeError([Problem(path="dataset", text=text, hint=hint, slots=("dataset",))])


def image_memory_warnings(facts: DataFacts, *, test: bool) -> Iterator[str]:
    """Yield it if images, with the copies that are made of them, are more than all memory."""
    size, there = image_bytes(facts, test=test) * COPIES_OF_IMAGES, available_memory()
    if there is not None and size > there:
        taken = f"{told(size)} while they are split, of {told(there)} of memory"
        yield f"has {_images(facts)}, which take {taken}"


def check_weights(params: int) -> None:
    """Refuse a network whose weights, with what training keeps beside them, are more than all memory.

    Raises:
        RecipeError: They are; says how much they take, and how much there is.
    """
    size, there = params * FLOAT * COPIES_OF_WEIGHTS, available_memory()
    if there is not None and size > there:
        taken = f"{params:,} weights take {told(size)} in training"
        text = f"{taken}, and this machine has {told(there)} of memory."
        raise RecipeError([Problem(path="space", text=text, hint=SMALLER)])


def _images(facts: DataFacts) -> str:
    return f"{facts.train:,} training images of {facts.channels}x{facts.height}x{facts.width}"


def told(size: int) -> str:
    """Return a number of bytes in words: ``1.5 GiB``."""
    return f"{size / GIB:,.1f} GiB"
