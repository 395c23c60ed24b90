"""One protocol for each slot but `growth`: the methods that the engine calls on its component.

A component's class is built with one argument, its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Generator, Tensor

    from nascore.contract.images import StreamedExamples
    from nascore.contract.values import (
        Costs,
        DataFacts,
        EpochReport,
        Examples,
        Gradients,
        Horizon,
        Mixture,
        Sampled,
        StepReport,
    )
    from nascore.description import ChoiceGroup, Description, Pick
    from nascore.nn import ArchitectureState


class Space(Protocol):
    """A search space. The groups of its description contain the rule for deriving an architecture."""

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description for data of this kind."""
        ...


class Dataset(Protocol):
    """Images and labels. The engine splits, shuffles, augments and normalises."""

    facts: DataFacts

    def train(self) -> Examples | StreamedExamples:
        """Return the training images with their labels: floats from 0 to 1 or uint8, not normalised.

        Images that fit in memory are :class:`~nascore.nn.Examples`; others are a map-style
        `torch.utils.data.Dataset` with the attribute `targets`, see :class:`StreamedExamples`.
        """
        ...

    def test(self) -> Examples | StreamedExamples:
        """Return the test images in the same form. The engine reads them once and records each reading."""
        ...


class FromFiles(Protocol):
    """A data set that declares `files`: its images come from files."""

    def files(self) -> Mapping[str, Any]:
        """Return the facts of the files, as values for JSON.

        `sizes` is a list of `width`, `height` and the number of `images` of that size before resizing;
        `skipped` is a list of the files that were left out, each with the reason.
        """
        ...


class Relaxation(Protocol):
    """Maps theta to a mixture. It has settings but no state.

    Optional methods are declared as capabilities: `anneals` (:class:`Annealing`), `selects`
    (:class:`Selecting`), `pools` (:class:`Pooling`).

    Three arguments describe a choice group: `theta` [E, O]; `segments` [E, O], the number of the competition
    that an entry takes part in, -1 where it is masked or dead; and `group`, its rows, operations and nodes.

    Attributes:
        segment: Whether the operations of an edge or of a node compete; None: as the group declares.
    """

    segment: Literal["edge", "node"] | None

    def initial(self, group: ChoiceGroup, generator: Generator) -> Tensor:
        """Return the start value of theta, [E, O]."""
        ...

    def mixture(
        self, theta: Tensor, segments: Tensor, group: ChoiceGroup, *, generator: Generator
    ) -> Sampled:
        """Return the mixture [E, O] of one pass, zero where the segment is -1."""
        ...

    def expected(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> Tensor:
        """Return the expected mixture [E, O], without randomness, for logs, validation and deriving."""
        ...


class Updater(Protocol):
    """Updates theta.

    Attributes:
        gradient: The gradient that it follows; None: none, and the trainer makes no architecture pass.
        granularity: Whether the gradient of the mixture is per batch, or per use and sample.
    """

    gradient: Literal["theta", "mixture"] | None
    granularity: Literal["batch", "sample"]

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Begin a phase with these groups; before the run a separate object is started as a rehearsal."""
        ...

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Update theta in place, never rebinding it; it may also mark entries as dead in `state.alive`."""
        ...

    def strength(self, state: ArchitectureState, expected: Mixture) -> Mixture:
        """Return the strengths that rank candidates, by group [E, O], at least 0; 0 for dead entries."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state, as tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of an updater that was started with the same groups."""
        ...


class Regularizer(Protocol):
    """A penalty, which the engine differentiates with respect to theta or the mixture.

    A regularizer whose penalty depends on the progress declares `anneals`.
    """

    def start(self, state: ArchitectureState, horizon: Horizon, costs: Callable[[], Costs]) -> None:
        """Begin a phase.

        Args:
            state: The choice groups of the phase.
            horizon: Number and size of the architecture steps of the phase.
            costs: Returns the costs of the candidates; it counts them on the first call.
        """
        ...

    def penalty(self, state: ArchitectureState, drawn: Mixture, expected: Mixture, progress: float) -> Tensor:
        """Return a scalar that is differentiable in theta and in the mixtures that it reads.

        The two mixtures are equal if the relaxation draws no random numbers.

        Args:
            state: The choice groups, with theta.
            drawn: By group [E, O], the mixture that the relaxation drew for this step.
            expected: By group [E, O], the expected mixture.
            progress: The share of the architecture steps that are done, 0 to 1.
        """
        ...


class SettledRecipe(Protocol):
    """The recipe of a run, as an observer reads it."""

    def names(self, slot: str) -> tuple[str, ...]:
        """Return the names of the components that fill a slot."""
        ...

    def setting(self, path: str) -> Any:  # noqa: ANN401 - as declared
        """Return the value at a path such as ``trainer.epochs``, or None if it does not exist."""
        ...


class Observer:
    """Receives the events of a run. All methods do nothing by default; override the ones you need.

    Arguments are copies, so that changes to them do not reach the run. An error in an observer never stops a
    run: it is logged and counted, and after three failures the observer is muted.

    As a component, an observer is built with its settings as its only argument when the run begins.
    """

    def run_started(self, folder: Path, recipe: SettledRecipe) -> None:
        """Called after the folder of the run and its recipe are written."""

    def job_started(self, name: str, number: int, jobs: int) -> None:
        """Called when a job begins: name of its folder, number from 1, and number of jobs (0: unknown)."""

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """Called when a phase begins."""

    def step_finished(self, report: StepReport) -> None:
        """Called after each step of a phase."""

    def epoch_finished(self, report: EpochReport) -> None:
        """Called after each epoch of a phase."""

    def architecture_changed(self, description: Description) -> None:
        """Called after each epoch of a search after its warm-up, with the architecture derived now."""

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Called when a job is done, with its result."""

    def run_finished(self, folder: Path, result: Mapping[str, Any]) -> None:
        """Called after the run's result is written; its `status` is done, failed, interrupted or stopped."""

    def run_ended(self) -> None:
        """Release resources: the terminal, files, connections.

        Called last and once, however the run ended, and also if the observer is muted.
        """


class Annealing(Protocol):
    """A relaxation that declares `anneals`: it changes during a search."""

    def annealed(self, progress: float) -> Relaxation:
        """Return the relaxation at this progress, the share of the architecture steps done, 0 to 1."""
        ...


class Pooling(Protocol):
    """A relaxation that declares `pools`: its theta is not a logit, so log-sum-exp does not apply."""

    def pooled(self, theta: Tensor) -> Tensor:
        """Return the parameter, a scalar, of entries [n] that compete as one."""
        ...


class Selecting(Protocol):
    """A relaxation that declares `selects`: it selects the architecture instead of the group's rule.

    It selects in supernets only: growth policies close their proposals by the strengths of the updater.
    """

    def picks(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> list[Pick]:
        """Return the (row, column) pairs that are kept, strongest first; they must make an architecture.

        A node without a pick keeps `none`. Operations that the group's rule never keeps (`group.never`) take
        part as one entry of each segment, and a pick of one is dropped; a segment that has no other pick
        is then asked for again, with `segments` -1 at these operations and outside such segments.
        """
        ...


class Stateful(Protocol):
    """A regularizer that declares `stateful`: its state is saved in checkpoints."""

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state, as tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state."""
        ...
