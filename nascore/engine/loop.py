"""The loop over the steps of a phase."""

from __future__ import annotations

from contextlib import nullcontext
from math import inf, isfinite
from numbers import Real
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from attrs import Factory, define, evolve
from torch.nn.utils import get_total_norm

from nascore.contract import EpochReport, StepReport
from nascore.engine.checkpoint import Checkpoint, capture, restore
from nascore.engine.device import check_torch_state
from nascore.engine.fingerprints import fingerprints_of
from nascore.engine.mixture import entropy
from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.engine.workers import explain_lost_workers
from nascore.errors import NotFiniteError, PluginError, Problem, RunFailed
from nascore.gallery import ACCURACY
from nascore.nn.classification import CLASSIFICATION
from nascore.run import resume_command

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from nascore.contract import Metric, Phase, Score, Trainer
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.observers import Observers


NAMED = 3
"""Number of tensors that a message names."""

REWINDS = 3
"""Number of times that a phase goes back, each time with half the learning rate."""

FAR = 1e4
"""Bound on architecture parameters; beyond it a mixture has one candidate, or weights of this size."""

FIGURES = ("loss", "architecture_loss", "accuracy", "lr", "score")
"""The numbers in the report of a step; checkpoints of earlier versions lack the last one."""

MOVING = ("updater", "relaxation", "regularizer", "trick")
"""Slots whose components a trainer may call in a step."""

_THETA = "theta of "


@define(kw_only=True)
class Tally:
    """The reports of the steps of the current epoch."""

    reports: list[StepReport] = Factory(list)
    began: float = Factory(perf_counter)

    def mean(self, name: str) -> float | None:
        """Return the mean of a field over the steps that have it."""
        return _mean(getattr(report, name) for report in self.reports)


def run_phase(  # noqa: PLR0913 - each by name
    phase: Phase,
    trainer: Trainer,
    observers: Observers,
    *,
    validate: Callable[[], tuple[Score, ...]] | None = None,
    epoch_over: Callable[[EpochReport], None] | None = None,
    job: JobProgress | None = None,
    stage: str = "",
    validate_every: int = 1,
) -> int:
    """Run all steps of a phase; the engine, not the trainer, decides when it ends.

    Args:
        phase: The phase.
        trainer: The trainer of the phase.
        observers: The observers, which are notified of steps and epochs.
        validate: Returns the scores on other images; called after an epoch, as `validate_every` says.
        epoch_over: Called with the report of each epoch, before the observers.
        job: The job, which saves the phase and may resume from a checkpoint; None: nothing is saved.
        stage: The name of the phase in the job's checkpoints.
        validate_every: Epochs between two calls of `validate`; 0: it is called after the last epoch only.

    Returns:
        The number of steps.

    Raises:
        RunFailed: A loss, a weight, an architecture parameter or an output is not finite.
        PluginError: The trainer returned an invalid report.
        KeyboardInterrupt: A stop of the run was requested; the phase is saved.
        BudgetSpentError: The budget of the run is spent; the phase is saved.
    """
    trainer.start(phase)
    check_torch_state(f"the trainer {_trainer(phase, trainer)}")
    found = None if job is None else job.restored(phase, trainer, stage or phase.name)
    loop = _Loop(
        phase=phase,
        trainer=trainer,
        observers=observers,
        validate=validate,
        epoch_over=epoch_over,
        job=job,
        stage=stage or phase.name,
        validate_every=validate_every,
        strange=_not_finite(phase) if found is None else set(found.not_finite),
        step=0 if found is None else found.step,
        tally=Tally(reports=_reports(found, phase)),
    )
    observers.notify("phase_started", phase.name, phase.steps, phase.steps_per_epoch)
    return _make_steps(loop)


def _make_steps(loop: _Loop) -> int:
    """Make all steps of a loop, and close its batches at the end; returns their number."""
    job = loop.job
    try:
        with explain_lost_workers(), nullcontext() if job is None else job.control.finishing_steps():
            loop.run()
    finally:
        for batches in loop.phase.batches.values():
            batches.close()
    return loop.phase.steps


@define(kw_only=True)
class _Loop:
    """The loop over the steps of a phase; see :func:`run_phase` for its arguments.

    Attributes:
        strange: Names of tensors that were not finite when the phase began.
        step: Steps that are done.
        tally: The steps of the current epoch whose reports were read.
        unread: Reports of the latest steps, which may hold tensors.
    """

    phase: Phase
    trainer: Trainer
    observers: Observers
    validate: Callable[[], tuple[Score, ...]] | None
    epoch_over: Callable[[EpochReport], None] | None
    job: JobProgress | None
    stage: str
    strange: set[str]
    step: int
    tally: Tally
    validate_every: int
    unread: list[StepReport] = Factory(list)

    def run(self) -> None:
        """Make all remaining steps; rewind if a value is not finite and the run asks for that."""
        rewinds = self.job is not None and self.job.control.on_nan == "rewind"
        if self.job is not None and rewinds and not self.step:
            self.job.save_now(self._checkpoint())
        while self.step < self.phase.steps:
            try:
                self._next()
            except NotFiniteError as error:
                if self.job is None:
                    raise
                if not rewinds:
                    raise self._with_advice(self.job, error) from error
                self._go_back(self.job, error)

    def _next(self) -> None:
        phase, done = self.phase, self.step + 1
        try:
            self.unread.append(_step(phase, self.trainer, self.step))
        except Exception:
            self._read_reports()  # a loss of an earlier step that is not finite may be the cause
            raise
        self.step = done
        over = done % phase.steps_per_epoch == 0 or done == phase.steps
        if over or len(self.unread) >= phase.log_every:
            self._read_reports()
        if over:
            _refuse_unless_learned(phase, done, self.strange)
            summary = _summary(phase, self.tally, done, self.validate if self._is_measured(done) else None)
            if self.epoch_over is not None:
                self.epoch_over(summary)
            self.observers.notify("epoch_finished", summary)
            self.tally = Tally()
        if self.job is not None:
            self.job.control.steps += 1
            self.job.save_if_due(self._checkpoint, over=done == phase.steps)

    def _is_measured(self, done: int) -> bool:
        """Return whether the epoch that ends after so many steps has a validation; the last one has."""
        epoch = -(-done // self.phase.steps_per_epoch)
        return done == self.phase.steps or bool(self.validate_every and epoch % self.validate_every == 0)

    def _read_reports(self) -> None:
        """Read the reports of the latest steps, and pass them to the observers.

        Raises:
            NotFiniteError: A loss is not finite; the loop then stands at the first such step.
            PluginError: An accuracy is not a share.
        """
        unread, self.unread = self.unread, []
        for report in _numbers(unread):
            _refuse_unless_share(_trainer(self.phase, self.trainer), report)
            try:
                _refuse_unless_finite(self.phase, report)
            except NotFiniteError:
                self.step = report.step
                raise
            self.observers.notify("step_finished", report)
            self.tally.reports.append(report)

    def _checkpoint(self) -> Checkpoint:
        """Return the state of the phase, which is finite: a run may go back to it."""
        assert self.job is not None
        self._read_reports()
        _refuse_unless_learned(self.phase, self.step, self.strange)
        return Checkpoint(
            stage=self.stage,
            step=self.step,
            state=capture(self.phase, self.trainer),
            reports=[[getattr(report, field) for field in FIGURES] for report in self.tally.reports],
            epochs=self.job.epochs,
            not_finite=sorted(self.strange),
            warnings=list(self.job.warnings),
            lr_factor=self.phase.lr_factor,
        )

    def _go_back(self, job: JobProgress, error: RunFailed) -> None:
        """Go back to the last checkpoint with half the learning rate.

        Raises:
            RunFailed: The run went back too often, or there is no checkpoint.
        """
        factor = self.phase.lr_factor / 2
        if factor < 0.5**REWINDS:
            text = (
                f"the run went back {REWINDS} times, each time to half the learning rate, and failed again."
            )
            raise RunFailed([*error.problems, Problem(path="", text=text)]) from error
        found = job.go_back()
        if found is None or found.stage != self.stage:
            raise error
        restore(self.phase, self.trainer, found.state)
        self.phase.lr_factor = factor
        failed, self.step, self.tally = self.step, found.step, Tally(reports=_reports(found, self.phase))
        text = f"{error.problems[0].text} The run went back to step {found.step} of phase {self.phase.name}"
        job.warnings.append(f"{text}, and goes on with {factor:g} of the learning rate")
        job.folder.log(f"job {job.name}: {job.warnings[-1]}")
        details = {"phase": self.phase.name, "step": failed, "to": found.step, "lr_factor": factor}
        job.folder.change("rewound", job=job.name, **details)
        job.save_now(self._checkpoint())

    def _with_advice(self, job: JobProgress, error: RunFailed) -> RunFailed:
        """Return the error with the saved state, and the command that resumes from it."""
        if not job.ends_run:
            text = "A run that is started with --on-nan rewind goes back instead, to half the learning rate."
            return RunFailed([*error.problems, Problem(path="", text=text)])
        found = job.checkpoints.latest()
        kept = found is not None and found.stage == self.stage
        place = f"step {found.step}" if found is not None and kept else "the beginning of the phase"
        again = resume_command(job.folder.run, "--on-nan", "rewind")
        text = f"The state of {place} is kept. To go on from it with half the learning rate: {again}"
        return RunFailed([*error.problems, Problem(path="", text=text)])


def _reports(checkpoint: Checkpoint | None, phase: Phase) -> list[StepReport]:
    """Return the reports of the steps that the epoch of a checkpoint had made; without one none."""
    if checkpoint is None:
        return []
    first, metric = checkpoint.step - len(checkpoint.reports), _metric(phase)
    return [
        StepReport(step=first + place, metric=metric, **dict(zip(FIGURES, figures, strict=False)))  # type: ignore[arg-type]
        for place, figures in enumerate(checkpoint.reports)
    ]


def _step(phase: Phase, trainer: Trainer, done: int) -> StepReport:
    if phase.search is not None:
        phase.search.progress = phase.progress(done)
    name = _trainer(phase, trainer)
    parts = [f"the {slot} {phase.names[slot]}" for slot in MOVING if phase.names.get(slot)]
    who = " or ".join([f"the trainer {name}", *parts])
    try:
        report: object = trainer.step()
    except RunFailed:
        check_torch_state(who)  # a changed state is the cause, and this error names the suspects
        raise
    check_torch_state(who)
    if not isinstance(report, StepReport):
        actual = f"{describe_value(report)} for step {done} of {phase.steps}"
        raise ReturnCheck(trainer, "step", "trainer").wrong(actual, "a StepReport of each step")
    figures: dict[str, Any] = {field: _figure(name, report, field, done) for field in FIGURES}
    return evolve(report, step=done, **figures)


def _figure(name: str, report: StepReport, field: str, done: int) -> float | torch.Tensor | None:
    """Return a figure of a report: a float, or a copy of a tensor, since the trainer may change it later."""
    value: object = getattr(report, field)
    if value is None and field != "loss":
        return None
    if isinstance(value, torch.Tensor) and field != "lr" and not value.dim() and not value.is_complex():
        return value.detach().clone()
    if not isinstance(value, Real):
        text = f"{name} reports {_kind(value)} as the {field} of step {done}, not a number."
        raise _mistake(text, "Report a number, or a tensor without dimensions.")
    return float(value)


def _numbers(reports: list[StepReport]) -> list[StepReport]:
    """Return reports with numbers in place of tensors, which are read from their device all at once."""
    rows: list[dict[str, Any]] = [{field: getattr(report, field) for field in FIGURES} for report in reports]
    unread: dict[tuple[torch.device, torch.dtype], list[tuple[dict[str, Any], str]]] = {}
    for row in rows:
        for field, value in row.items():
            if isinstance(value, torch.Tensor):
                unread.setdefault((value.device, value.dtype), []).append((row, field))
    for places in unread.values():
        numbers = torch.stack([row[field] for row, field in places]).tolist()
        for (row, field), number in zip(places, numbers, strict=True):
            row[field] = float(number)
    return [evolve(report, **row) for report, row in zip(reports, rows, strict=True)]


def _refuse_unless_share(name: str, report: StepReport) -> None:
    accuracy = report.accuracy
    if accuracy is not None and not 0 <= accuracy <= 1:
        text = f"{name} reports {accuracy:g} as the accuracy of step {report.step}, not a share from 0 to 1."
        raise _mistake(text, "Report the number of correct images divided by the number of images.")


def _metric(phase: Phase) -> Metric:
    """Return the first metric of the task of a phase."""
    return (phase.task or CLASSIFICATION).metrics[0]


def _trainer(phase: Phase, trainer: Trainer) -> str:
    return phase.names.get("trainer", type(trainer).__name__)


def _kind(value: object) -> str:
    if value is None or isinstance(value, torch.Tensor):
        return describe_value(value)
    return f"an object of type {type(value).__name__}"


def _mistake(text: str, hint: str) -> PluginError:
    return PluginError([Problem(path="trainer", text=text, hint=hint, of_plugin=True)])


def _summary(
    phase: Phase, tally: Tally, done: int, validate: Callable[[], tuple[Score, ...]] | None
) -> EpochReport:
    seconds = perf_counter() - tally.began
    first, metric = None if validate is None else validate()[0], _metric(phase)
    value = None if first is None else first.value
    is_accuracy = metric == ACCURACY
    loss = tally.mean("loss")
    assert loss is not None
    return EpochReport(
        phase=phase.name,
        epoch=(done - 1) // phase.steps_per_epoch,
        epochs=phase.epochs,
        step=done,
        loss=loss,
        accuracy=tally.mean("accuracy"),
        architecture_loss=tally.mean("architecture_loss"),
        validation_accuracy=value if is_accuracy else None,
        validation_count=None if first is None else first.count,
        lr=tally.reports[-1].lr,
        entropy={} if phase.search is None else entropy(phase.search),
        seconds=seconds,
        fingerprints=fingerprints_of(phase),
        metric=metric,
        score=tally.mean("score"),
        validation_score=None if is_accuracy else value,
    )


def _refuse_unless_finite(phase: Phase, report: StepReport) -> None:
    for what, loss in (("loss", report.loss), ("architecture loss", report.architecture_loss)):
        if loss is not None and not isfinite(loss):
            text = f"phase {phase.name}, step {report.step}: the {what} is {loss}."
            rate = "" if report.lr is None else f", which was {report.lr:g} in this step"
            raise NotFiniteError([Problem(path="", text=text, hint=_cure(phase, rate))])


def _refuse_unless_learned(phase: Phase, step: int, strange: set[str]) -> None:
    # No later loss would reveal a bad last step, and metrics of weights that are not finite are useless.
    bad = sorted(_not_finite(phase, strange))
    if bad:
        few = ", ".join(bad[:NAMED]) + (f" and {len(bad) - NAMED} more" if len(bad) > NAMED else "")
        text = f"phase {phase.name}, step {step}: these tensors are not finite: {few}."
        theta = all(name.startswith(_THETA) for name in bad)
        hint = "Try a smaller step size for the updater, or a different --seed." if theta else _cure(phase)
        raise NotFiniteError([Problem(path="", text=text, hint=hint)])


def _not_finite(phase: Phase, known: Collection[str] = ()) -> set[str]:
    """Return the names of the weights, buffers and theta that are not finite, apart from known ones."""
    learned = phase.network.state_dict()
    if phase.search is not None:
        learned |= {f"{_THETA}{name}": theta for name, theta in phase.search.state.theta.items()}
    numbers = {
        name: value.detach()
        for name, value in learned.items()
        if name not in known and value.numel() and (value.is_floating_point() or value.is_complex())
    }
    # The largest of all numbers first, in one reading; the names only if that is not finite.
    if not numbers or isfinite(get_total_norm(numbers.values(), inf)):
        return set()
    return {name for name, value in numbers.items() if not bool(value.isfinite().all())}


def _cure(phase: Phase, rate: str = "") -> str:
    if phase.search is not None and _far(phase.search.state.theta.values()):
        return (
            "The architecture parameters are very large: try a smaller step size for the updater, updater.lr."
        )
    group = phase.group
    return f"Try a lower --set {group}.lr{rate}, a lower {group}.clip, or a different --seed."


def _far(thetas: Iterable[torch.Tensor]) -> bool:
    return any(not bool((theta.abs() < FAR).all()) for theta in thetas)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
