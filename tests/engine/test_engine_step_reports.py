"""The tensors of step reports are read every few steps, and nothing else of a step is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve
from command_line import cli
from engine_toys import toy_phase
from failing_plugins import UNIFORM
from resumed_runs import differences
from tiny import TINY

import nascore
from nascore.api import Observer
from nascore.builtin.alternating import Alternating
from nascore.builtin.components import AlternatingSettings
from nascore.contract import Demand, StepReport
from nascore.engine import loop, phase_factory
from nascore.engine.loop import run_phase
from nascore.engine.observers import Observers
from nascore.engine.weight_step import Supervised
from nascore.errors import NotFiniteError
from nascore.run import lines_of, read

EVERY = 4
READS = ("item", "tolist", "numpy", "cpu", "__float__", "__bool__", "__int__")


class Noting(Observer):
    """Notes the reports of the steps."""

    def __init__(self) -> None:
        self.reports: list[StepReport] = []

    def step_finished(self, report: StepReport) -> None:
        self.reports.append(report)


def trained(log_every: int) -> tuple[list[StepReport], list[Any]]:
    """Return the reports of the steps and of the epochs of a phase of 18 steps, 6 an epoch."""
    noting, epochs = Noting(), []
    settings = AlternatingSettings(epochs=3, batch=5, lr=0.1)
    phase = evolve(toy_phase(), log_every=log_every)
    run_phase(phase, Alternating(settings), Observers([noting], print), epoch_over=epochs.append)
    return noting.reports, [evolve(report, seconds=0) for report in epochs]


@pytest.mark.parametrize("log_every", [2, EVERY, 100])
def test_observers_and_epochs_get_the_same_numbers_however_seldom_they_are_read(log_every):
    reports, epochs = trained(1)
    assert trained(log_every) == (reports, epochs)
    assert len(reports) == 18
    assert {type(report.loss) for report in reports} == {float}
    assert {type(report.architecture_loss) for report in reports} == {float}


@pytest.fixture
def counted(monkeypatch):
    """Return the reads in the steps of the trainer, and the number of readings by the loop."""
    found: dict[str, Any] = {"in steps": [], "readings": 0}
    state = {"inside": False}

    def counting(name):
        right = getattr(torch.Tensor, name)

        def read(tensor, *args, **named):
            caller = sys._getframe(1).f_code.co_filename
            # Adam reads its number of steps, which lies on the CPU.
            if state["inside"] and "torch/optim" not in caller.replace("\\", "/"):
                found["in steps"].append((name, tuple(tensor.shape), tensor.dtype))
            return right(tensor, *args, **named)

        monkeypatch.setattr(torch.Tensor, name, read)

    for name in READS:
        counting(name)

    def step(phase, trainer, done, right=loop._step):
        state["inside"] = done > 0  # the first step of a phase reads the segments, which stay the same
        try:
            return right(phase, trainer, done)
        finally:
            state["inside"] = False

    def numbers(reports, right=loop._numbers):
        found["readings"] += bool(reports)
        return right(reports)

    monkeypatch.setattr(loop, "_step", step)
    monkeypatch.setattr(loop, "_numbers", numbers)
    return found


@pytest.mark.needs("nascore-darts")
def test_a_step_of_darts_first_order_reads_nothing_between_two_logs(counted, monkeypatch, tmp_path):
    settings = {**TINY, "trainer.epochs": 2, "trainer.batch": 8, "dataset.count": 160, "ranking.batch": 8}
    given = {"space": "tiny", "updater": "darts", "dataset": "synthetic", "scale": "mini"}
    nascore.search(**given, settings=settings, out=tmp_path / "each" / "run")
    each = counted["readings"]
    counted["readings"] = 0
    counted["in steps"].clear()
    monkeypatch.setattr(phase_factory, "log_every_on", lambda _: EVERY)
    nascore.search(**given, settings=settings, out=tmp_path / "seldom" / "run")

    # The masks of live entries are on the CPU already.
    masks = [one for one in counted["in steps"] if one[2] == torch.bool]
    assert [one for one in counted["in steps"] if one not in masks] == []
    assert {name for name, _, _ in masks} <= {"tolist"}
    steps = [line["step"] for line in read(tmp_path / "seldom" / "run").metrics()]
    assert each > 3 * counted["readings"] > len(steps)
    assert differences(tmp_path / "each" / "run", tmp_path / "seldom" / "run") == []


class Reporting:
    """Reports the given losses as one tensor that changes in place."""

    demand = Demand(epochs=1, batch=1)

    def __init__(self, *losses: float) -> None:
        self.losses, self.step_number = losses, 0
        self.loss = torch.zeros(())

    def start(self, phase):
        del phase

    def step(self):
        self.loss.fill_(self.losses[self.step_number])
        self.step_number += 1
        return StepReport(step=self.step_number - 1, loss=self.loss)


def test_a_tensor_that_the_trainer_changes_afterwards_is_reported_as_it_was():
    noting = Noting()
    losses = [float(number) for number in range(18)]
    run_phase(evolve(toy_phase(), log_every=EVERY), Reporting(*losses), Observers([noting], print))
    assert [report.loss for report in noting.reports] == losses


@pytest.mark.parametrize("failing", range(7))
def test_the_first_step_with_a_loss_that_is_not_finite_is_named(failing):
    noting = Noting()
    losses = [1.0] * failing + [float("nan")] * 18
    with pytest.raises(NotFiniteError, match=f"phase search, step {failing}: the loss is nan"):
        run_phase(evolve(toy_phase(), log_every=EVERY), Reporting(*losses), Observers([noting], print))
    assert [report.step for report in noting.reports] == [*range(failing)]


def test_an_error_that_follows_from_such_a_loss_names_its_step():
    class Raising(Reporting):
        def step(self):
            if self.step_number == 3:
                raise RuntimeError("weights are not finite")
            return super().step()

    with pytest.raises(NotFiniteError, match="phase search, step 2: the loss is nan") as caught:
        run_phase(
            evolve(toy_phase(), log_every=EVERY),
            Raising(1.0, 1.0, float("nan"), 1.0),
            Observers([], print),
        )
    assert isinstance(caught.value.__context__, RuntimeError)


def test_a_run_that_goes_back_names_the_step_that_failed(monkeypatch, tmp_path):
    """The loss of step 9 is read after step 12, when the run goes back to the beginning."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(phase_factory, "log_every_on", lambda _: 13)
    right, failed = Supervised.report, []

    def report(trainer, loss, *more):
        if trainer.phase.name == "search" and trainer.done == 9 and not failed:
            failed.append(trainer.done)
            loss = loss * float("inf")
        return right(trainer, loss, *more)

    monkeypatch.setattr(Supervised, "report", report)
    done = cli(*UNIFORM, "--on-nan", "rewind")
    assert done.exit_code == 0, done.output
    (change,) = [line for line in lines_of(Path("run/changes.jsonl")) if line["event"] == "rewound"]
    assert (change["step"], change["to"]) == (9, 0)
    assert json.loads(Path("run/result.json").read_text())["status"] == "done"


def test_live_entries_are_copied_to_the_cpu_after_a_change_only(monkeypatch):
    state = toy_phase().search.state
    copies, right = [], torch.Tensor.cpu

    def copied(tensor):
        copies.append(tensor)
        return right(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", copied)
    for _ in range(3):
        assert torch.equal(state.alive_on_cpu()["g"], state.alive["g"])
    assert len(copies) == 1
    state.alive["g"][0, 1] = False
    assert not state.alive_on_cpu()["g"][0, 1]
    state.alive_on_cpu()
    assert len(copies) == 2
