"""A tiny supernet at work: the phase that a trainer is tried on, and an updater that keeps what it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from attrs import Factory, define, evolve

from nascore.builtin.relaxation import Softmax
from nascore.builtin.settings import SoftmaxSettings, TinySettings
from nascore.builtin.spaces import Tiny
from nascore.contract import DataFacts
from nascore.description import expand
from nascore.engine.batches import Batches
from nascore.engine.phase import Phase, Search
from nascore.engine.streams import Streams
from nascore.nn import ArchitectureState, Examples
from nascore.nn import compile as compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from nascore.contract import Demand, Gradients, Horizon
    from nascore.description import Catalogue

SIZE: Final = 6
CLASSES: Final = 3
STEPS_PER_EPOCH: Final = 2


@define(kw_only=True)
class Recorder:
    """An updater that keeps what it is handed, and descends.

    Attributes:
        gradient: What it follows.
        granularity: Whether per batch or per use and sample.
        rate: Length of its steps; 0: theta stays.
        got: What it was handed, step by step.
    """

    gradient: Literal["theta", "mixture"] | None = "theta"
    granularity: Literal["batch", "sample"] = "batch"
    rate: float = 0.0
    got: list[Gradients] = Factory(list)

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Begin."""

    @torch.no_grad()
    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Keep the gradients, and descend."""
        self.got.append(gradients)
        for name, slope in (gradients.theta or gradients.mixture or {}).items():
            state.theta[name].sub_(self.rate * (slope.sum((0, 1)) if slope.dim() > 2 else slope))  # noqa: PLR2004 - beside [E, O]

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the mixture."""
        del state
        return dict(expected)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: what it keeps is for the one who looks."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over nothing."""


def phase_for(
    demand: Demand,
    catalogue: Catalogue,
    updater: Recorder,
    *,
    epochs: int = 2,
    seed: int = 0,
) -> Phase:
    """Return a phase of two steps an epoch on a tiny cell, whose norms keep running statistics.

    Args:
        demand: What the trainer asks for; the phase has a warm-up even if it asks for none.
        catalogue: The operations.
        updater: How theta moves.
        epochs: Epochs after the warm-up.
        seed: Decides on weights, theta and the order of the images.
    """
    streams = Streams(seed)
    facts = _facts(demand)
    description = evolve(Tiny(TinySettings()).describe(facts), affine=True)
    with streams.initial():
        network = compiled(description, catalogue, execution="fused").train()
    groups = expand(description).layouts
    theta = {
        name: 0.5 * torch.randn(len(one.rows), len(one.ops), generator=streams["theta"])
        for name, one in sorted(groups.items())
    }
    search = Search(
        state=ArchitectureState(groups=groups, theta=theta),
        relaxation=Softmax(SoftmaxSettings()),
        updater=updater,
    )
    warm_up = max(1, demand.warm_up)
    parts = ("train", "architecture") if demand.halves else ("train",)
    phase = Phase(
        name="search",
        network=network,
        batches={part: _batches(part, demand, facts, streams) for part in parts},
        steps=(warm_up + epochs) * STEPS_PER_EPOCH,
        steps_per_epoch=STEPS_PER_EPOCH,
        warm_up=warm_up * STEPS_PER_EPOCH,
        streams=streams,
        search=search,
    )
    updater.start(search.state, phase.horizon(), streams["updater"])
    return phase


def _facts(demand: Demand) -> DataFacts:
    return DataFacts(
        channels=1,
        height=SIZE,
        width=SIZE,
        classes=CLASSES,
        train=STEPS_PER_EPOCH * demand.batch * (2 if demand.halves else 1),
        test=CLASSES,
        mean=(0.5,),
        std=(0.25,),
    )


def _batches(part: str, demand: Demand, facts: DataFacts, streams: Streams) -> Batches:
    count = STEPS_PER_EPOCH * demand.batch
    labels = torch.arange(count) % CLASSES
    # The same whatever the seed: a state belongs to its images.
    images = torch.rand((count, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(len(part)))
    # The class is told by where the image is bright, so that there is something to learn.
    for label in range(CLASSES):
        images[labels == label, :, 2 * label : 2 * label + 2] += 1
    return Batches(
        Examples(images=images / 2, labels=labels),
        facts,
        size=demand.batch,
        order=streams[f"batches/{part}"],
        noise=streams[f"augment/{part}"] if demand.augment else None,
    )
