"""The checks of tricks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch
from attrs import evolve

from nascore.contract import UsedTrick, WeightGroup
from nascore.testing.choices import generator
from nascore.testing.conformance import NotExaminedError
from nascore.testing.harness import training_with
from nascore.testing.part import OptionalMethods, reread, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.testing.harness import TrickTraining

MIDDLE: Final = 3
"""The step after which a training is saved: not at the end of an epoch."""

CLASSES: Final = 3


class TrickConformance(OptionalMethods):
    """The checks of a trick: what it declares, its random numbers, its state, and its place in the order.

    Attributes:
        largest: Larger bounds of settings are not tried.
    """

    slot: ClassVar[str] = "trick"
    largest: ClassVar[float] = 100

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Make all steps of a short training."""
        return numbers(self._training(part, seed=seed))

    def test_works_with_both_types_of_images(self) -> None:
        """It works with images of floats too, as with those of uint8, and with targets that are mixed."""
        training = self._training(self.made(), dtype="float32")
        numbers(training)
        if self.provides("examples"):
            mixed = torch.full((2, CLASSES), 1 / CLASSES)
            _, targets = training.examples(_images(2), mixed, 0)
            sums = targets.sum(1) if targets.is_floating_point() and targets.dim() > 1 else torch.zeros(())
            sound = bool(((sums - 1).abs() < 1e-3).all())  # noqa: PLR2004 - rounding
            self.hold(sound, "makes of targets that are probabilities something else")

    def test_trains(self) -> None:
        """The weights change in a training."""
        training = self._training(self.made())
        before = {name: value.clone() for name, value in training.phase.network.state_dict().items()}
        training.steps()
        now = training.phase.network.state_dict()
        trained = [name for name, _ in training.phase.network.named_parameters()]
        self.hold(any(not same(before[name], now[name]) for name in trained), "lets no weight change")

    def test_draws_from_its_generator_only(self) -> None:
        """Called again with a generator in the same state, it changes images in the same way."""
        self._only_with("examples", "transform")
        if self.provides("stateful"):
            raise NotExaminedError("it has a state")
        training = self._training(self.made())
        images, labels = _images(6), torch.arange(6) % CLASSES
        text = "draws from another generator than the one that it gets"
        if self.provides("examples"):
            one, other = (training.examples(images, labels, 4) for _ in range(2))
            self.hold(all(map(same, one, other)), text)
        if self.provides("transform"):
            for seed in range(8):
                found = [training.transformed(images[0], seed) for _ in range(2)]
                self.hold(same(*found), text)

    def test_leaves_its_arguments_alone(self) -> None:
        """It changes no tensor in place that it gets: images, targets and gradients."""
        self._only_with("examples", "transform", "gradients")
        training = self._training(self.made())
        trick = self._one(training)
        images, labels = _images(6), torch.arange(6) % CLASSES
        whole = (images[0] * 255).to(torch.uint8)
        slope = {name: torch.ones_like(weight) for name, weight in training.trainer.weights.items()}
        handed = [images, labels, whole, *slope.values()]
        before = [one.clone() for one in handed]
        if self.provides("examples"):
            training.examples(images, labels, 5)
        if self.provides("transform"):
            for seed in range(8):
                training.transformed(whole, seed)
        if self.provides("gradients"):
            trick.gradients(slope, 0)
        self.hold(all(map(same, before, handed)), "changes a tensor in place that it gets")

    def test_its_rate_depends_on_the_step_alone(self) -> None:
        """The learning rate of a step is the same whenever it is asked for."""
        self._only_with("schedule")
        training = self._training(self.made())
        trick, steps = self._one(training), range(training.phase.steps)
        forward = [float(trick.schedule(step, 0.1)) for step in steps]
        backward = [float(trick.schedule(step, 0.1)) for step in reversed(steps)]
        self.hold(forward == backward[::-1], "gives a step another learning rate when it is asked again")

    def test_keeps_to_the_order(self) -> None:
        """It builds on the learning rate and the groups of the tricks before it, unless it sets the rate."""
        self._only_with("schedule", "parameters")
        training = self._training(self.made())
        trick = self._one(training)
        if self.provides("schedule"):
            pairs = [[trick.schedule(step, lr) for lr in (0.1, 0.2)] for step in range(training.phase.steps)]
            ignores = all(one == other for one, other in pairs)
            sets = self.provides("sets-rate")
            self.hold(ignores or not sets, "declares sets-rate, but uses the rate of the trick before")
            self.hold(sets or not ignores, "ignores the rate of the trick before, but declares no sets-rate")
        if self.provides("parameters"):
            self._keeps_scales(trick, tuple(training.trainer.weights))

    def _keeps_scales(self, trick: Any, names: tuple[str, ...]) -> None:  # noqa: ANN401 - a plugin's class
        whole = WeightGroup(names=names, weight_decay=0.1)
        scales = [
            {name: group.lr_scale for group in trick.parameters((one,)) for name in group.names}
            for one in (whole, evolve(whole, lr_scale=0.5))
        ]
        held = all(scales[1].get(name) == 0.5 * scale for name, scale in scales[0].items())
        self.hold(held, "drops the multiplier of the learning rate that a trick before it gave to a group")

    def test_groups_hold_each_weight_once(self) -> None:
        """Its groups have every weight of the groups that it gets, each once."""
        self._only_with("parameters")
        training = self._training(self.made())
        names = tuple(training.trainer.weights)
        whole = WeightGroup(names=names, weight_decay=0.1)
        found = Counter(name for group in self._one(training).parameters((whole,)) for name in group.names)
        self.hold(found == Counter(names), "leaves out a weight, or has one twice")

    def test_evaluating_changes_nothing(self) -> None:
        """The network that it has evaluated is another object, and making it does not change the training."""
        self._only_with("evaluates")
        watched, alone = self._training(self.made()), self._training(self.made())
        self.hold(
            watched.evaluated() is not watched.phase.network, "has the trained network itself evaluated"
        )
        losses = []
        for _ in range(watched.phase.steps):
            losses.append(watched.steps(1))
            watched.evaluated()
        self.hold(same(torch.cat(losses), alone.steps()), "changes the training when a network is evaluated")

    def test_resumes_in_mid_run(self) -> None:
        """All that it remembers from step to step is in its `state_dict`; else it remembers nothing."""
        first, second = self._training(self.made()), self._training(self.made(), seed=1)
        first.steps(MIDDLE)
        second.restore(reread(first.capture()))
        left = first.phase.steps - MIDDLE
        losses = [each.steps(left) for each in (first, second)]
        one, other = (numbers(each, steps=0) for each in (first, second))
        equal = same(*losses) and all(same(one[name], other[name]) for name in one)
        self.hold(equal, "trains otherwise after it was saved and loaded: its state lacks something")

    def _only_with(self, *capabilities: str) -> None:
        if not any(map(self.provides, capabilities)):
            raise NotExaminedError(f"it does not declare {' or '.join(capabilities)}")

    def _training(self, part: Any, *, seed: int = 0, dtype: Any = "uint8") -> TrickTraining:  # noqa: ANN401 - a plugin's class
        declared = self.declared().given(getattr(part, "settings", self.configured()))
        used = UsedTrick(name=self.component, trick=part, declared=declared)
        return training_with(used, self.found().operations(), seed=seed, dtype=dtype)

    def _one(self, training: TrickTraining) -> Any:  # noqa: ANN401 - the same
        return training.phase.tricks[0].trick


def numbers(training: TrickTraining, *, steps: int | None = None) -> dict[str, Tensor]:
    """Make steps, all by default; returns losses, weights and the weights of the evaluated network."""
    losses = training.steps(steps)
    evaluated = training.evaluated().state_dict()
    weights = {f"weight {name}": value.clone() for name, value in training.phase.network.state_dict().items()}
    return {"losses": losses, **weights, **{f"evaluated {name}": value for name, value in evaluated.items()}}


def _images(count: int) -> Tensor:
    return torch.rand((count, 3, 8, 8), generator=generator(9))
