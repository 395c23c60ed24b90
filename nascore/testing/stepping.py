"""A trainer at work on a tiny supernet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.contract import StepReport
from nascore.testing.part import PartConformance
from nascore.testing.supernet import Recorder, phase_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.engine.phase import Phase


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
