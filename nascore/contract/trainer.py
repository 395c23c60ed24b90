"""The trainer and the phase that it works on: network, search, batches and random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from attrs import Factory, define

from nascore.contract.values import Horizon

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from torch import Generator, Tensor
    from torch.nn import Module

    from nascore.contract.images import ImageSource
    from nascore.contract.slots import Regularizer, Relaxation, Updater
    from nascore.contract.tasks import Task
    from nascore.contract.tricks import UsedTrick
    from nascore.contract.values import DataFacts, Demand, Gradients, StepReport
    from nascore.nn import ArchitectureState


class Batches(Protocol):
    """An endless sequence of full batches; each epoch is shuffled, and an incomplete last batch is dropped.

    Attributes:
        examples: The images, in memory or streamed, and their labels.
        size: Images in a batch.
    """

    examples: ImageSource
    size: int

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        ...

    def next(self) -> tuple[Tensor, Tensor]:
        """Return the next images [B, C, H, W], normalised, and their targets: classes [B] or numbers [B, K].

        With tricks the classes of a training batch may be probabilities [B, classes].
        """
        ...

    def plain(self) -> Iterator[Tensor]:
        """Yield all images once, in batches [B, C, H, W], normalised and without any change."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the order of the current epoch and the position in it."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...

    def close(self) -> None:
        """Stop the processes that read images ahead; a later `next` starts them again."""
        ...


class RepeatedNoise(Protocol):
    """Repeats the random numbers of a pass."""

    def again(self) -> AbstractContextManager[None]:
        """Run a pass: the first one draws from the network's stream, later ones repeat its numbers."""
        ...


class Streams(Protocol):
    """The random numbers of a phase: a generator for each consumer, by name."""

    def __getitem__(self, name: str) -> Generator:
        """Return the generator of this name, on the CPU."""
        ...

    @property
    def noise(self) -> dict[str, Tensor]:
        """States of the network's generators, by device type."""
        ...

    def network(self, replay: dict[str, Tensor] | None = None) -> AbstractContextManager[None]:
        """Make a network that runs inside draw from its own stream.

        Args:
            replay: States from which to draw instead; the stream does not advance then.
        """
        ...

    def repeated(self) -> RepeatedNoise:
        """Return an object whose passes all draw the same random numbers."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all generators that were used, and of the network's generators."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


class Search(Protocol):
    """The architecture state of an open network, and the components that change it.

    Attributes:
        state: Architecture parameters and live entries, by group.
        relaxation: Maps architecture parameters to a mixture.
        updater: Updates the architecture parameters.
        regularizers: Penalties on architecture parameters and mixture, already started.
        progress: The share of the phase's architecture steps that are done, 0 to 1.
        declared: Capabilities that the relaxation declares for its settings.
        stateful: Indices of the regularizers that declare a state.
        reached: Groups whose mixture received a gradient in an architecture step.
        moves: Number of steps of the updater.
    """

    state: ArchitectureState
    relaxation: Relaxation
    updater: Updater
    regularizers: tuple[Regularizer, ...]
    progress: float
    declared: frozenset[str]
    stateful: frozenset[int]
    reached: set[str]
    moves: int

    def annealed(self) -> Relaxation:
        """Return the relaxation as it is now: one that anneals depends on the progress."""
        ...

    def expected(self) -> dict[str, Tensor]:
        """Return the expected mixture of each group, [E, O], without a graph."""
        ...

    def expects(self, name: str, theta: Tensor) -> Tensor:
        """Return the expected mixture of one group, [E, O], differentiable in its theta [E, O]."""
        ...

    def move(self, gradients: Gradients) -> None:
        """Make a step of the updater, which updates theta in place."""
        ...

    def strength(self) -> dict[str, Tensor]:
        """Return the strength of each entry by group [E, O], by which candidates are ranked."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the record of the steps so far, as plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


@define(kw_only=True)
class Phase:
    """The training of one network.

    Attributes:
        name: `search` or `train`.
        network: The network, in training mode and on its device.
        batches: The batches `train`, and `architecture` if the trainer demands halves.
        steps: Number of steps of the phase.
        steps_per_epoch: Number of steps of an epoch.
        warm_up: Number of steps at the beginning without an architecture step.
        streams: The random numbers.
        search: The search; None for a closed network.
        names: Names of the components by slot, for messages.
        group: Prefix of the paths of the settings of weight training, for messages.
        log_every: Number of steps after which the engine reads the tensors of reports; 1 on the CPU, where a
            reading waits for nothing.
        lr_factor: Multiplier of the learning rate of the weights, which a trainer applies in each step: 1, or
            less after the run went back from a loss that was not finite (`--on-nan rewind`).
        tricks: The tricks of the weights step, in the order in which they act, not started.
        facts: The facts of the data set; None: unknown, so that no trick can be used.
        precision: How the network computes in training mode: `float32`, `bf16` or `fp16`. Gradients of fp16
            need a scaled loss.
        task: The task; None: a classification.
    """

    name: str
    network: Module
    batches: Mapping[str, Batches]
    steps: int
    steps_per_epoch: int
    streams: Streams
    warm_up: int = 0
    search: Search | None = None
    names: Mapping[str, str] = Factory(dict)
    group: str = Factory(lambda self: "training" if self.search is None else "trainer", takes_self=True)
    log_every: int = 1
    lr_factor: float = 1.0
    tricks: tuple[UsedTrick, ...] = ()
    facts: DataFacts | None = None
    precision: str = "float32"
    task: Task | None = None

    def progress(self, done: int) -> float:
        """Return how much of the architecture steps is over when so many steps are done, 0 to 1."""
        return min(1.0, max(0, done - self.warm_up) / max(1, self.steps - self.warm_up - 1))

    @property
    def epochs(self) -> int:
        """Number of epochs; the last one may be incomplete."""
        return -(-self.steps // self.steps_per_epoch)

    def horizon(self) -> Horizon:
        """Return how much the updater is going to see: steps of the warm-up are no updates."""
        groups = {} if self.search is None else self.search.state.groups
        return Horizon(
            updates=max(0, self.steps - self.warm_up),
            samples=self.batches["train"].size,
            replicas={name: group.replicas for name, group in groups.items()},
            keep={name: group.enough() for name, group in groups.items()},
        )


class Trainer(Protocol):
    """Makes training steps; the engine owns the loop, and calls `step` for each step of the phase.

    Attributes:
        demand: Epochs, batch size and batches that the engine prepares.
    """

    demand: Demand

    def start(self, phase: Phase) -> None:
        """Begin a phase.

        Before the run a separate object is started as a rehearsal, on blank images and a network of two
        tensors, or the real network if that fails. Settings that are refused here are then refused early.
        """
        ...

    def step(self) -> StepReport:
        """Make one weights step and its architecture step; return the report.

        Loss and accuracy may be tensors, so that the step does not wait for the device.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state of the trainer, as tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of a trainer that was started on the same phase."""
        ...
