"""Estimates the memory of images, weights and training steps from shapes, before anything is allocated."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from nascore.description import expand
from nascore.engine.device import device_for
from nascore.engine.factory import FLOAT, Step, build_component
from nascore.engine.mixture import draw, fixed_draw
from nascore.engine.phase_factory import ArchitectureSearch, initial_state
from nascore.engine.streams import Streams
from nascore.errors import SMALLER, Problem, RecipeError
from nascore.nn.costs import activations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts
    from nascore.description import Catalogue, Description
    from nascore.recipe import Recipe

MOST_COUNTED: Final = 50
"""Architectures whose costs are counted one by one; for more, the extremes of the space represent all."""

COPIES_OF_WEIGHTS: Final = 3
"""The weights, their gradient, and the momentum."""


GIB: Final = 2**30


_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Files in which Linux reports the memory limit of a container."""


_USED: Final = dict(
    zip(
        _LIMITS,
        ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        strict=True,
    )
)
"""By such a file, the file in which Linux reports the memory that the container uses."""


def available_memory() -> int | None:
    """Return the largest number of bytes that this process can use; None if the system does not report it."""
    return min(_known(), default=None)


def total_and_free(device: torch.device) -> tuple[int | None, int | None]:
    """Return the total and the free bytes of memory of a device; None if unknown."""
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
    with suppress(AttributeError, OSError, ValueError):  # not available on every system
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in _LIMITS:
        with suppress(OSError, ValueError):  # `max` if there is no limit
            yield int(Path(name).read_text(encoding="ascii"))


def image_bytes(facts: DataFacts, *, test: bool = False) -> int:
    """Return the bytes of the training images in memory, and of the test images if `test` is set."""
    count = facts.train + facts.test if test else facts.train
    size = 1 if facts.dtype == "uint8" else FLOAT
    return count * facts.channels * facts.height * facts.width * size


def check_images(facts: DataFacts) -> None:
    """Refuse images that take more than the memory of this machine; streamed images never do.

    Raises:
        RecipeError: They take more; the text names both sizes.
    """
    if facts.streamed:
        return
    size, available = image_bytes(facts), available_memory()
    if available is not None and size > available:
        needed = f"{_images(facts)} take {format_bytes(size)}"
        text = f"{needed}, and this machine has {format_bytes(available)} of memory."
        hint = "Set fewer images, or smaller ones."
        raise RecipeError([Problem(path="dataset", text=text, hint=hint, slots=("dataset",))])


def image_memory_warnings(facts: DataFacts, *, test: bool) -> Iterator[str]:
    """Yield a warning if the images take more than the memory of this machine."""
    size, available = image_bytes(facts, test=test), available_memory()
    if available is not None and size > available and not facts.streamed:
        tested = f" and {facts.test:,} test images" if test else ""
        taken = f"{format_bytes(size)} of {format_bytes(available)} of memory"
        yield f"has {_images(facts)}{tested}, which take {taken}"


def check_weights(params: int) -> None:
    """Refuse a network whose weights, gradients and momentum take more than the memory of this machine.

    Raises:
        RecipeError: They take more; the text names both sizes.
    """
    size, available = params * FLOAT * COPIES_OF_WEIGHTS, available_memory()
    if available is not None and size > available:
        needed = f"{params:,} weights take {format_bytes(size)} in training"
        text = f"{needed}, and this machine has {format_bytes(available)} of memory."
        raise RecipeError([Problem(path="space", text=text, hint=SMALLER)])


def _images(facts: DataFacts) -> str:
    return f"{facts.train:,} training images of {facts.channels}x{facts.height}x{facts.width}"


def format_bytes(size: int) -> str:
    """Return a number of bytes as text: ``1.5 GiB``."""
    return f"{size / GIB:,.1f} GiB"


CERTAIN: Final = 0.5
"""Share of the estimate that a step needs for certain: the estimate may be up to twice the need."""


def search_step_memory(
    recipe: Recipe, description: Description, batch: int, facts: DataFacts, catalogue: Catalogue
) -> Step:
    """Return the memory of a search step, without the candidates that a first draw does not run."""
    recompute = recipe.run.execution.recompute
    numbers = max(
        activations(description, catalogue, (facts.height, facts.width), runs, recompute=recompute)
        for runs in _runs(recipe, description)
    )
    return Step(batch=batch, numbers=numbers, smaller="space.channels or space.cells", recompute=recompute)


def training_step_memory(
    recipe: Recipe, descriptions: Sequence[Description], facts: DataFacts, catalogue: Catalogue
) -> dict[str, Step]:
    """Return the memory of the largest step of closed networks, by the path of its batch setting."""
    image = (facts.height, facts.width)
    recompute = recipe.run.execution.recompute
    counts = (activations(one, catalogue, image, recompute=recompute) for one in descriptions[:MOST_COUNTED])
    group = recipe.training_group
    step = Step(
        batch=recipe.training.batch,
        numbers=max(counts, default=0),
        smaller=f"{group}.channels or {group}.cells",
        recompute=recompute,
    )
    return {f"{group}.batch": step}


def check_memory(steps: Mapping[str, Step], device: torch.device) -> None:
    """Refuse steps that need more than the memory of the device.

    Args:
        steps: Steps by the path of their batch setting.
        device: The device that computes them.

    Raises:
        RecipeError: A step needs more; the hint names the batch that fits.
    """
    total, _ = total_and_free(device)
    problems = [
        Problem(
            path=path, text=f"{_need(step)}, and the device has {format_bytes(total)}.", hint=step.hint(total)
        )
        for path, step in steps.items()
        if total is not None and step.size * CERTAIN > total
    ]
    if problems:
        raise RecipeError(problems)


def with_memory_warnings(recipe: Recipe, steps: Mapping[str, Step]) -> Recipe:
    """Return the recipe with a warning for each step that needs more memory than is free now.

    Args:
        recipe: A settled recipe, which names the device.
        steps: Steps by the path of their batch setting.
    """
    return recipe.with_warnings(recipe.with_origins(_memory_warnings(steps, device_for(recipe))))


def _memory_warnings(steps: Mapping[str, Step], device: torch.device) -> Iterator[Problem]:
    _, free = total_and_free(device)
    for path, step in steps.items():
        if free is not None and step.size > free:
            available = f"{format_bytes(free)} are free"
            text = f"{_need(step)}, and {available}: the system may end the run without a message."
            yield Problem(path=path, text=text, hint=step.hint(free), verdict="warned")


def _need(step: Step) -> str:
    size = format_bytes(step.size)
    return f"a step on {step.batch:,} images keeps about {size} of memory for its backward pass"


def _runs(recipe: Recipe, description: Description) -> list[Mapping[str, Tensor] | None]:
    """Return the candidates that run in a first architecture pass, and in a weights pass, if they differ."""
    try:
        first, fixed = _draws(recipe, description)
    except Exception:  # noqa: BLE001 - an error of a plugin, which the run reports
        return [None]
    same = all(torch.equal(first[name], one) for name, one in fixed.items())
    return [fixed] if same else [first, fixed]


def _draws(recipe: Recipe, description: Description) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    streams = Streams("room")
    relaxation, updater = build_component(recipe, "relaxation"), build_component(recipe, "updater")
    state = initial_state(expand(description).layouts, relaxation, streams)
    declared = recipe.part("relaxation").provides
    search = ArchitectureSearch(state=state, relaxation=relaxation, updater=updater, declared=declared)
    fixed = fixed_draw(search, streams).runs
    # An updater without a gradient has no architecture pass.
    return fixed if updater.gradient is None else draw(search, streams, 1).runs, fixed
