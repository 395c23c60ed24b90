"""The checks of trainers."""

from __future__ import annotations

from io import BytesIO
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import torch
from attrs import Factory, define
from torch.nn.functional import cross_entropy

from nascore.contract import StepReport, UsedTrick
from nascore.nn import ArchitectureState, segment_softmax
from nascore.testing.conformance import NotExaminedError
from nascore.testing.harness import capture, phase_for, restore
from nascore.testing.part import PartConformance, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

    from nascore.contract import Gradients, Horizon
    from nascore.testing.harness import Phase


_CLOSE: Final = 1e-4
"""How far sums of float32 may differ, relative to the largest."""


@define(kw_only=True)
class Recorder:
    """An updater that records the gradients it gets, and descends.

    Attributes:
        gradient: The gradient that it follows.
        granularity: Whether it gets one per batch, or one per use and sample.
        rate: Length of its steps; 0: theta stays.
        got: The gradients of each step.
    """

    gradient: Literal["theta", "mixture"] | None = "theta"
    granularity: Literal["batch", "sample"] = "batch"
    rate: float = 0.0
    got: list[Gradients] = Factory(list)

    def start(self, state: ArchitectureState, horizon: Horizon, generator: Generator) -> None:
        """Begin."""

    @torch.no_grad()
    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Record the gradients, and descend."""
        self.got.append(gradients)
        for name, slope in (gradients.theta or gradients.mixture or {}).items():
            state.theta[name].sub_(self.rate * (slope.sum((0, 1)) if slope.dim() > 2 else slope))  # noqa: PLR2004 - beside [E, O]

    def strength(self, state: ArchitectureState, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the mixture."""
        del state
        return dict(expected)

    def state_dict(self) -> dict[str, Any]:
        """Return an empty state: the record is not part of it."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Ignore the empty state."""


class Still:
    """A trick that sets the learning rate to 0."""

    def schedule(self, step: int, lr: float) -> float:
        """Return 0."""
        del step, lr
        return 0.0


class Stepping(PartConformance):
    """The base of the checks of a trainer: a short phase, and steps in it.

    Attributes:
        largest: Larger bounds of settings, which are batches and epochs, are not tried.
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
            updater: The updater of the phase.
            epochs: Epochs after the warm-up.
            seed: Seed of the phase.
        """
        phase = phase_for(part.demand, self.found().operations(), updater, epochs=epochs, seed=seed)
        part.start(phase)
        return phase

    def stepped(self, part: Any, steps: int) -> list[StepReport]:  # noqa: ANN401 - a plugin's class
        """Make steps, and return their reports with numbers in place of tensors."""
        reports = [part.step() for _ in range(steps)]
        for number, report in enumerate(reports):
            kind = type(report).__name__
            self.hold(isinstance(report, StepReport), f"returns {kind} in call {number} of step(), no report")
        return [report.read() for report in reports]


def numbers(phase: Phase) -> dict[str, Tensor]:
    """Return a copy of weights, buffers and theta, by name."""
    assert phase.search is not None
    named = {name: value.detach().clone() for name, value in phase.network.state_dict().items()}
    return named | {
        f"theta of {name}": each.detach().clone() for name, each in phase.search.state.theta.items()
    }


class TrainerGradients(Stepping):
    """Checks of the architecture step."""

    def test_hands_on_the_gradient(self) -> None:
        """After the warm-up every step gives the updater the gradient that it asks for, and no other."""
        for gradient, granularity in self._kinds():
            part, updater = self.made(), Recorder(gradient=gradient, granularity=granularity)
            phase = self.begun(part, updater)
            self.stepped(part, phase.steps)
            wanted = phase.steps - phase.warm_up
            self.hold(
                len(updater.got) == wanted,
                f"makes {len(updater.got)} architecture steps in {wanted} steps after the warm-up",
            )
            for one in updater.got:
                self._asked_for(one, updater, phase)

    def test_moves_nothing_for_an_updater_that_follows_nothing(self) -> None:
        """It makes no architecture step, and reports no loss of one, if the updater follows no gradient."""
        part, updater = self.made(), Recorder(gradient=None)
        phase = self.begun(part, updater)
        reports = self.stepped(part, phase.steps)
        self.hold(not updater.got, "makes architecture steps for an updater that follows no gradient")
        reported = [one for one in reports if one.architecture_loss is not None]
        self.hold(not reported, "reports an architecture loss without an architecture step")

    def test_the_gradients_agree(self) -> None:
        """The gradients of theta, of the mixture and per sample belong to the same loss."""
        by_mixture = self._first(Recorder(gradient="mixture"))
        by_theta = self._first(Recorder())
        theta = by_theta[0].search.state.theta  # type: ignore[union-attr]  # an open network
        for name, slope in (by_mixture[1].mixture or {}).items():
            leaf = theta[name].detach().clone().requires_grad_()
            segments = by_theta[0].search.state.segments(name)  # type: ignore[union-attr]  # the same
            (pulled,) = torch.autograd.grad((segment_softmax(leaf, segments) * slope).sum(), leaf)
            given = (by_theta[1].theta or {})[name]
            text = f"gives a gradient of theta of {name} that differs from the one through the mixture"
            self.hold(_close(given, pulled), text)
        if self.provides("sample-gradients"):
            phase, each = self._first(Recorder(gradient="mixture", granularity="sample"))
            for name, slope in (by_mixture[1].mixture or {}).items():
                total = (each.mixture or {})[name].sum((0, 1)) / phase.batches["train"].size
                text = f"gives gradients per sample of {name} whose sum is not the gradient of the batch"
                self.hold(_close(total, slope), text)

    def test_the_gradient_points_uphill(self) -> None:
        """The loss rises along the gradient of the mixture, on the images from which it is computed."""
        part, updater = self.made(), Recorder(gradient="mixture")
        phase = self.begun(part, updater)
        self.stepped(part, phase.warm_up)
        known = _slopes(phase, part)
        self.stepped(part, 1)
        for one in updater.got[-1:]:
            for name, slope in (one.mixture or {}).items():
                along = float((slope * known[name]).sum())
                self.hold(along > 0, f"gives a gradient of {name} along which the loss falls")

    def test_an_architecture_step_leaves_the_network_alone(self) -> None:
        """An architecture step changes neither weights nor running statistics, bit for bit."""
        left = []
        for updater in (Recorder(gradient=None), Recorder(rate=0.0)):
            part = self.made()
            phase = self.begun(part, updater)
            self.stepped(part, phase.warm_up + 1)
            left.append({**numbers(phase), **dict(phase.network.named_buffers())})
        changed = [name for name in left[0] if not same(left[0][name], left[1][name])]
        self.hold(not changed, f"changes {', '.join(changed[:3])} of the network by an architecture step")

    def _kinds(self) -> list[tuple[Any, Any]]:
        kinds = [("theta", "batch"), ("mixture", "batch")]
        return [*kinds, ("mixture", "sample")] if self.provides("sample-gradients") else kinds

    def _first(self, updater: Recorder) -> tuple[Phase, Gradients]:
        part = self.made()
        phase = self.begun(part, updater)
        self.stepped(part, phase.warm_up + 1)
        self.hold(updater.got, "makes no architecture step after the warm-up")
        return phase, updater.got[0]

    def _asked_for(self, one: Gradients, updater: Recorder, phase: Phase) -> None:
        kind = updater.gradient or ""
        given = [name for name in ("theta", "mixture") if getattr(one, name) is not None]
        got = " and ".join(given) or "nothing"
        self.hold(given == [kind], f"gives the updater {got}, which asks for the gradient of {kind}")
        for name, slope in getattr(one, kind).items():
            group = phase.search.state.groups[name]  # type: ignore[union-attr]  # an open network
            shape: tuple[int, ...] = (len(group.rows), len(group.ops))
            if updater.granularity == "sample":
                shape = (group.replicas, phase.batches["train"].size, *shape)
            text = f"gives a gradient of {name} of shape {tuple(slope.shape)}, not {shape}"
            self.hold(tuple(slope.shape) == shape, text)
            self.hold(torch.isfinite(slope).all(), f"gives a gradient of {name} that is not finite")
            self.hold(slope.abs().sum() > 0, f"gives a gradient of {name} that is zero")


def _slopes(phase: Phase, part: Any) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
    """Return the gradient of the mixture on the next batch; nothing is changed."""
    assert phase.search is not None
    state = capture(phase, part)
    images, labels = phase.batches["architecture" if "architecture" in phase.batches else "train"].next()
    leaf = {name: weights.requires_grad_() for name, weights in phase.search.expected().items()}
    with phase.streams.network():
        loss = cross_entropy(phase.network(images, leaf), labels)
    found = torch.autograd.grad(loss, list(leaf.values()))
    restore(phase, part, state)
    return dict(zip(leaf, found, strict=True))


def _close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one - other).abs().max() <= _CLOSE * other.abs().max())


class TrainerConformance(TrainerGradients):
    """The checks of a trainer, with a small cell whose norms keep running statistics."""

    def test_its_demand_can_be_met(self) -> None:
        """It demands whole numbers of epochs and images, and more epochs than its warm-up has."""
        demand = self.made().demand
        for name, least in (("epochs", 1), ("batch", 1), ("warm_up", 0)):
            value = getattr(demand, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
            self.hold(whole, f"demands {name} {value!r}, which is not a whole number of at least {least}")
        self.hold(
            demand.warm_up < demand.epochs, f"warms up for {demand.warm_up} of its {demand.epochs} epochs"
        )

    def test_provides_two_halves_where_it_demands_them(self) -> None:
        """It provides `two-halves` exactly with the settings with which it demands halves."""
        declared, build = self.declared(), self.declared().builder()
        for text, settings in [
            ("its defaults", self.configured()),
            *self.variants(largest=self.largest),
        ]:
            provided, demanded = "two-halves" in declared.given(settings), build(settings).demand.halves
            fault = (
                "provides two-halves, but demands none"
                if provided
                else "demands halves, but does not provide two-halves"
            )
            self.hold(provided == demanded, f"{fault}, with {text}")

    def test_tells_every_step(self) -> None:
        """It reports every step of the phase, with its number and a finite loss."""
        part = self.made()
        phase = self.begun(part, Recorder())
        reports = self.stepped(part, phase.steps)
        for number, report in enumerate(reports):
            self.hold(report.step == number, f"reports step {number} as step {report.step}")
            self.hold(isfinite(report.loss), f"reports a loss of {report.loss}")
            share = report.accuracy
            self.hold(share is None or 0 <= share <= 1, f"reports an accuracy of {share}, not from 0 to 1")

    def test_the_weights_learn(self) -> None:
        """It changes the weights, and the loss falls on images that are easy to classify."""
        part = self.made()
        phase = self.begun(part, Recorder(), epochs=8)
        before = numbers(phase)
        reports = self.stepped(part, phase.steps)
        after = numbers(phase)
        moved = any(not same(before[name], after[name]) for name, _ in phase.network.named_parameters())
        self.hold(moved, "does not change the weights")
        first, last = (sum(one.loss for one in part) for part in (reports[:3], reports[-3:]))
        self.hold(last < first, f"makes the loss rise, from {first / 3:.3g} to {last / 3:.3g}")

    def test_applies_tricks_if_it_says_so(self) -> None:
        """With `tricks` declared, a trick that sets the learning rate to 0 keeps all weights as they are."""
        if not self.provides("tricks"):
            raise NotExaminedError("it declares no tricks")
        part = self.made()
        phase = phase_for(part.demand, self.found().operations(), Recorder(gradient=None))
        phase.tricks = (UsedTrick(name="still", trick=Still(), declared=frozenset({"schedule"})),)
        part.start(phase)
        before = {name: value.detach().clone() for name, value in phase.network.named_parameters()}
        self.stepped(part, phase.steps)
        still = all(same(before[name], value) for name, value in phase.network.named_parameters())
        self.hold(still, "declares tricks, but ignores the learning rate of a trick")

    def test_goes_on_where_it_stopped(self) -> None:
        """A new trainer that loads its state continues bit-equally."""
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
            not different, f"continues differently after its state was loaded: {', '.join(different[:3])}"
        )
