"""The kit's access to the engine and the parts of the core: small searches, phases, spaces and networks.

No other module of the kit imports :mod:`nascore.engine` or :mod:`nascore.builtin`, so that a change of the
engine affects this module alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from attrs import define, evolve

from nascore.builtin.components import PlantedSpaceSettings, SoftmaxSettings, TinySettings
from nascore.builtin.relaxations import Softmax
from nascore.builtin.spaces import Planted, Tiny
from nascore.contract import DataFacts, Demand, Phase, WeightSettings
from nascore.description import derive, draw_picks, expand
from nascore.engine.batches import Batches
from nascore.engine.build import build_search
from nascore.engine.checkpoint import capture, restore
from nascore.engine.derive import picks_of
from nascore.engine.device import computing
from nascore.engine.loop import run_phase
from nascore.engine.observers import copied, untouched
from nascore.engine.phase_factory import ArchitectureSearch, build_phase, search_phase
from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.engine.search import search
from nascore.engine.streams import Streams
from nascore.engine.tricks import evaluated_network
from nascore.engine.weight_step import Supervised
from nascore.engine.workers import Reader, read_batches
from nascore.nn import ArchitectureState, Examples
from nascore.nn import compile as compiled
from nascore.nn.randomness import redirect_draws
from nascore.recipe import Request, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import Search, StreamedExamples, Trainer, Updater, UsedTrick
    from nascore.description import Catalogue, Description, Pick
    from nascore.engine.run_context import RunContext
    from nascore.nn import Network
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

__all__ = [
    "Phase",
    "ReturnCheck",
    "Searching",
    "TrickTraining",
    "capture",
    "copied",
    "describe_value",
    "initial_network",
    "phase_for",
    "planted_space",
    "read_by_workers",
    "restore",
    "search",
    "searched_with",
    "searching",
    "tiny",
    "training_with",
    "untouched",
]


def read_by_workers(examples: StreamedExamples, indices: list[int], workers: int) -> Tensor:
    """Return the images [N, C, H, W] of a streamed data set at some indices, read by workers."""
    pieces = [[index] for index in indices]
    return torch.cat(list(read_batches(Reader(examples), pieces, workers)))


def tiny(facts: DataFacts) -> Description:
    """Return the space `tiny` with its default settings, for data of this kind."""
    return Tiny(TinySettings()).describe(facts)


def planted_space(facts: DataFacts) -> Description:
    """Return the space `planted` with its default settings, for data of this kind."""
    return Planted(PlantedSpaceSettings()).describe(facts)


def initial_network(recipe: Recipe, job: int, description: Description, catalogue: Catalogue) -> Network:
    """Return the network of a job with the weights that the job draws, before it inherits any.

    Args:
        recipe: The recipe of the run.
        job: Number of the job.
        description: A closed description.
        catalogue: The operations that the description may name.
    """
    with Streams(f"{recipe.run.seed}/{job}").initial():
        return compiled(description, catalogue, execution="plain")


JOB = 1
PLANTED_IMAGES = 704
"""Training images: two halves of 11 batches of 32."""


@define(kw_only=True)
class Searching:
    """A search that was built and not started.

    Attributes:
        live: The run.
        phase: The phase.
        trainer: Its trainer, not started.
        description: The open description of the space.
    """

    live: RunContext
    phase: Phase
    trainer: Trainer
    description: Description

    @property
    def search(self) -> Search:
        """The architecture parameters of the phase, and the parts that change them."""
        assert self.phase.search is not None
        return self.phase.search

    def run(self) -> None:
        """Make all steps of the phase."""
        run_phase(self.phase, self.trainer, self.live.observers)

    def picks(self) -> dict[str, list[Pick]]:
        """Return by group the entries that deriving would keep now."""
        return picks_of(self.description, self.search)


def searched_with(
    registry: Registry, names: Mapping[str, str], *, seed: int = 0, sets: tuple[str, ...] = ()
) -> Recipe:
    """Return the recipe of a search at the scale `mini` on the data set `planted`.

    Args:
        registry: The installed components.
        names: The component of a slot, by slot; other slots are filled by wishes and defaults.
        seed: Seed of the run.
        sets: Settings, each as ``PATH=VALUE``.

    Raises:
        RecipeError: The parts do not fit.
    """
    request = Request(
        names={"dataset": ["planted"], **{slot: [name] for slot, name in names.items()}},
        scale="mini",
        run={"seed": seed, "device": "cpu"},
        sets=(f"dataset.count={PLANTED_IMAGES}", *sets),
    )
    return settled(request, registry)


@contextmanager
def searching(
    registry: Registry, names: Mapping[str, str], *, seed: int = 0, sets: tuple[str, ...] = ()
) -> Iterator[Searching]:
    """Build the search of :func:`searched_with` in a temporary folder.

    Raises:
        RecipeError: The parts do not fit.
    """
    recipe = searched_with(registry, names, seed=seed, sets=sets)
    with computing(recipe.run.threads), TemporaryDirectory() as folder:
        live, parts = build_search(recipe, registry, out=Path(folder) / "run", observers=())
        phase = search_phase(live, parts, live.streams(JOB))
        yield Searching(live=live, phase=phase, trainer=parts.trainer, description=parts.description)


SIZE: Final = 6
CLASSES: Final = 3
STEPS_PER_EPOCH: Final = 2


def phase_for(
    demand: Demand,
    catalogue: Catalogue,
    updater: Updater,
    *,
    epochs: int = 2,
    seed: int = 0,
) -> Phase:
    """Return a phase of two steps an epoch on a tiny cell, whose norms keep running statistics.

    Args:
        demand: The demand of the trainer; the phase has a warm-up even if the trainer demands none.
        catalogue: The operations.
        updater: The updater.
        epochs: Epochs after the warm-up.
        seed: Seed of weights, theta and the order of the images.
    """
    streams = Streams(seed)
    facts = _facts(demand)
    description = evolve(tiny(facts), affine=True)
    with streams.initial():
        network = compiled(description, catalogue, execution="fused").train()
    groups = expand(description).layouts
    theta = {
        name: 0.5 * torch.randn(len(one.rows), len(one.ops), generator=streams["theta"])
        for name, one in sorted(groups.items())
    }
    search = ArchitectureSearch(
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
        facts=facts,
        steps_per_epoch=STEPS_PER_EPOCH,
        warm_up=warm_up * STEPS_PER_EPOCH,
        streams=streams,
        search=search,
    )
    updater.start(search.state, phase.horizon(), streams["updater"])
    return phase


@define(kw_only=True)
class TrickTraining:
    """A short training of a closed network with one trick, which was started.

    Attributes:
        phase: The phase.
        trainer: Its trainer.
    """

    phase: Phase
    trainer: Supervised

    def steps(self, count: int | None = None) -> Tensor:
        """Make steps, all by default; returns their losses [N]."""
        reports = [self.trainer.step() for _ in range(self.phase.steps if count is None else count)]
        return torch.tensor([float(one.loss) for one in reports])

    def examples(self, images: Tensor, targets: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Return a batch changed by the trick, whose random numbers come from a generator of this seed."""
        rng = torch.Generator().manual_seed(seed)
        with redirect_draws({"cpu": rng}):
            found: tuple[Tensor, Tensor] = self.phase.tricks[0].trick.examples(images, targets, rng)
        return found

    def transformed(self, image: Tensor, seed: int) -> Tensor:
        """Return an image changed by the trick; see :meth:`examples`."""
        rng = torch.Generator().manual_seed(seed)
        with redirect_draws({"cpu": rng}):
            found: Tensor = self.phase.tricks[0].trick.transform(image, rng)
        return found

    def evaluated(self) -> Module:
        """Return the network that would be evaluated now."""
        return evaluated_network(self.phase)

    def capture(self) -> dict[str, Any]:
        """Return the state of the training, as a checkpoint has it."""
        return capture(self.phase, self.trainer)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Load a state."""
        restore(self.phase, self.trainer, state)


TRICK_SIZE: Final = 8
TRICK_BATCH: Final = 6
TRICK_STEPS: Final = 4
"""Steps of an epoch of a training with a trick."""


def training_with(
    used: UsedTrick, catalogue: Catalogue, *, seed: int = 0, dtype: Literal["uint8", "float32"] = "uint8"
) -> TrickTraining:
    """Start a training of two epochs of a small network, whose norms keep running statistics, with a trick.

    Args:
        used: The trick.
        catalogue: The operations.
        seed: Seed of weights, images' order and tricks.
        dtype: Type of the images.
    """
    count, streams = TRICK_STEPS * TRICK_BATCH, Streams(seed)
    facts = evolve(_facts(Demand(epochs=2, batch=TRICK_BATCH)), channels=3, height=TRICK_SIZE)
    facts = evolve(facts, width=TRICK_SIZE, mean=(0.5,) * 3, std=(0.25,) * 3, train=count, dtype=dtype)
    space = evolve(tiny(facts), affine=True)
    with streams.initial():
        picks = draw_picks(space, Random(0))  # noqa: S311 - nothing secret
        network = compiled(derive(space, picks), catalogue).train()
    numbers = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, TRICK_SIZE, TRICK_SIZE), generator=numbers, dtype=torch.uint8)
    trainer = Supervised(WeightSettings(), Demand(epochs=2, batch=TRICK_BATCH))
    phase = build_phase(
        network,
        {
            "train": Examples(
                images=images if dtype == "uint8" else images / 255, labels=torch.arange(count) % 3
            )
        },
        facts,
        streams,
        trainer,
        name="train",
        tricks=(used,),
    )
    trainer.start(phase)
    return TrickTraining(phase=phase, trainer=trainer)


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
    # Independent of the seed: a saved state belongs to the same images.
    images = torch.rand((count, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(len(part)))
    # The class decides which rows of the image are bright, so that the classes can be learned.
    for label in range(CLASSES):
        images[labels == label, :, 2 * label : 2 * label + 2] += 1
    return Batches(
        Examples(images=images / 2, labels=labels),
        facts,
        size=demand.batch,
        order=streams[f"batches/{part}"],
        noise=streams[f"augment/{part}"] if demand.augment else None,
    )
