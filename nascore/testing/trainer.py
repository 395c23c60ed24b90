"""What every trainer promises."""

from __future__ import annotations

from io import BytesIO
from math import isfinite

import torch

from nascore.component import load
from nascore.engine.checkpoint import capture, restore
from nascore.testing.part import same
from nascore.testing.stepping import numbers
from nascore.testing.supernet import Recorder
from nascore.testing.trainer_gradients import TrainerGradients


class TrainerConformance(TrainerGradients):
    """The checks of a trainer, on a tiny cell whose norms keep running statistics."""

    def test_its_demand_can_be_met(self) -> None:
        """What it demands is a whole number of epochs and images, with epochs left after the warm-up."""
        demand = self.made().demand
        for name, least in (("epochs", 1), ("batch", 1), ("warm_up", 0)):
            value = getattr(demand, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
            self.hold(whole, f"demands {name} {value!r}, which is no whole number of at least {least}")
        self.hold(
            demand.warm_up < demand.epochs, f"warms up for {demand.warm_up} of its {demand.epochs} epochs"
        )

    def test_provides_two_halves_where_it_demands_them(self) -> None:
        """It provides `two-halves` with exactly those settings with which it demands halves."""
        declared, build = self.declared(), load(self.declared().build)
        for text, settings in [
            ("its defaults", self.configured()),
            *self.variants(largest=self.largest),
        ]:
            provided, demanded = "two-halves" in declared.given(settings), build(settings).demand.halves
            said = (
                "provides two-halves and demands none"
                if provided
                else "demands halves without providing two-halves"
            )
            self.hold(provided == demanded, f"{said}, with {text}")

    def test_tells_every_step(self) -> None:
        """It reports each step with its number and a loss, as often as the phase has steps."""
        part = self.made()
        phase = self.begun(part, Recorder())
        reports = self.stepped(part, phase.steps)
        for number, report in enumerate(reports):
            self.hold(report.step == number, f"calls step {number} {report.step}")
            self.hold(isfinite(report.loss), f"reports a loss of {report.loss}")
            share = report.accuracy
            self.hold(share is None or 0 <= share <= 1, f"reports an accuracy of {share}, which is no share")

    def test_the_weights_learn(self) -> None:
        """It moves the weights, and the loss falls on images that are easy to tell apart."""
        part = self.made()
        phase = self.begun(part, Recorder(), epochs=8)
        before = numbers(phase)
        reports = self.stepped(part, phase.steps)
        after = numbers(phase)
        moved = any(not same(before[name], after[name]) for name, _ in phase.network.named_parameters())
        self.hold(moved, "leaves the weights as they were")
        first, last = (sum(one.loss for one in part) for part in (reports[:3], reports[-3:]))
        self.hold(last < first, f"makes the loss rise, from {first / 3:.3g} to {last / 3:.3g}")

    def test_goes_on_where_it_stopped(self) -> None:
        """Its state, saved in the middle and loaded into a new one, goes on to the same bits."""
        part = self.made()
        phase = self.begun(part, Recorder(rate=0.1))
        self.stepped(part, phase.steps - 2)
        file = BytesIO()
        torch.save(capture(phase, part), file)
        self.stepped(part, 2)
        other = self.made()
        again = self.begun(other, Recorder(rate=0.1), seed=1)
        file.seek(0)
        restore(again, other, torch.load(file, weights_only=True))
        self.stepped(other, 2)
        one, two = numbers(phase), numbers(again)
        different = [name for name in one if not same(one[name], two[name])]
        self.hold(
            not different, f"goes on differently after its state was loaded: {', '.join(different[:3])}"
        )
