"""One protocol for each slot: the methods that the engine calls on its component.

A component's class is built with one argument, its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from random import Random

    from torch import Generator, Tensor

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
    from nascore.description import Catalogue, ChoiceGroup, Description, Matrix, Pick
    from nascore.gallery import Entry, Gallery
    from nascore.nn import ArchitectureState


class Space(Protocol):
    """What can be found. Its rule for deriving stands in the groups of the description."""

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description for data of this kind."""
        ...


class Dataset(Protocol):
    """Images and labels. The engine splits, shuffles, augments and normalises."""

    facts: DataFacts

    def train(self) -> Examples:
        """Return the training images, scaled to 0 to 1 and not normalised, with their labels."""
        ...

    def test(self) -> Examples:
        """Return the test images. The engine opens them once, and records it."""
        ...


class Relaxation(Protocol):
    """How theta becomes a mixture. It has settings and no state.

    Optional methods are declared as capabilities: `anneals` (:class:`Annealing`), `selects`
    (:class:`Selecting`), `pools` (:class:`Pooling`).

    Three arguments describe a choice group: `theta` [E, O]; `segments` [E, O], the number of the competition
    that an entry takes part in, -1 where it is masked or dead; and `group`, its rows, operations and nodes.

    Attributes:
        segment: What competes; None: as the group says.
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
        """Return the deterministic mixture [E, O] that logs, validation and deriving read."""
        ...


class Updater(Protocol):
    """How theta moves.

    Attributes:
        gradient: What it follows; None: nothing, then no architecture pass is made.
        granularity: Whether it wants the mixture's gradient per batch, or per use and sample.
    """

    gradient: Literal["theta", "mixture"] | None
    granularity: Literal["batch", "sample"]

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Begin a phase with these groups; an object of its own is started before the run too, as a try."""
        ...

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Move theta in place, never rebinding it; it may also narrow `state.alive`."""
        ...

    def strength(self, state: ArchitectureState, expected: Mixture) -> Mixture:
        """Return what deriving ranks by: by group [E, O], not negative, 0 for what is out."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all state, as tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the state of an updater that was started with the same groups."""
        ...


class Regularizer(Protocol):
    """A penalty. The engine decides with respect to what it is differentiated.

    One whose penalty depends on the progress declares `anneals`.
    """

    def start(self, state: ArchitectureState, horizon: Horizon, costs: Callable[[], Costs]) -> None:
        """Begin a phase.

        Args:
            state: The choice groups of the phase.
            horizon: The number of architecture steps to come, and what they are made of.
            costs: Counts the costs of the candidates when it is called.
        """
        ...

    def penalty(self, state: ArchitectureState, drawn: Mixture, expected: Mixture, progress: float) -> Tensor:
        """Return a scalar that is differentiable in theta and in what it reads of the two mixtures.

        The mixtures are the same numbers where the relaxation draws nothing at random.

        Args:
            state: The choice groups, with theta.
            drawn: By group [E, O], the mixture that the relaxation drew for this step.
            expected: By group [E, O], the deterministic mixture.
            progress: The share of the architecture steps that are done, 0 to 1.
        """
        ...


class GrowthPolicy(Protocol):
    """An outer loop over closed descriptions. It has no state: what it knows is in the gallery."""

    def seeds(self, description: Description, rng: Random) -> Sequence[Description]:
        """Return the closed descriptions that the run begins with; each is trained and measured.

        Args:
            description: The space's, open.
            rng: Random numbers that depend on the run's seed alone.
        """
        ...


@runtime_checkable
class GrowingPolicy(GrowthPolicy, Protocol):
    """An outer loop that makes architectures from others: what is trained has the space's own size.

    Attributes:
        seed_epochs: Passes over the training images for what growth begins with.
        child_epochs: The same for a child, which inherits its parent's weights.
    """

    seed_epochs: int
    child_epochs: int

    def next_parents(self, gallery: Gallery, wave: int, rng: Random) -> Sequence[Entry]:
        """Return the parents of a wave, entries of the gallery; none where the run is over.

        Args:
            gallery: The architectures as they were when the wave before was complete.
            wave: Number of the wave; that of the seeds is 1.
            rng: Random numbers that depend on the run's seed and the wave alone.
        """
        ...

    def open(self, parent: Description, catalogue: Catalogue) -> Description:
        """Return the parent with choices beside it: candidates that leave its function as it is."""
        ...

    def close(self, opened: Description, strength: Mapping[str, Matrix]) -> Description:
        """Return the child: a closed description with what is kept of the candidates.

        Args:
            opened: What :meth:`open` returned.
            strength: By choice group [E, O], as the updater ranks; 0 for what is out.
        """
        ...


class SettledRecipe(Protocol):
    """The recipe of a run, as an observer reads it."""

    def names(self, slot: str) -> tuple[str, ...]:
        """Return the names of the components that fill a slot."""
        ...

    def setting(self, path: str) -> Any:  # noqa: ANN401 - as declared
        """Return the value at a path such as ``trainer.epochs``, or None where there is none."""
        ...


class Observer:
    """Watches a run. Every method does nothing; override those that are wanted.

    What it is given are values, copied for it alone: nothing that it does to them reaches the run. One that
    raises never stops a run: it is logged and counted, and muted after three failures.

    As a component it is built with its settings as the one argument, when the run begins.
    """

    def run_started(self, folder: Path, recipe: SettledRecipe) -> None:
        """See that the run's folder and recipe are written."""

    def job_started(self, name: str, number: int, jobs: int) -> None:
        """See that a job begins: its folder's name, its number from 1, and how many are known to come."""

    def phase_started(self, name: str, steps: int, steps_per_epoch: int) -> None:
        """See that a phase begins."""

    def step_finished(self, report: StepReport) -> None:
        """See one step of the phase."""

    def epoch_finished(self, report: EpochReport) -> None:
        """See one epoch of the phase."""

    def architecture_changed(self, description: Description) -> None:
        """See what would be derived now; called once per epoch of a search, after its warm-up."""

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """See that a job is done and what it gave."""

    def run_finished(self, folder: Path, result: Mapping[str, Any]) -> None:
        """See that the run's result is written: done, failed or interrupted, as its `status` says."""

    def run_ended(self) -> None:
        """Let go of what is held: the terminal, files, connections.

        Called last and once, however the run ended, and also where the observer is muted.
        """


class Annealing(Protocol):
    """A relaxation that declares `anneals`: it changes in the course of a search."""

    def annealed(self, progress: float) -> Relaxation:
        """Return the relaxation as it is when this share of the architecture steps is done, 0 to 1."""
        ...


class Pooling(Protocol):
    """A relaxation that declares `pools`: its theta is no logarithm, to be added by log-sum-exp."""

    def pooled(self, theta: Tensor) -> Tensor:
        """Return the parameter, a scalar, of entries [n] that compete as one."""
        ...


class Selecting(Protocol):
    """A relaxation that declares `selects`: it chooses the architecture, instead of the group's rule."""

    def picks(self, theta: Tensor, segments: Tensor, group: ChoiceGroup) -> list[Pick]:
        """Return the (row, column) pairs that are kept, strongest first.

        A node without a pick keeps `none`. Operations that the group's rule never keeps (`group.never`) take
        part as one entry of each segment, and a pick of one is dropped; a segment that has no other pick
        is then asked for again, with `segments` -1 at these operations and outside such segments.
        """
        ...


class Stateful(Protocol):
    """A regularizer that declares `stateful`, such as one whose weight grows; most have no state."""

    def state_dict(self) -> dict[str, Any]:
        """Return all state, as tensors and plain values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        ...


class Remarking(Protocol):
    """A growth policy that declares `remarks`: it comments on its seeds."""

    def remark(self, seeds: Sequence[Description]) -> str:
        """Return a sentence for the run's log; empty: nothing."""
        ...
