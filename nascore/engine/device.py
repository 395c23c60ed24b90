"""Where a run computes, and torch's settings for as long as it does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import torch

from nascore.component import RUN
from nascore.engine.ambient import ONE_AT_A_TIME, ambient
from nascore.errors import Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.errors import Origin
    from nascore.recipe import Recipe


def device_of(name: Literal["auto", "cpu", "cuda"], origin: Origin | None = None) -> torch.device:
    """Return the device; `auto` is CUDA where there is one.

    Args:
        name: What is asked for.
        origin: Who asked.

    Raises:
        RecipeError: CUDA is asked for, and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        text = "this machine, or this build of torch, has no CUDA."
        hint = "Write --device cpu, or auto for the best there is."
        raise RecipeError([Problem(path="device", text=text, origin=origin, hint=hint)])
    kind = ("cuda" if available else "cpu") if name == "auto" else name
    return torch.device(kind)


def device_for(recipe: Recipe) -> torch.device:
    """Return the device that a recipe asks for.

    Raises:
        RecipeError: CUDA is asked for, and there is none; says who asked for it.
    """
    origins = {path: origin for path, _, origin in recipe.part(RUN).values()}
    return device_of(recipe.run.device, origins.get("device"))


@contextmanager
def computing(threads: int) -> Iterator[None]:
    """Compute inside as a run does, with this many threads; put back what was set before.

    One at a time in a process: another thread waits here until the first is through. What a run needs of
    torch is set as in :func:`nascore.engine.ambient.ambient`.
    """
    with ONE_AT_A_TIME, ambient():
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
