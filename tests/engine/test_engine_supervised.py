"""The weights step, and the loop over a phase."""

from __future__ import annotations

import json

import pytest
import torch
from attrs import asdict
from engine_toys import FACTS, accuracy, equal, everything, examples, started, toy_phase

from nascore.contract import Demand, Observer, StepReport, WeightSettings
from nascore.engine.forward import Criterion
from nascore.engine.loop import run_phase
from nascore.engine.mixture import entropy
from nascore.engine.observers import Observers
from nascore.engine.weight_step import Supervised
from nascore.errors import RunFailed
from nascore.gallery import ACCURACY, Score


def closed_phase(**more):
    phase = toy_phase(**more)
    phase.search = None
    phase.name = "train"
    return phase


def trainer_of(**rule):
    return Supervised(WeightSettings(**{"lr": 0.1, **rule}), Demand(epochs=3, batch=5))


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_step_is_torchs_own(nesterov):
    phase, plain = closed_phase(), closed_phase()
    trainer = trainer_of(nesterov=nesterov, clip=0.5, weight_decay=1e-2, label_smoothing=0.1)
    trainer.start(phase)
    optimizer = torch.optim.SGD(
        plain.network.parameters(), lr=0.1, momentum=0.9, nesterov=nesterov, weight_decay=1e-2
    )
    for _ in range(4):
        trainer.step()
        images, labels = plain.batches["train"].next()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(plain.network(images), labels, label_smoothing=0.1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(plain.network.parameters(), 0.5)
        optimizer.step()
    found, own = everything(phase.network), everything(plain.network)
    statistics = [name for name in own if name.endswith(("running_mean", "running_var"))]
    for name in statistics:  # those of torch without the share of their initial values
        initial = 0.9**4 * name.endswith("running_var")
        assert torch.allclose(found.pop(name), (own.pop(name) - initial) / (1 - 0.9**4), atol=1e-6)
    assert statistics
    assert equal(found, own)


def test_the_virtual_step_is_the_weights_step():
    phase = toy_phase()
    trainer = started(phase, clip=0.0)
    for _ in range(3):
        trainer.step()
    batch = phase.batches["train"].next()
    loss, _ = trainer.forward(batch)
    slope = dict(zip(trainer.weights, torch.autograd.grad(loss, list(trainer.weights.values())), strict=True))
    ahead = trainer.virtual_step().ahead(trainer.weights, slope)
    trainer.descend(slope)
    gaps = [(ahead[name] - weight).abs().max().item() for name, weight in trainer.weights.items()]
    assert max(gaps) < 1e-6
    assert trainer.virtual_step().buffers


def test_the_rate_falls_once_per_epoch_and_drop_path_rises():
    phase = closed_phase()
    trainer = trainer_of(lr_min=0.01, drop_path=0.3)
    trainer.start(phase)
    seen = []
    for _ in range(phase.steps):
        drop_path = trainer.drop_path
        seen.append((trainer.step().lr, drop_path))
    rates = list(dict.fromkeys(seen))
    assert [seen.count(pair) for pair in rates] == [6, 6, 6]
    assert rates[0] == (0.1, 0.0)
    assert rates[2] == (pytest.approx(0.01 + 0.09 * 0.25), pytest.approx(0.2))


def test_the_auxiliary_head_counts_by_its_weight():
    logits, auxiliary = torch.randn(2, 4, 3)
    labels = torch.tensor([0, 1, 2, 0])
    plain = Criterion()
    assert torch.equal(
        Criterion(auxiliary=0.4)((logits, auxiliary), labels),
        plain(logits, labels) + 0.4 * plain(auxiliary, labels),
    )


class Watcher(Observer):
    def __init__(self):
        self.steps, self.epochs, self.phases = [], [], []

    def phase_started(self, name, steps, steps_per_epoch):
        self.phases.append((name, steps, steps_per_epoch))

    def step_finished(self, report):
        self.steps.append(report)

    def epoch_finished(self, report):
        self.epochs.append(report)


def test_the_loop_tells_of_steps_and_epochs():
    watcher, told = Watcher(), []
    phase = toy_phase()
    done = run_phase(
        phase,
        started(phase),
        Observers([watcher], told.append),
        validate=lambda: (Score(metric=ACCURACY, value=0.5, count=30),),
        epoch_over=lambda report: told.append(report.epoch),
    )
    assert done == 18
    assert watcher.phases == [("search", 18, 6)]
    assert [report.step for report in watcher.steps] == list(range(18))
    assert told == [0, 1, 2]
    first = watcher.epochs[0]
    assert (first.phase, first.epoch, first.epochs, first.step) == ("search", 0, 3, 6)
    assert first.loss == pytest.approx(sum(report.loss for report in watcher.steps[:6]) / 6)
    assert first.architecture_loss == pytest.approx(
        sum(report.architecture_loss for report in watcher.steps[:6]) / 6
    )
    assert (first.validation_accuracy, first.validation_count) == (0.5, 30)
    assert first.seconds > 0
    assert set(first.entropy) == {"g"}


class Broken:
    """Gives losses that are given to it."""

    demand = Demand(epochs=1, batch=1)

    def __init__(self, *reports):
        self.reports = list(reports)

    def start(self, phase):
        del phase

    def step(self):
        return self.reports.pop(0) if self.reports else None


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (StepReport(step=1, loss=float("nan")), "phase search, step 1: the loss is nan"),
        (
            StepReport(step=1, loss=1.0, architecture_loss=float("inf")),
            "phase search, step 1: the architecture loss is inf",
        ),
    ],
)
def test_a_loss_that_is_not_finite_stops_the_phase(bad, text):
    trainer = Broken(StepReport(step=0, loss=1.0), bad, StepReport(step=2, loss=1.0))
    with pytest.raises(RunFailed, match=text):
        run_phase(toy_phase(), trainer, Observers([], print))
    assert len(trainer.reports) == 1


@pytest.mark.parametrize("what", ["weights", "theta"])
def test_what_the_last_step_spoils_is_refused(what):
    phase = toy_phase()
    spoilt = next(phase.network.parameters()) if what == "weights" else phase.search.state.theta["g"]

    class Spoiling(Broken):
        def step(self):
            if len(self.reports) == 1:
                spoilt.data.fill_(float("nan"))
            return super().step()

    trainer = Spoiling(*(StepReport(step=step, loss=1.0) for step in range(phase.steps)))
    recorded = []
    with pytest.raises(RunFailed, match=r"phase search, step 18: these tensors are not finite: ") as caught:
        run_phase(
            phase,
            trainer,
            Observers([], print),
            epoch_over=lambda report: recorded.append(json.dumps(asdict(report), allow_nan=False)),
        )
    assert len(recorded) == phase.epochs - 1
    cure = "Try a lower --set trainer.lr" if what == "weights" else "Try a smaller step size for the updater"
    assert cure in str(caught.value)


def test_what_was_not_finite_before_is_no_matter():
    phase = toy_phase()
    phase.network.register_buffer("mask", torch.tensor([0.0, float("-inf")]))
    assert run_phase(phase, started(phase), Observers([], print)) == phase.steps


def test_an_observer_that_fails_is_logged_and_muted_after_three():
    class Failing(Observer):
        calls = 0

        def step_finished(self, report):
            del report
            self.calls += 1
            raise ZeroDivisionError("oh")

    failing, watcher, log = Failing(), Watcher(), []
    phase = toy_phase()
    run_phase(phase, started(phase), Observers([failing, watcher], log.append))
    assert failing.calls == len(log) == 3
    assert len(watcher.steps) == 18
    assert log[0] == "observer Failing failed in step_finished: ZeroDivisionError: oh"
    assert log[2].endswith("it is muted")


def test_measuring_changes_nothing():
    phase = toy_phase()
    trainer = started(phase)
    trainer.step()
    before, noise = everything(phase.network), phase.streams.noise["cpu"]
    share = accuracy(phase.network, examples(), FACTS, phase.streams, phase.search.expected())
    assert 0 <= share <= 1
    assert phase.network.training
    assert equal(before, everything(phase.network))
    assert torch.equal(noise, phase.streams.noise["cpu"])


def test_accuracy_is_the_share_that_is_right():
    class Oracle(torch.nn.Module):
        def forward(self, images):
            bright = images.mean((1, 2, 3)) * 0.25 + 0.5
            return -(bright[:, None] - torch.tensor([0.25, 0.5, 0.75])).abs()

    share = accuracy(Oracle(), examples(), FACTS, toy_phase().streams)
    assert share == 1.0


def test_entropy_falls_from_the_logarithm_of_the_candidates():
    phase = toy_phase()
    with torch.no_grad():
        phase.search.state.theta["g"].zero_()
    mean = (torch.log(torch.tensor(3.0)) + torch.log(torch.tensor(2.0))) / 2
    assert entropy(phase.search)["g"] == pytest.approx(mean.item(), abs=1e-6)
    with torch.no_grad():
        phase.search.state.theta["g"][:, 0] = 50
    assert entropy(phase.search)["g"] == pytest.approx(0, abs=1e-6)
