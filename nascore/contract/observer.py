"""Who watches a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.contract.values import EpochReport, StepReport
    from nascore.description import Description
    from nascore.recipe import Recipe


class Observer:
    """Watches a run. Every method does nothing; override those that are wanted.

    What it is given are values, copied for it alone: nothing that it does to them reaches the run. One that
    raises never stops a run: it is logged and counted, and muted after three failures.

    As a component it is built with its settings as the one argument, when the run begins.
    """

    def run_started(self, folder: Path, recipe: Recipe) -> None:
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
