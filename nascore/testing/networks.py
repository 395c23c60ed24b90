"""Runs and trains networks of a description, for the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import torch
from attrs import Factory, define, evolve
from torch.nn import functional

from nascore.builtin.components import SoftmaxSettings, TinySettings
from nascore.builtin.relaxations import Softmax
from nascore.builtin.spaces import Tiny
from nascore.contract import DataFacts, StepReport
from nascore.description import expand
from nascore.engine.data import Batches
from nascore.engine.phase import Phase, Search
from nascore.engine.streams import Streams
from nascore.nn import ArchitectureState, Examples
from nascore.nn import compile as compiled
from nascore.nn.compiler import build
from nascore.testing.choices import generator
from nascore.testing.part import PartConformance, seeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from nascore.contract import Demand, Gradients, Horizon
    from nascore.description import Catalogue, Description, Op, Wire
    from nascore.nn import Network


IMAGES = 2
RATE = 0.05


def forwarded(description: Description, catalogue: Catalogue, kind: DataFacts) -> Tensor:
    """Return what the network gives for a few images of random numbers, in training.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        kind: What the images are like.
    """
    with seeded(), torch.no_grad():
        network = compiled(description, catalogue, execution="fused").train()
        images = torch.rand(IMAGES, kind.channels, kind.height, kind.width)
        return _logits(network, images, _even(network) if description.is_open else None)


def one_step(
    description: Description, catalogue: Catalogue, kind: DataFacts
) -> tuple[float, float, dict[str, Tensor]]:
    """Make one step of gradient descent on the weights of a supernet with an even mixture.

    Returns:
        The loss before and after it, and by group the gradient of the mixture [E, O].
    """
    with seeded():
        network = compiled(description, catalogue, execution="fused").train()
    images = torch.rand(IMAGES, kind.channels, kind.height, kind.width, generator=generator(0))
    labels = torch.arange(IMAGES) % kind.classes
    mixture = {name: weights.requires_grad_() for name, weights in _even(network).items()}
    weights = list(network.parameters())

    def loss() -> Tensor:
        # What the network draws itself is no difference between the two losses.
        with seeded():
            return functional.cross_entropy(_logits(network, images, mixture), labels)

    before = loss()
    found = torch.autograd.grad(before, [*weights, *mixture.values()], allow_unused=True)
    with torch.no_grad():
        for weight, slope in zip(weights, found, strict=False):
            if slope is not None:
                weight.sub_(RATE * slope)
        after = loss()
    slopes = (
        torch.zeros_like(leaf) if slope is None else slope
        for leaf, slope in zip(mixture.values(), found[len(weights) :], strict=True)
    )
    return float(before.detach()), float(after), dict(zip(mixture, slopes, strict=True))


def _even(network: Network) -> dict[str, Tensor]:
    return {
        name: torch.full((shape.rows, shape.columns), 1 / shape.columns)
        for name, shape in network.groups.items()
    }


def _logits(network: Network, images: Tensor, mixture: dict[str, Tensor] | None) -> Tensor:
    given = network(images, mixture)
    logits: Tensor = given if isinstance(given, torch.Tensor) else given[0]
    return logits


CLOSE: Final = 1e-5
"""Largest difference of logits that counts as none, as a share of the largest logit, or of 1."""
BATCH_IMAGES: Final = 4
OPEN_GATE: Final = 0.5


def batch_difference(description: Description, catalogue: Catalogue, kind: DataFacts) -> float:
    """Return how much the logits of one image at a time differ from those of a batch of them.

    The network is in evaluation mode, after a pass in training mode in which its norms saw other images. Its
    gates are open.

    Args:
        description: A closed description.
        catalogue: The operations that it may name.
        kind: The kind of the images.

    Returns:
        The largest difference, as a share of the largest logit, or of 1 where all logits are smaller.
    """
    shape = (2 * BATCH_IMAGES, kind.channels, kind.height, kind.width)
    seen, images = torch.rand(shape, generator=generator(0)).chunk(2)
    with seeded(), torch.no_grad():
        network = compiled(description, catalogue)
        for gate in network.gates.values():
            gate.fill_(OPEN_GATE)
        network.train()(seen)
        network.eval()
        together = network(images)
        alone = torch.cat([network(image[None]) for image in images])
    return float((alone - together).abs().max() / together.abs().max().clamp_min(1))


def random_operations(description: Description, catalogue: Catalogue) -> set[Op]:
    """Return the candidates of an open description that draw random numbers in evaluation mode."""
    wires = [wire for state in expand(description, catalogue).states for wire in state.wires if wire.group]
    first = {op: wire for wire in reversed(wires) for op in wire.ops}
    return {op for op, wire in first.items() if _is_random(op, wire, description, catalogue)}


def _is_random(op: Op, wire: Wire, description: Description, catalogue: Catalogue) -> bool:
    x = torch.rand(1, wire.c_in, BATCH_IMAGES, BATCH_IMAGES, generator=generator(0))
    with seeded(), torch.no_grad():
        module = build(op, wire, description, catalogue).eval()
        return not torch.equal(module(x), module(x))


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


class Stepping(PartConformance):
    """What the checks of a trainer share: a short phase, and steps in it.

    Attributes:
        largest: Bounds of settings above it are not tried: they are batches and epochs.
    """

    slot: ClassVar[str] = "trainer"
    largest: ClassVar[float] = 100

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Make all steps of a short phase."""
        phase = self.begun(part, Recorder(rate=0.1), seed=seed)
        reports = self.stepped(part, phase.steps)
        return {**numbers(phase), "losses": torch.tensor([one.loss for one in reports])}

    def begun(self, part: Any, updater: Recorder, *, epochs: int = 2, seed: int = 0) -> Phase:  # noqa: ANN401 - a plugin's class
        """Start a trainer on a short phase.

        Args:
            part: The trainer.
            updater: The updater beside it.
            epochs: Epochs after the warm-up.
            seed: Seed of the phase.
        """
        phase = phase_for(part.demand, self.found().operations(), updater, epochs=epochs, seed=seed)
        part.start(phase)
        return phase

    def stepped(self, part: Any, steps: int) -> list[StepReport]:  # noqa: ANN401 - a plugin's class
        """Make so many steps, each of which has to report itself."""
        reports = [part.step() for _ in range(steps)]
        for number, report in enumerate(reports):
            kind = type(report).__name__
            self.hold(isinstance(report, StepReport), f"returns {kind} of call {number} of step(), no report")
        return reports


def numbers(phase: Phase) -> dict[str, Tensor]:
    """Return a copy of weights, buffers and theta, by name."""
    assert phase.search is not None
    named = {name: value.detach().clone() for name, value in phase.network.state_dict().items()}
    return named | {
        f"theta of {name}": each.detach().clone() for name, each in phase.search.state.theta.items()
    }
