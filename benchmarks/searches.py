"""Sets up searches in the space darts for the benchmarks of speed, in process, without a run around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import asdict, evolve, frozen

import nascore.builtin
import nascore_darts
import nascore_xnas
from nascore.builtin.alternating import Alternating
from nascore.engine.build import build_search
from nascore.engine.phase_factory import search_phase
from nascore.nn.fused import EXECUTIONS
from nascore.plugin import Registry
from nascore.recipe import Request, settled

try:
    import nascore_native
except ImportError:
    nascore_native = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torch import Tensor

    from nascore.builtin.components import AlternatingSettings
    from nascore.engine.api import Batch, Phase
    from nascore.engine.factory import SearchParts
    from nascore.engine.run_context import RunContext

STEPS = 8
"""Steps of an epoch, by the number of images."""

RECOMPUTE = "+recompute"
"""The end of the name of an execution that computes the features inside of cells again."""


@frozen(kw_only=True)
class Size:
    """The size of a search.

    Attributes:
        channels: Channels of the first cell's nodes.
        cells: Number of cells.
        batch: Images of a batch.
        size: Height and width of the images.
        nodes: Nodes of a cell.
    """

    channels: int = 16
    cells: int = 8
    batch: int = 16
    size: int = 32
    nodes: int = 4

    def __str__(self) -> str:
        return f"C{self.channels} L{self.cells} batch {self.batch}, {self.size}x{self.size}"


PAPER = Size()
LAPTOP = Size(channels=4, cells=3, batch=32, size=8)


def add_size(parser: argparse.ArgumentParser) -> None:
    """Add the options of a size to a parser."""
    for name, default in asdict(PAPER).items():
        parser.add_argument(f"--{name}", type=int, help=f"default {default}, or that of --laptop")
    parser.add_argument("--laptop", action="store_true", help=f"the search of a laptop: {LAPTOP}")


def size_of(options: argparse.Namespace) -> Size:
    """Return the size that the options of a command name."""
    named = {name: getattr(options, name) for name in asdict(PAPER)}
    return evolve(
        LAPTOP if options.laptop else PAPER,
        **{name: value for name, value in named.items() if value is not None},
    )


class WeightsSteps(Alternating):
    """The trainer without its architecture steps."""

    def _architecture(self, train: Batch) -> Tensor | None:
        del train
        return None


class ArchitectureSteps(Alternating):
    """The trainer without its weights steps."""

    def _weights(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        return batch[0].new_zeros(()), None


KINDS: Final[Mapping[str, type[Alternating]]] = {
    "weights": WeightsSteps,
    "first": ArchitectureSteps,
    "unrolled": ArchitectureSteps,
    "search": Alternating,
}
"""The trainers by the kind of their steps."""


@frozen(kw_only=True)
class Setup:
    """A search that is about to begin.

    Attributes:
        phase: Its phase.
        parts: Its components; the trainer is not started.
        context: Its run.
    """

    phase: Phase
    parts: SearchParts
    context: RunContext

    @property
    def settings(self) -> AlternatingSettings:
        """The settings of the trainer."""
        trainer = self.parts.trainer
        assert isinstance(trainer, Alternating)
        return trainer.settings

    def trainers(self, kinds: Iterable[str] = KINDS) -> dict[str, Alternating]:
        """Return a trainer for each kind of step, by name; all share one optimizer and are started.

        Args:
            kinds: Some of :data:`KINDS`.
        """
        found: dict[str, Alternating] = {}
        for kind in kinds:
            estimate = "unrolled" if kind == "unrolled" else "first"
            trainer = KINDS[kind](evolve(self.settings, estimate=estimate))
            trainer.start(self.phase)
            # The virtual step of an unrolled estimate reads the momentum of the weights steps.
            trainer.optimizer = next(iter(found.values()), trainer).optimizer
            found[kind] = trainer
        return found


def registry() -> Registry:
    """Return the components that the benchmarks use."""
    native = {} if nascore_native is None else {"native": nascore_native}
    return Registry.of(builtin=nascore.builtin, darts=nascore_darts, xnas=nascore_xnas, **native)


def set_up(  # noqa: PLR0913 - each by name
    folder: Path,
    size: Size,
    execution: str = "fused",
    *,
    updater: str = "darts",
    epochs: int = 50,
    steps: int = STEPS,
    settings: Mapping[str, Any] | None = None,
) -> Setup:
    """Build a search on synthetic images.

    Args:
        folder: The folder of the run; must not exist.
        size: Its size.
        execution: Name of the execution of the network; with :data:`RECOMPUTE` at its end it recomputes.
        updater: Name of the updater.
        epochs: Its epochs.
        steps: Steps of an epoch.
        settings: Further settings, by path.
    """
    values = {
        "space.channels": size.channels,
        "space.cells": size.cells,
        "space.nodes": size.nodes,
        "dataset.size": size.size,
        "dataset.count": 2 * steps * size.batch,
        "trainer.batch": size.batch,
        "ranking.batch": size.batch,
        "trainer.epochs": epochs,
        "trainer.warm_up": 0,
        "trainer.augment": "false",
        "execution.name": execution.removesuffix(RECOMPUTE),
        "execution.recompute": "true" if execution.endswith(RECOMPUTE) else "false",
        **(settings or {}),
    }
    names = {"space": ["darts"], "updater": [updater], "dataset": ["synthetic"]}
    sets = [f"{path}={value}" for path, value in values.items()]
    installed = registry()
    recipe = settled(Request(names=names, sets=sets, scale="mini", run={"device": "cpu"}), installed)
    context, parts = build_search(recipe, installed, out=folder, observers=())
    phase = search_phase(context, parts, context.streams(1))
    return Setup(phase=phase, parts=parts, context=context)


class Images:
    """Batches of images in memory, as a program without nascore keeps them.

    Args:
        size: The size of the batches.
        device: Where the images lie.
        count: Number of images; None: :data:`STEPS` batches.
    """

    def __init__(self, size: Size, device: torch.device, count: int | None = None) -> None:
        count = count or STEPS * size.batch
        self.images = torch.randn(count, 3, size.size, size.size).to(device)
        self.labels = (torch.arange(count) % 10).to(device)
        self.batch = size.batch

    def next(self) -> Batch:
        """Return images [B, 3, H, W] at random, and their classes [B]."""
        chosen = torch.randint(len(self.labels), (self.batch,), device=self.labels.device)
        return self.images[chosen], self.labels[chosen]


def executions(names: str) -> list[str]:
    """Return the executions of a text with commas; those of the core if it is empty.

    Raises:
        SystemExit: One does not exist.
    """
    known = registry().executions()
    chosen = [name for name in names.split(",") if name] or list(EXECUTIONS)
    unknown: Iterable[str] = [name for name in chosen if name.removesuffix(RECOMPUTE) not in known]
    if unknown:
        raise SystemExit(f"no execution {', '.join(unknown)}; there are {', '.join(known)}")
    return chosen
