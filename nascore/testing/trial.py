"""Small groups and gradients on which updaters are tried."""

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
"""Images in a batch."""

UPDATES = 8
"""Steps to the horizon."""


@define(kw_only=True)
class Trial:
    """An updater that was started on a state.

    Attributes:
        updater: The updater.
        state: All that is known of the choices.
    """

    updater: Any
    state: ArchitectureState

    def step(self, slopes: Mapping[str, Tensor]) -> object:
        """Make one step, as the engine does: none where the updater follows nothing.

        Returns:
            What the updater returns, which is to be None.
        """
        if self.updater.gradient is None:
            return None
        given: object = self.updater.step(self.state, self.gradients(slopes))
        return given

    def steps(self, slopes: Mapping[str, Tensor], count: int) -> None:
        """Make so many steps on a loss that is linear in the mixture."""
        for _ in range(count):
            self.step(slopes)

    def varied(self, seed: int, steps: Iterable[int]) -> None:
        """Make steps on slopes whose signs and sizes change.

        Args:
            seed: Of the sequence of slopes.
            steps: Which of them, from 0.
        """
        for number in steps:
            self.step(varying(self.state.groups, seed, number))

    def gradients(
        self, slopes: Mapping[str, Tensor], penalty: Mapping[str, Tensor] | None = None
    ) -> Gradients:
        """Return gradients as the updater asks for them.

        Args:
            slopes: By group [E, O], of the mean loss.
            penalty: The same of the penalties.
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
        """Return the softmax of theta over what is alive."""
        return {
            name: segment_softmax(theta.detach(), self.state.segments(name))
            for name, theta in self.state.theta.items()
        }

    def strength(self) -> dict[str, Tensor]:
        """Return what deriving would rank by."""
        return {
            name: value.detach().clone()
            for name, value in self.updater.strength(self.state, self.expected()).items()
        }

    def theta(self) -> dict[str, Tensor]:
        """Return a copy of theta."""
        return {name: value.detach().clone() for name, value in self.state.theta.items()}

    def alive(self) -> dict[str, Tensor]:
        """Return a copy of what is alive."""
        return {name: value.clone() for name, value in self.state.alive.items()}

    def outcome(self) -> dict[str, Tensor]:
        """Return theta, what is alive and the strength, by names for error texts."""
        kinds = {"theta": self.theta(), "alive": self.alive(), "strength": self.strength()}
        return {f"{kind} of {name}": value for kind, all_ in kinds.items() for name, value in all_.items()}

    def _each(self, name: str, slope: Tensor) -> Tensor:
        # The engine gives the derivative of the sum over images, by use: all uses together make the slope.
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
        updater: Freshly built.
        groups: The choices.
        seed: Seeds the generator that it gets.
        updates: The horizon.
        state: The state; None: all alive, theta at zero.
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
