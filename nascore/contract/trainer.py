"""The trainer and the phase that it works on: network, search, batches and random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from attrs import Factory, define

from nascore.contract.values import Horizon

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from torch import Generator, Tensor
    from torch.nn import Module

    from nascore.contract.slots import Regularizer, Relaxation, Updater
    from nascore.contract.values import Demand, Examples, Gradients, StepReport
    from nascore.nn import ArchitectureState


class Batches(Protocol):
    """An endless sequence of whole batches; each epoch is shuffled anew and its rest is dropped.

    Attributes:
        examples: The images, scaled to 0 to 1, and their labels.
        size: Images in a batch.
    """

    examples: Examples
    size: int

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        ...

    def next(self) -> tuple[Tensor, Tensor]:
        """Return the next images [B, C, H, W], normalised, and their labels [B]."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the order under way and the place in it."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


class RepeatedNoise(Protocol):
    """The same random numbers for every pass of a kind."""

    def again(self) -> AbstractContextManager[None]:
        """Run a pass: the first one draws from the network's stream, later ones draw the same again."""
        ...


class Streams(Protocol):
    """The random numbers of a phase: a generator for each consumer, by name."""

    def __getitem__(self, name: str) -> Generator:
        """Return the generator of this name, on the CPU."""
        ...

    @property
    def noise(self) -> dict[str, Tensor]:
        """States of the generators from which the network draws, by type of device."""
        ...

    def network(self, replay: dict[str, Tensor] | None = None) -> AbstractContextManager[None]:
        """Let a network run inside draw from its own stream.

        Args:
            replay: Draw from here on instead, and leave the stream where it is.
        """
        ...

    def repeated(self) -> RepeatedNoise:
        """Return passes that all draw the same random numbers for the network."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every generator that was used, and of the network's."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


class Search(Protocol):
    """The choices of an open network, and the parts that make them.

    Attributes:
        state: Architecture parameters and what is alive, by group.
        relaxation: Maps architecture parameters to a mixture.
        updater: Moves the architecture parameters.
        regularizers: Penalties on architecture parameters and mixture, already started.
        progress: The share of the phase's architecture steps that are done, 0 to 1.
        declared: Capabilities that the relaxation declares with its settings.
        stateful: Which regularizers declare that they have a state, by their place.
        reached: Groups whose mixture got a gradient in some architecture step.
        moves: Steps of the updater.
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
        """Return the deterministic mixture, by group [E, O], without a graph."""
        ...

    def expects(self, name: str, theta: Tensor) -> Tensor:
        """Return the deterministic mixture [E, O] of one group."""
        ...

    def move(self, gradients: Gradients) -> None:
        """Let the updater make its step."""
        ...

    def strength(self) -> dict[str, Tensor]:
        """Return by group [E, O] what deriving ranks by."""
        ...


@define(kw_only=True)
class Phase:
    """One training of one network.

    Attributes:
        name: `search` or `train`.
        network: The network, in training mode and on its device.
        batches: `train`, and `architecture` where the trainer demands halves.
        steps: Steps of the whole phase.
        steps_per_epoch: Steps of an epoch.
        warm_up: Steps at the beginning without an architecture step.
        streams: The random numbers.
        search: The choices; None while the network is closed.
        names: By slot the names of the parts that take part, for messages.
        group: What the paths of the settings begin with that weights are trained by, for messages.
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

    def progress(self, done: int) -> float:
        """Return how much of the architecture steps is over when so many steps are done, 0 to 1."""
        return min(1.0, max(0, done - self.warm_up) / max(1, self.steps - self.warm_up - 1))

    @property
    def epochs(self) -> int:
        """Number of epochs, the last of which may be short."""
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
    """A stepper; the engine owns the loop, and calls `step` as often as the phase has steps.

    Attributes:
        demand: What the engine is to prepare.
    """

    demand: Demand

    def start(self, phase: Phase) -> None:
        """Begin a phase.

        An object of its own is started before the run too, on blank images and, if that is enough for it, a
        network of two tensors: settings that are refused here are refused then.
        """
        ...

    def step(self) -> StepReport:
        """Make one weights step and the architecture step that goes with it."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all state of its own, as tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state of a trainer that was started on the same phase."""
        ...
