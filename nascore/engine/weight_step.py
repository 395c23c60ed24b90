"""The base class of trainers, which makes the weights step: SGD on labelled images, with tricks."""

from __future__ import annotations

from copy import deepcopy
from math import cos, pi
from typing import TYPE_CHECKING, Any

from attrs import evolve
from torch.nn.utils import clip_grad_norm_

from nascore.contract import Demand, StepReport
from nascore.engine.estimates import VirtualStep
from nascore.engine.forward import Criterion, arguments, logits_of
from nascore.engine.loss_scale import LossScale
from nascore.engine.mixture import gradients
from nascore.engine.tricks import WeightTricks
from nascore.gallery import ACCURACY
from nascore.nn.operations.normalization import FirstStatistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.contract import Phase, WeightSettings
    from nascore.engine.forward import Batch
    from nascore.engine.mixture import Draw


def cosine(start: float, end: float, epoch: int, epochs: int) -> float:
    """Return the value at an epoch, counted from 0, on a half cosine from `start` to `end`.

    As in the authors' code of DARTS: the first epoch has the value `start`, and the epoch after the last
    would have the value `end`.
    """
    return end + (start - end) * (1 + cos(pi * epoch / epochs)) / 2


def linear(end: float, epoch: int, epochs: int) -> float:
    """Return the value at an epoch, counted from 0, on a line from 0 to `end`: DARTS's drop path."""
    return end * epoch / epochs


class Supervised:
    """Trains a closed network, or with a mixture the weights of an open one.

    Args:
        rule: The settings of SGD on the weights.
        demand: Epochs, batch size and batches that the engine prepares.
    """

    def __init__(self, rule: WeightSettings, demand: Demand) -> None:
        self.rule = rule
        self.demand = demand
        self.criterion = Criterion(label_smoothing=rule.label_smoothing, auxiliary=rule.auxiliary)
        self.tricks = WeightTricks()
        self.scale = LossScale()
        self.statistics = FirstStatistics()
        self.done = 0

    def start(self, phase: Phase) -> None:
        """Begin a phase with a fresh optimizer."""
        self.phase = phase
        self.criterion = evolve(self.criterion, task=phase.task, facts=phase.facts)
        self.weights, self.optimizer = self.tricks.start(phase, self.rule)
        self.scale = LossScale.of(phase.precision)
        self.statistics = FirstStatistics.of(phase.network)
        self.done = 0

    @property
    def epoch(self) -> int:
        """Number of the current epoch, from 0."""
        return self.done // self.phase.steps_per_epoch

    @property
    def lr(self) -> float:
        """Learning rate of the current step."""
        rate = cosine(self.rule.lr, self.rule.lr_min, self.epoch, self.phase.epochs)
        return self.tricks.rate(self.done, rate) * self.phase.lr_factor

    @property
    def drop_path(self) -> float:
        """Share of the paths that are dropped in the current epoch, 0 to below 1."""
        return linear(self.rule.drop_path, self.epoch, self.phase.epochs)

    def step(self) -> StepReport:
        """Make one step on the next training batch."""
        loss, score = self.fit(self.phase.batches["train"].next())
        return self.report(loss, score)

    def report(
        self, loss: Tensor, score: Tensor | None, architecture_loss: Tensor | None = None
    ) -> StepReport:
        """Return the report of the current step, with tensors as they are, and count the step."""
        metric = ACCURACY if self.phase.task is None else self.phase.task.metrics[0]
        score = None if score is None else score.detach()
        report = StepReport(
            step=self.done,
            loss=loss.detach(),
            architecture_loss=None if architecture_loss is None else architecture_loss.detach(),
            accuracy=score if metric == ACCURACY else None,
            lr=self.lr,
            score=None if metric == ACCURACY else score,
            metric=metric,
        )
        self.done += 1
        return report

    def fit(self, batch: Batch, drawn: Draw | None = None) -> tuple[Tensor, Tensor | None]:
        """Make a weights step on a batch; returns mean loss and first metric before the step."""
        loss, score = self.forward(batch, drawn)
        (slope,) = gradients(loss, self.weights, scale=self.scale.value)
        if self.scale.accepts(slope):
            self.descend(slope)
        return loss.detach(), score

    def forward(self, batch: Batch, drawn: Draw | None = None) -> tuple[Tensor, Tensor | None]:
        """Return the mean loss of a training pass, with its graph, and the first metric of the task."""
        images, targets = batch
        args, named = (
            arguments(images, None, None) if drawn is None else arguments(images, drawn.leaf, drawn.runs)
        )
        with self.phase.streams.network(), self.statistics.batch(self.done):
            outputs = self.phase.network(*args, **named, drop_path=self.drop_path)
        logits = logits_of(outputs)
        score = self.criterion.score(logits.detach(), targets)
        return self.tricks.loss(self.criterion(outputs, targets), logits, images, targets), score

    def descend(self, slope: Mapping[str, Tensor]) -> None:
        """Clip the gradient of the weights, given by name, and make a step of the optimizer.

        Tricks may change the gradient, or postpone the step.
        """
        changed = self.tricks.gradients(slope, self.done)
        if changed is None:
            return
        for name, weight in self.weights.items():
            weight.grad = changed[name]
        if self.rule.clip:
            clip_grad_norm_(list(self.weights.values()), self.rule.clip)
        rate = self.lr
        for group, scale in zip(self.optimizer.param_groups, self.tricks.scales, strict=True):
            group["lr"] = rate * scale
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.tricks.after_step(self.phase.network, self.done)

    def virtual_step(self) -> VirtualStep:
        """Return the next weights step as a virtual step, for an unrolled estimate."""
        states = ((name, self.optimizer.state[weight]) for name, weight in self.weights.items())
        buffers = {
            name: state["momentum_buffer"]
            for name, state in states
            if state.get("momentum_buffer") is not None
        }
        return VirtualStep(
            lr=self.lr, momentum=self.rule.momentum, weight_decay=self.rule.weight_decay, buffers=buffers
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the number of steps done, the optimizer's state, and the loss scale if one is needed."""
        state = {"done": self.done, "optimizer": deepcopy(self.optimizer.state_dict())}
        return {**state, "scale": self.scale.state_dict()} if self.scale.active else state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of a trainer that was started on the same phase."""
        self.done = int(state["done"])
        # Copied here and in state_dict, since torch shares the tensors that steps change.
        self.optimizer.load_state_dict(deepcopy(state["optimizer"]))
        if self.scale.active:
            self.scale.load_state_dict(state["scale"])
