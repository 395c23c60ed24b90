"""The checks of tasks."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch
from attrs import evolve

from nascore.contract import DataFacts, Metric, Score
from nascore.errors import error_line
from nascore.testing.choices import generator
from nascore.testing.conformance import NotExaminedError
from nascore.testing.dataset import facts
from nascore.testing.part import PartConformance, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

IMAGES: Final = 24
NAMES: Final = ("first", "second", "third")
"""Classes, or names of the numbers of each image."""

STEPS: Final = 60
CLOSE: Final = 1e-4
"""Largest difference of two losses or scores that should be equal, relative to 1."""


class TaskConformance(PartConformance):
    """The checks of a task: its loss is learned, its metrics agree with it, its predictions can be written.

    Attributes:
        targets: The kind of targets to examine it with: `classes` [N], `labels` [N, K] of 0 and 1, or
            `numbers` [N, K]; None: the first kind in which it finds no fault.
    """

    slot: ClassVar[str] = "task"
    targets: ClassVar[str | None] = None

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Return the loss and the scores of random outputs."""
        targets, known = self._data(part)
        outputs = torch.randn(len(targets), part.outputs(known), generator=generator(seed))
        scores = self._scores(part, outputs, targets, known)
        return {
            "loss": part.loss(outputs, targets, known, label_smoothing=0.0),
            **{score.metric.name: torch.tensor(score.value) for score in scores},
        }

    def test_its_metrics_are_named(self) -> None:
        """It has at least one metric, and no two of one name."""
        metrics = self.made().metrics
        sound = bool(metrics) and all(isinstance(one, Metric) for one in metrics)
        self.hold(sound, "has metrics that are not a tuple of Metric, at least one")
        names = [one.name for one in metrics]
        self.hold(len(set(names)) == len(names), "has two metrics of one name")
        odd = [name for name in names if not name.isidentifier()]
        self.hold(not odd, f"has a metric {', '.join(odd)}: a name has letters, digits and underscores only")

    def test_counts_outputs(self) -> None:
        """Its number of outputs is a whole number above 0 that does not depend on the number of images."""
        part = self.made()
        _, known = self._data(part)
        outputs = part.outputs(known)
        self.hold(
            type(outputs) is int and outputs > 0, f"has {outputs!r} outputs, not a whole number above 0"
        )
        self.hold(outputs == part.outputs(evolve(known, train=7, test=3)), "counts images as outputs")

    def test_names_faulty_targets(self) -> None:
        """It finds a fault in targets of a wrong shape, that are not finite, or out of range."""
        part = self.made()
        targets, known = self._data(part)
        wrong = {
            "of a wrong shape": targets[:, None].repeat(1, 2) if targets.dim() == 1 else targets[:, :-1],
            "out of range": targets + len(NAMES)
            if targets.dim() == 1
            else torch.full_like(targets, torch.nan),
        }
        for kind, odd in wrong.items():
            self.hold(any(map(str, part.target_faults(odd, known))), f"finds no fault in targets {kind}")

    def test_its_loss_is_a_mean(self) -> None:
        """Its loss is a scalar, and that of a batch is the mean of those of its images."""
        part = self.made()
        targets, known = self._data(part)
        outputs = torch.randn(len(targets), part.outputs(known), generator=generator(1))
        whole = part.loss(outputs, targets, known, label_smoothing=0.0)
        self.hold(whole.shape == (), f"has a loss of shape {tuple(whole.shape)}, not a scalar")
        each = [
            part.loss(outputs[at : at + 1], targets[at : at + 1], known, label_smoothing=0.0)
            for at in range(len(targets))
        ]
        mean = torch.stack(each).mean()
        self.hold(near(whole, mean), "has a loss of a batch that is not the mean over its images")

    def test_its_loss_is_learned(self) -> None:
        """Gradient descent on its loss improves every metric, in the direction that the metric declares."""
        part = self.made()
        targets, known = self._data(part)
        before = self._scores(part, self._initial(part, known, len(targets)), targets, known)
        now = self._scores(part, self._learned(part, targets, known), targets, known)
        worse = [new.metric.name for old, new in zip(before, now, strict=True) if new.error >= old.error]
        self.hold(not worse, f"learns its loss, which does not improve {', '.join(worse)}")

    def test_measures_in_batches(self) -> None:
        """Its scores do not depend on the size of the batches, and count every image."""
        part = self.made()
        targets, known = self._data(part)
        outputs = torch.randn(len(targets), part.outputs(known), generator=generator(2))
        whole = self._scores(part, outputs, targets, known)
        pieces = self._scores(part, outputs, targets, known, size=5)
        equal = all(
            near(torch.tensor(one.value), torch.tensor(other.value))
            for one, other in zip(whole, pieces, strict=True)
        )
        self.hold(equal, "has other scores when the images come in smaller batches")
        counts = {score.count for score in (*whole, *pieces)}
        self.hold(counts == {len(targets)}, f"counts {counts} images, not {len(targets)}")

    def test_scores_are_bounded(self) -> None:
        """Scores have the order of its metrics; none is better than the best one, or outside its interval."""
        part = self.made()
        targets, known = self._data(part)
        for outputs in (self._learned(part, targets, known), self._initial(part, known, len(targets))):
            scores = self._scores(part, outputs, targets, known)
            self.hold(tuple(one.metric for one in scores) == part.metrics, "has scores in another order")
            for score in scores:
                name = score.metric.name
                self.hold(isfinite(score.value), f"has a {name} of {score.value}")
                self.hold(score.error >= 0, f"has a {name} of {score.value}, better than {score.metric.best}")
                low, high = score.interval or (score.value, score.value)
                self.hold(low <= score.value <= high, f"has a {name} outside its interval")

    def test_scores_a_batch(self) -> None:
        """The first metric of a batch is a scalar and equals that of its meter, or there is none."""
        part = self.made()
        targets, known = self._data(part)
        outputs = torch.randn(len(targets), part.outputs(known), generator=generator(3))
        found = part.batch_score(outputs, targets, known)
        if found is None:
            raise NotExaminedError("it gives no score of a batch")
        value = torch.tensor(self._scores(part, outputs, targets, known)[0].value)
        self.hold(found.shape == () and near(found, value), "scores a batch differently from its meter")

    def test_splits_by_strata(self) -> None:
        """Its strata are a whole number for each image."""
        part = self.made()
        targets, known = self._data(part)
        strata = part.strata(targets, known)
        sound = strata.dtype == torch.int64 and strata.shape == (len(targets),)
        self.hold(sound, f"has strata of {strata.dtype} and shape {tuple(strata.shape)}, not int64 [N]")

    def test_predicts_plain_values(self) -> None:
        """It predicts plain values for each image, alone as among others."""
        part = self.made()
        targets, known = self._data(part)
        outputs = self._learned(part, targets, known)
        found = part.predictions(outputs, evolve(known, train=1, test=1))
        self.hold(len(found) == len(outputs), f"has {len(found)} predictions for {len(outputs)} images")
        odd = next((one for one in found if not (isinstance(one, dict) and is_plain(one))), None)
        self.hold(odd is None, "predicts something else than values for JSON")
        alone = part.predictions(outputs[1:2], known)
        self.hold(alone == found[1:2], "predicts something else for an image alone than among others")

    def test_leaves_its_arguments_alone(self) -> None:
        """It changes neither outputs nor targets in place."""
        part = self.made()
        targets, known = self._data(part)
        outputs = torch.randn(len(targets), part.outputs(known), generator=generator(4))
        before = outputs.clone(), targets.clone()
        part.loss(outputs, targets, known, label_smoothing=0.0)
        part.batch_score(outputs, targets, known)
        self._scores(part, outputs, targets, known)
        part.predictions(outputs, known)
        self.hold(all(map(same, before, (outputs, targets))), "changes outputs or targets in place")

    def test_smooths_if_it_declares_so(self) -> None:
        """Label smoothing changes its loss exactly if it declares `smooths`."""
        part = self.made()
        targets, known = self._data(part)
        outputs = torch.randn(len(targets), part.outputs(known), generator=generator(5))
        plain, smooth = (part.loss(outputs, targets, known, label_smoothing=share) for share in (0.0, 0.2))
        changes = not near(plain, smooth)
        self.hold(changes or not self.provides("smooths"), "declares smooths, but ignores label smoothing")
        self.hold(self.provides("smooths") or not changes, "smooths labels, but does not declare smooths")

    def _data(self, part: Any) -> tuple[Tensor, DataFacts]:  # noqa: ANN401 - a plugin's class
        """Return targets that it can learn, with their facts."""
        kinds = samples()
        tried = kinds.values() if self.targets is None else (kinds[self.targets],)
        reasons = []
        for targets, known in tried:
            try:
                reasons = [*part.target_faults(targets, known)]
            except Exception as error:  # noqa: BLE001 - of targets that are not meant for it
                reasons = [error_line(error)]
            if not reasons:
                return targets, known
        text = f"learns neither classes, labels nor numbers: {reasons[0]}"
        self.hold(holds=False, text=text)
        raise AssertionError(text)

    def _initial(self, part: Any, known: DataFacts, count: int) -> Tensor:  # noqa: ANN401 - the same
        return torch.randn(count, part.outputs(known), generator=generator(6))

    def _learned(self, part: Any, targets: Tensor, known: DataFacts) -> Tensor:  # noqa: ANN401 - the same
        """Return outputs after gradient descent on the loss."""
        outputs = self._initial(part, known, len(targets)).requires_grad_()
        for _ in range(STEPS):
            (slope,) = torch.autograd.grad(part.loss(outputs, targets, known, label_smoothing=0.0), outputs)
            outputs = (outputs - len(targets) * 0.3 * slope).detach().requires_grad_()
        return outputs.detach()

    def _scores(
        self,
        part: Any,  # noqa: ANN401 - the same
        outputs: Tensor,
        targets: Tensor,
        known: DataFacts,
        size: int = IMAGES,
    ) -> tuple[Score, ...]:
        meter = part.meter(known)
        for at in range(0, len(targets), size):
            meter.add(outputs[at : at + size], targets[at : at + size])
        found = meter.scores()
        sound = isinstance(found, tuple) and all(isinstance(one, Score) for one in found)
        self.hold(sound, "has scores that are not a tuple of Score")
        return tuple(found)


def samples() -> dict[str, tuple[Tensor, DataFacts]]:
    """Return targets of each kind with their facts."""
    known = evolve(facts(channels=1, size=8, classes=len(NAMES)), train=IMAGES)
    numbers = torch.rand((IMAGES, len(NAMES)), generator=generator(7))
    labels = (numbers < torch.tensor([0.5, 0.4, 0.6])).float()
    values = 20 * numbers - 4
    return {
        "classes": (torch.arange(IMAGES) % len(NAMES), evolve(known, class_names=NAMES)),
        "labels": (labels, with_targets(known, labels)),
        "numbers": (values, with_targets(known, values)),
    }


def with_targets(known: DataFacts, targets: Tensor) -> DataFacts:
    """Return facts with the names, the means and the deviations of targets [N, K]."""
    return evolve(
        known,
        target_names=NAMES,
        target_mean=tuple(targets.mean(0).tolist()),
        target_std=tuple(targets.std(0).tolist()),
    )


def near(one: Tensor, other: Tensor) -> bool:
    """Return whether two numbers are equal up to rounding."""
    return bool((one - other).abs() <= CLOSE * other.abs().clamp_min(1))


def is_plain(value: object) -> bool:
    """Return whether a value consists of values for JSON."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or type(value) in {bool, int, float, str}
