"""The random numbers that belong to the user: whether a part draws of them, and putting them back."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

States: TypeAlias = dict[str, bytes]


def states() -> States:
    """Return where the global random numbers of torch, numpy and Python stand."""
    _kind, numbers, place, *_rest = np.random.get_state()  # noqa: NPY002 - the global ones are meant
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": np.asarray(numbers).tobytes() + repr(place).encode(),
        "random": repr(random.getstate()).encode(),
    }


def moved(before: States) -> list[str]:
    """Return whose global random numbers are not where they were, by name."""
    now = states()
    return [name for name, state in before.items() if now[name] != state]


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Begin inside with the same global random numbers each time, and put back what was there.

    So a part that draws of them is found by the check for that, and fails no other.
    """
    torch_was, numpy_was, python_was = (
        torch.get_rng_state(),
        np.random.get_state(),  # noqa: NPY002 - the global ones are meant
        random.getstate(),
    )
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the same
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(torch_was)
        np.random.set_state(numpy_was)  # noqa: NPY002 - the same
        random.setstate(python_was)
