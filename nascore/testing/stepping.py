"""A trainer at work on a tiny supernet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch

from nascore.testing.part import PartConformance
from nascore.testing.supernet import Recorder, phase_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.contract import StepReport
    from nascore.engine.phase import Phase

MOST: Final = 300
"""Steps after which a trainer is taken not to end."""


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
        reports = self.stepped(part)
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

    def stepped(self, part: Any, most: int = MOST) -> list[StepReport]:  # noqa: ANN401 - a plugin's class
        """Make steps until the phase is over, or so many."""
        reports: list[StepReport] = []
        while len(reports) < most and (report := part.step()) is not None:
            reports.append(report)
        return reports


def numbers(phase: Phase) -> dict[str, Tensor]:
    """Return a copy of weights, buffers and theta, by name."""
    assert phase.search is not None
    named = {name: value.detach().clone() for name, value in phase.network.state_dict().items()}
    return named | {
        f"theta of {name}": each.detach().clone() for name, each in phase.search.state.theta.items()
    }
