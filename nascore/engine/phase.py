"""A phase: one training of one network, and the values that a trainer can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import Factory, define

from nascore.contract import Horizon
from nascore.engine.returned import Returned, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import Gradients, Regularizer, Relaxation, Updater
    from nascore.description import ChoiceGroup
    from nascore.engine.data import Batches
    from nascore.engine.streams import Streams
    from nascore.nn import ArchitectureState


@runtime_checkable
class Annealing(Protocol):
    """A relaxation whose settings change in the course of a search, such as a temperature that falls."""

    def annealed(self, progress: float) -> Relaxation:
        """Return the relaxation as it is when this share of the architecture steps is over, 0 to 1."""
        ...


@runtime_checkable
class Grouped(Protocol):
    """A relaxation whose mixture depends on which operations a group offers, such as on where `none` is."""

    def within(self, group: ChoiceGroup) -> Relaxation:
        """Return the relaxation for a group."""
        ...


@define(kw_only=True)
class Search:
    """The choices of an open network, and the parts that make them.

    Attributes:
        state: All that is known of the choices.
        relaxation: How theta becomes a mixture.
        updater: How theta moves.
        regularizers: Penalties on theta and mixture, already started.
        progress: How much of the phase's architecture steps is over, 0 to 1.
        selects: Whether the relaxation declares that it says itself what stands.
        reached: Groups whose mixture got a gradient in some architecture step.
        moves: Steps of the updater.
    """

    state: ArchitectureState
    relaxation: Relaxation
    updater: Updater
    regularizers: tuple[Regularizer, ...] = ()
    progress: float = 0.0
    selects: bool = True
    reached: set[str] = Factory(set)
    moves: int = 0

    def relaxing(self, name: str) -> Relaxation:
        """Return the relaxation as it is now for a group: one that anneals depends on the progress.

        Raises:
            PluginError: What it gives as itself, annealed, is no relaxation.
        """
        relaxation = self.relaxation
        if isinstance(relaxation, Annealing):
            returned = Returned(relaxation, "annealed", "relaxation")
            relaxation = returned.relaxation(relaxation.annealed(self.progress))
        return relaxation.within(self.state.groups[name]) if isinstance(relaxation, Grouped) else relaxation

    def expected(self) -> dict[str, Tensor]:
        """Return the deterministic mixture, by group [E, O], without a graph.

        Raises:
            PluginError: The relaxation gives something else.
        """
        thetas = self.state.theta
        return {name: self.expects(name, thetas[name].detach()).detach() for name in sorted(thetas)}

    def expects(self, name: str, theta: Tensor) -> Tensor:
        """Return the deterministic mixture [E, O] of one group.

        Raises:
            PluginError: The relaxation gives something else.
        """
        relaxation = self.relaxing(name)
        given = relaxation.expected(theta, self.state.segments(name))
        return Returned(relaxation, "expected", "relaxation").tensor(given, theta.shape, name)

    def move(self, gradients: Gradients) -> None:
        """Let the updater make its step.

        Raises:
            PluginError: It returns something, or leaves another theta than the one that it was to move.
        """
        returned, theta = Returned(self.updater, "step", "updater"), self.state.theta
        before, memory = dict(theta), {name: value.data_ptr() for name, value in theta.items()}
        self.moves += 1
        given: object = self.updater.step(self.state, gradients)  # type: ignore[func-returns-value]
        due = "theta moved in place, as by state.theta[name].detach().sub_(change), and nothing returned"
        if given is not None:
            raise returned.wrong(shown(given), due)
        now: Mapping[str, object] = self.state.theta
        for name, value in before.items():
            if now.get(name) is not value:
                raise returned.wrong(f"another tensor in the place of theta of {name}", due)
            if value.data_ptr() != memory[name]:
                raise returned.wrong(f"other data behind theta of {name}", due)
            if not value.requires_grad:
                raise returned.wrong(f"a theta of {name} that requires no gradient", due)

    def strength(self) -> dict[str, Tensor]:
        """Return by group [E, O] what deriving ranks by.

        Raises:
            PluginError: The updater gives something else.
        """
        given = self.updater.strength(self.state, self.expected())
        return Returned(self.updater, "strength", "updater").groups(given, self.state.theta)


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
