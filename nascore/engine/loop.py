"""The loop over the steps of a phase."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from math import isfinite
from numbers import Real
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from attrs import Factory, define, evolve, frozen

from nascore.contract import EpochReport, StepReport
from nascore.engine.checkpoint import Checkpoint, capture
from nascore.engine.device import check_torch_state
from nascore.engine.mixture import entropy
from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.errors import PluginError, Problem, RunFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nascore.contract import Phase, Trainer
    from nascore.engine.checkpoint import JobProgress
    from nascore.engine.observers import Observers


NAMED = 3
"""Number of tensors that a message names."""

FAR = 1e4
"""Bound on architecture parameters; beyond it a mixture has one candidate, or weights of this size."""

FIGURES = ("loss", "architecture_loss", "accuracy", "lr")
"""The numbers in the report of a step."""

MOVING = ("updater", "relaxation", "regularizer")
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
    validate: Callable[[], tuple[float, int]] | None = None,
    epoch_over: Callable[[EpochReport], None] | None = None,
    job: JobProgress | None = None,
    stage: str = "",
) -> int:
    """Run all steps of a phase; the engine, not the trainer, decides when it ends.

    Args:
        phase: The phase.
        trainer: The trainer of the phase.
        observers: The observers, which are notified of steps and epochs.
        validate: Returns the accuracy, 0 to 1, and the number of images; called after each epoch.
        epoch_over: Called with the report of each epoch, before the observers.
        job: The job, which saves the phase and may go on from a checkpoint; None: nothing is saved.
        stage: The name of the phase in the job's checkpoints.

    Returns:
        The number of steps.

    Raises:
        RunFailed: A loss, a weight or an architecture parameter is not finite.
        PluginError: The trainer returned an invalid report.
        KeyboardInterrupt: A stop of the run was requested; the phase is saved.
        BudgetSpentError: The budget of the run is spent; the phase is saved.
    """
    trainer.start(phase)
    check_torch_state(f"the trainer {_trainer(phase, trainer)}")
    found = None if job is None else job.restored(phase, trainer, stage or phase.name)
    strange = _not_finite(phase) if found is None else set(found.not_finite)
    observers.notify("phase_started", phase.name, phase.steps, phase.steps_per_epoch)
    tally = Tally() if found is None else Tally(reports=_reports(found))
    with nullcontext() if job is None else job.control.finishing_steps():
        for done in range(1 if found is None else found.step + 1, phase.steps + 1):
            report = _step(phase, trainer, done - 1)
            _refuse_unless_finite(phase, report)
            observers.notify("step_finished", report)
            tally.reports.append(report)
            if done % phase.steps_per_epoch == 0 or done == phase.steps:
                _refuse_unless_learned(phase, done, strange)
                summary = _summary(phase, tally, done, validate)
                if epoch_over is not None:
                    epoch_over(summary)
                observers.notify("epoch_finished", summary)
                tally = Tally()
            if job is not None:
                job.control.steps += 1
                state = _LoopState(stage=stage or phase.name, step=done, tally=tally, strange=strange)
                job.save_if_due(partial(_checkpoint, phase, trainer, job, state), over=done == phase.steps)
    return phase.steps


@frozen(kw_only=True)
class _LoopState:
    """What the loop itself knows after a step.

    Attributes:
        stage: The name of the phase in checkpoints.
        step: Steps that are done.
        tally: The steps of the current epoch.
        strange: Names of tensors that were not finite when the phase began.
    """

    stage: str
    step: int
    tally: Tally
    strange: set[str]


def _checkpoint(phase: Phase, trainer: Trainer, job: JobProgress, loop: _LoopState) -> Checkpoint:
    return Checkpoint(
        stage=loop.stage,
        step=loop.step,
        state=capture(phase, trainer),
        reports=[[getattr(report, field) for field in FIGURES] for report in loop.tally.reports],
        epochs=job.epochs,
        not_finite=sorted(loop.strange),
        warnings=list(job.warnings),
    )


def _reports(checkpoint: Checkpoint) -> list[StepReport]:
    """Return the reports of the steps that the epoch of a checkpoint had made."""
    first = checkpoint.step - len(checkpoint.reports)
    return [
        StepReport(step=first + place, **dict(zip(FIGURES, figures, strict=True)))  # type: ignore[arg-type]
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
    return evolve(report, **figures)


def _figure(name: str, report: StepReport, field: str, done: int) -> float | None:
    """Return a figure of a report as a float, whatever its type of number."""
    value: object = getattr(report, field)
    if value is None and field != "loss":
        return None
    if not isinstance(value, Real):
        text = f"{name} reports {_kind(value)} as the {field} of step {done}, not a number."
        raise _mistake(text, "For a tensor, report its item().")
    number = float(value)
    if field == "accuracy" and not 0 <= number <= 1:
        text = f"{name} reports {number:g} as the accuracy of step {done}, not a share from 0 to 1."
        raise _mistake(text, "Report the number of correct images divided by the number of images.")
    return number


def _trainer(phase: Phase, trainer: Trainer) -> str:
    return phase.names.get("trainer", type(trainer).__name__)


def _kind(value: object) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__}"


def _mistake(text: str, hint: str) -> PluginError:
    return PluginError([Problem(path="trainer", text=text, hint=hint, of_plugin=True)])


def _summary(
    phase: Phase, tally: Tally, done: int, validate: Callable[[], tuple[float, int]] | None
) -> EpochReport:
    seconds = perf_counter() - tally.began
    share, count = (None, None) if validate is None else validate()
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
        validation_accuracy=share,
        validation_count=count,
        lr=tally.reports[-1].lr,
        entropy={} if phase.search is None else entropy(phase.search),
        seconds=seconds,
    )


def _refuse_unless_finite(phase: Phase, report: StepReport) -> None:
    for what, loss in (("loss", report.loss), ("architecture loss", report.architecture_loss)):
        if loss is not None and not isfinite(loss):
            text = f"phase {phase.name}, step {report.step}: the {what} is {loss}."
            rate = "" if report.lr is None else f", which was {report.lr:g} in this step"
            raise RunFailed([Problem(path="", text=text, hint=_cure(phase, rate))])


def _refuse_unless_learned(phase: Phase, step: int, strange: set[str]) -> None:
    # No later loss would reveal a bad last step, and metrics of weights that are not finite are useless.
    bad = sorted(_not_finite(phase) - strange)
    if bad:
        few = ", ".join(bad[:NAMED]) + (f" and {len(bad) - NAMED} more" if len(bad) > NAMED else "")
        text = f"phase {phase.name}, step {step}: these tensors are not finite: {few}."
        theta = all(name.startswith(_THETA) for name in bad)
        hint = "Try a smaller step size for the updater, or a different --seed." if theta else _cure(phase)
        raise RunFailed([Problem(path="", text=text, hint=hint)])


def _not_finite(phase: Phase) -> set[str]:
    """Return the names of the weights, buffers and theta that are not finite."""
    learned = phase.network.state_dict()
    if phase.search is not None:
        learned |= {f"{_THETA}{name}": theta for name, theta in phase.search.state.theta.items()}
    return {name for name, value in learned.items() if not bool(torch.isfinite(value).all())}


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
