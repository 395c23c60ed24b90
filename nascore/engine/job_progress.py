"""The progress of a job: when it is saved, how it is resumed, and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define

from nascore.engine.checkpoint import restore
from nascore.errors import Problem, RunFolderError
from nascore.files import shown_path
from nascore.run import resume_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nascore.contract import Phase, Trainer
    from nascore.engine.checkpoint import Checkpoint, Checkpoints
    from nascore.run import JobFolder, RunControl

WORTH: Final = 5.0
"""Least seconds of unsaved work for which the end of a phase is saved; repeating less takes no longer."""


@define(kw_only=True)
class JobProgress:
    """The progress of a job: its epochs, warnings, checkpoints and result.

    Attributes:
        number: Number of the job.
        folder: The folder of the job.
        control: Decides when the job is saved and when it stops.
        checkpoints: The checkpoints of the job.
        result: The result, if the job was done before the run was resumed; None: the job is not done.
        epochs: Number of lines that the job added to `metrics.jsonl`.
        warnings: Warnings of the job so far.
        ends_run: Whether the run ends if the job fails; if not, the failed job is over and keeps no state.
    """

    number: int
    folder: JobFolder
    control: RunControl
    checkpoints: Checkpoints
    result: dict[str, Any] | None = None
    epochs: int = 0
    warnings: list[str] = Factory(list)
    ends_run: bool = True
    _found: Checkpoint | None = None

    @property
    def name(self) -> str:
        """Name of the job's folder."""
        return self.folder.path.name

    @property
    def stage(self) -> str:
        """Name of the phase of the checkpoint to resume from; empty if there is none."""
        return "" if self._found is None else self._found.stage

    def go_on_from(self, checkpoint: Checkpoint | None) -> None:
        """Load epochs and warnings of a checkpoint; :meth:`restored` loads its phase later."""
        self._found = checkpoint
        if checkpoint is not None:
            self.epochs, self.warnings = checkpoint.epochs, list(checkpoint.warnings)

    def restored(self, phase: Phase, trainer: Trainer, stage: str) -> Checkpoint | None:
        """Load the checkpoint of a phase into the phase, and return it; None if the phase has none."""
        found = self._found
        if found is None or found.stage != stage:
            return None
        restore(phase, trainer, found.state)
        phase.lr_factor = found.lr_factor
        self._found = None
        return found

    def save_if_due(self, make: Callable[[], Checkpoint], *, over: bool) -> None:
        """Save the phase if a checkpoint is due; then stop if a stop was requested.

        Args:
            make: Returns the checkpoint of the phase in its present state.
            over: Whether the phase is over.

        Raises:
            KeyboardInterrupt: A stop was requested.
            BudgetSpentError: The budget is spent.
        """
        stopping = self.control.requested or self.control.spent()
        if stopping or self.checkpoints.due or (over and self.checkpoints.age >= WORTH):
            self._save(make(), last=stopping or over)
        if stopping:
            self.control.stop_if_due()

    def _save(self, checkpoint: Checkpoint, *, last: bool) -> None:
        """Write a checkpoint; if that fails, continue and try again later, unless it is the last one.

        Raises:
            RunFolderError: The run's folder is gone; or the last checkpoint cannot be written there, and the
                error names the file that holds the state instead.
        """
        self.folder.refuse_gone()
        try:
            self.folder.write_waiting()
            self.checkpoints.save(checkpoint)
        except RunFolderError as error:
            self.folder.refuse_gone()
            if last:
                raise self._saved_elsewhere(checkpoint, error) from error
            self.folder.log(f"{error} The run continues, and tries again later")
            self.checkpoints.postpone()

    def _saved_elsewhere(self, checkpoint: Checkpoint, error: RunFolderError) -> RunFolderError:
        """Write the checkpoint to a temporary folder, and return the error that names it."""
        again = resume_command(self.folder.run)
        try:
            path = self.checkpoints.save_elsewhere(checkpoint)
        except (OSError, RunFolderError):
            hint = f"Make room, then resume from the checkpoint before: {again}"
            return RunFolderError([*error.problems, Problem(path="", text="The state is lost.", hint=hint)])
        text = f"the state of the run is saved in {path}."
        hint = f"Make room, move that file to {shown_path(self.folder.path)}, and resume: {again}"
        return RunFolderError([*error.problems, Problem(path="", text=text, hint=hint)])

    def save_now(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint even if none is due; a failure is a line of the log."""
        self._save(checkpoint, last=False)

    def go_back(self) -> Checkpoint | None:
        """Return the last checkpoint, and forget later epochs and warnings; None if there is no checkpoint.

        Raises:
            RunFolderError: `metrics.jsonl` cannot be written.
        """
        found = self.checkpoints.latest()
        if found is not None:
            self.epochs, self.warnings = found.epochs, list(found.warnings)
            self.forget_later_epochs()
        return found

    def forget_later_epochs(self) -> None:
        """Remove the epochs of the job that come after its checkpoint from `metrics.jsonl`.

        Raises:
            RunFolderError: The file cannot be read or written.
        """
        self.folder.keep_metrics(self.epochs)

    def finish(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Write the result of the job, last of all its files, and free its folder; returns the result."""
        self.result = {**result, **({"warnings": self.warnings} if self.warnings else {})}
        self.folder.finish(self.result)
        self.checkpoints.clear()
        self.folder.close()
        return self.result
