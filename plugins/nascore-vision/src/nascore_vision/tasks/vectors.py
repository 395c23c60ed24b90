"""The common part of tasks whose targets are numbers [N, K]."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from nascore.api import DataFacts, Metric, Score


class Vectors(ABC):
    """The base of tasks whose targets are numbers [N, K]: one output for each.

    Attributes:
        metrics: The metrics; the first one ranks.
    """

    metrics: tuple[Metric, ...]

    def outputs(self, facts: DataFacts) -> int:
        """Return the number of numbers of an image."""
        return len(facts.target_names)

    def target_faults(self, targets: Tensor, facts: DataFacts) -> Iterator[str]:
        """Yield a wrong shape or type, and the names of numbers that are not finite."""
        count = len(facts.target_names)
        if targets.dim() != 2 or targets.shape[1] != count or not count:  # noqa: PLR2004 - images and numbers
            expected = f"numbers [N, {count}] of torch.float32" if count else "numbers [N, K] with names"
            yield f"has targets of shape {tuple(targets.shape)}, not {expected}"
            return
        for name, column in zip(facts.target_names, targets.unbind(1), strict=True):
            if not bool(torch.isfinite(column).all()):
                yield f"has values of {name} that are not finite"

    def meter(self, facts: DataFacts) -> Gathered:
        """Return a meter that gathers all outputs and measures them at the end."""
        return Gathered(self, facts)

    @abstractmethod
    def measured(self, outputs: Tensor, targets: Tensor, facts: DataFacts) -> tuple[Score, ...]:
        """Return the score of each metric for all outputs [N, K] and targets [N, K]."""


class Gathered:
    """Gathers the outputs of a network and their targets, on the CPU."""

    def __init__(self, task: Vectors, facts: DataFacts) -> None:
        self._task = task
        self._facts = facts
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch."""
        self._outputs.append(outputs.detach().cpu())
        self._targets.append(targets.cpu())

    def scores(self) -> tuple[Score, ...]:
        """Return the score of each metric over all batches."""
        return self._task.measured(torch.cat(self._outputs), torch.cat(self._targets), self._facts)
