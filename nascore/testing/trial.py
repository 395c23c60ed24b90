"""Small choice groups and gradients for the checks of updaters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from nascore.contract import Gradients, Horizon
from nascore.nn import segment_softmax
from nascore.testing.choices import generator, state_of, varying

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from nascore.description import ChoiceGroup
    from nascore.nn import ArchitectureState

SAMPLES = 4
"""Number of images in a batch."""

UPDATES = 8
"""Number of updates until the horizon."""


@define(kw_only=True)
class Trial:
    """An updater that was started on a state.

    Attributes:
        updater: The updater.
        state: The state of the architecture parameters.
    """

    updater: Any
    state: ArchitectureState

    def step(self, slopes: Mapping[str, Tensor]) -> object:
        """Make one step like the engine, or none if the updater follows no gradient.

        Returns:
            The return value of the updater, which has to be None.
        """
        if self.updater.gradient is None:
            return None
        given: object = self.updater.step(self.state, self.gradients(slopes))
        return given

    def steps(self, slopes: Mapping[str, Tensor], count: int) -> None:
        """Make steps on a loss that is linear in the mixture."""
        for _ in range(count):
            self.step(slopes)

    def varied(self, seed: int, steps: Iterable[int]) -> None:
        """Make steps with slopes whose signs and sizes change.

        Args:
            seed: Seed of the sequence of slopes.
            steps: The numbers of the slopes, from 0.
        """
        for number in steps:
            self.step(varying(self.state.groups, seed, number))

    def gradients(
        self, slopes: Mapping[str, Tensor], penalty: Mapping[str, Tensor] | None = None
    ) -> Gradients:
        """Return gradients in the form that the updater asks for.

        Args:
            slopes: The gradient of the mean loss, by group [E, O].
            penalty: The gradient of the penalties, by group.
        """
        if self.updater.gradient == "theta":
            return Gradients(theta={name: slope.clone() for name, slope in slopes.items()})
        if self.updater.granularity == "batch":
            return Gradients(mixture={name: slope.clone() for name, slope in slopes.items()}, penalty=penalty)
        mixture = {name: self._each(name, slope) for name, slope in slopes.items()}
        if penalty is not None:
            penalty = {name: SAMPLES * slope for name, slope in penalty.items()}
        return Gradients(mixture=mixture, penalty=penalty)

    def expected(self) -> dict[str, Tensor]:
        """Return the softmax of theta over the live entries."""
        return {
            name: segment_softmax(theta.detach(), self.state.segments(name))
            for name, theta in self.state.theta.items()
        }

    def strength(self) -> dict[str, Tensor]:
        """Return the strength by which deriving would rank."""
        return {
            name: value.detach().clone()
            for name, value in self.updater.strength(self.state, self.expected()).items()
        }

    def theta(self) -> dict[str, Tensor]:
        """Return a copy of theta."""
        return {name: value.detach().clone() for name, value in self.state.theta.items()}

    def alive(self) -> dict[str, Tensor]:
        """Return a copy of the masks of live entries."""
        return {name: value.clone() for name, value in self.state.alive.items()}

    def outcome(self) -> dict[str, Tensor]:
        """Return theta, the masks of live entries and the strength, by names for messages."""
        kinds = {"theta": self.theta(), "alive": self.alive(), "strength": self.strength()}
        return {f"{kind} of {name}": value for kind, all_ in kinds.items() for name, value in all_.items()}

    def _each(self, name: str, slope: Tensor) -> Tensor:
        # The engine gives the derivative of the sum over images for each use; all uses sum to the slope.
        uses = self.state.groups[name].replicas
        return (slope / uses).expand(uses, SAMPLES, *slope.shape).clone()


def begun(
    updater: Any,  # noqa: ANN401 - a plugin's class
    groups: Mapping[str, ChoiceGroup],
    *,
    seed: int = 0,
    updates: int | None = UPDATES,
    state: ArchitectureState | None = None,
) -> Trial:
    """Start an updater on groups.

    Args:
        updater: The updater, newly built.
        groups: The choice groups.
        seed: Seed of the generator that the updater gets.
        updates: The number of updates until the horizon; None: unknown.
        state: The initial state; None: theta is zero, and all entries are alive.
    """
    state = state or state_of(groups)
    horizon = Horizon(
        updates=updates,
        samples=SAMPLES,
        replicas={name: one.replicas for name, one in groups.items()},
        keep={name: one.keep for name, one in groups.items()},
    )
    updater.start(state, horizon, generator(seed))
    return Trial(updater=updater, state=state)
