"""The engine counts the steps of a phase, and its trainer makes them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from attrs import evolve
from engine_toys import toy_phase

from nascore.contract import Demand, StepReport
from nascore.engine.loop import run_phase
from nascore.engine.observers import Observers
from nascore.errors import PluginError


class Broken:
    """Gives reports that are given to it."""

    demand = Demand(epochs=1, batch=1)

    def __init__(self, *reports):
        self.reports = list(reports)

    def start(self, phase):
        del phase

    def step(self):
        return self.reports.pop(0)


class Endless(Broken):
    """Never says that it is over."""

    def step(self):
        self.reports.append(StepReport(step=len(self.reports), loss=1.0))
        return self.reports[-1]


def test_a_trainer_that_never_ends_is_called_as_often_as_the_phase_has_steps():
    phase, trainer = toy_phase(), Endless()
    epochs = []
    assert run_phase(phase, trainer, Observers([], print), epoch_over=epochs.append) == phase.steps
    assert len(trainer.reports) == phase.steps
    assert [one.step for one in epochs] == [6, 12, 18]


def test_numbers_of_numpy_are_numbers():
    small = StepReport(step=0, loss=np.float32(1), accuracy=np.float64(0.5), lr=np.float32(0.5))
    epochs = []
    run_phase(toy_phase(), Broken(*[small] * 18), Observers([], print), epoch_over=epochs.append)
    assert json.loads(json.dumps([epochs[0].loss, epochs[0].accuracy, epochs[0].lr])) == [1.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (None, "Broken.step of the plugin .* returns None for step 1 of 18, .* requires a StepReport"),
        (1.0, "Broken.step of the plugin .* returns float 1.0 for step 1 of 18"),
        (StepReport(step=1, loss=None), "reports None as the loss of step 1, not a number"),
        (StepReport(step=1, loss=torch.ones(2)), r"reports a tensor \[2\] of float32 as the loss of step 1"),
        (StepReport(step=1, loss=torch.ones((), dtype=torch.complex64)), "complex64 as the loss of step 1"),
        (StepReport(step=1, loss=1.0, lr="fast"), "reports an object of type str as the lr of step 1"),
        (StepReport(step=1, loss=1.0, accuracy=torch.ones(1)), r"a tensor \[1\] of float32 as the accuracy"),
        (StepReport(step=1, loss=1.0, accuracy=torch.tensor(50.0)), "reports 50 as the accuracy of step 1"),
        (StepReport(step=1, loss=1.0, accuracy=50.0), "reports 50 as the accuracy of step 1, not a share"),
        (StepReport(step=1, loss=1.0, accuracy=float("nan")), "reports nan as the accuracy of step 1"),
    ],
)
def test_what_is_no_report_of_a_step_names_the_trainer(report, text):
    trainer = Broken(StepReport(step=0, loss=1.0), report)
    with pytest.raises(PluginError, match=text):
        run_phase(toy_phase(), trainer, Observers([], print))
    named = evolve(toy_phase(), names={"trainer": "mine"})
    with pytest.raises(PluginError, match="mine reports None as the loss of step 0"):
        run_phase(named, Broken(StepReport(step=0, loss=None)), Observers([], print))
