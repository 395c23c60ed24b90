"""Tricks that set the learning rate of each step, in closed form."""

from __future__ import annotations

from math import cos, pi
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nascore.api import Training
    from nascore_vision.tricks.settings import (
        ExponentialSettings,
        OneCycleSettings,
        PolynomialSettings,
        StepSettings,
        WarmUpSettings,
    )


class Schedule:
    """The base class of the schedules, which stores the training."""

    def __init__(self, settings: Any) -> None:  # noqa: ANN401 - each schedule has a class of its own
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training."""
        self.training = training

    def along(self, step: int) -> float:
        """Return the share of the training that is done before a step, 0 to below 1."""
        return step / self.training.steps

    def between(self, weight: float) -> float:
        """Return a weighted mean: the initial learning rate for 1, the final one for 0."""
        rates = self.training.settings
        return rates.lr_min + (rates.lr - rates.lr_min) * weight


class Cosine(Schedule):
    """Half a cosine over the steps, from `lr` to `lr_min`; without it the cosine is one over the epochs."""

    def schedule(self, step: int, lr: float) -> float:
        """Return ``lr_min + (lr - lr_min) * (1 + cos(pi * t)) / 2``, where t is the share of steps done."""
        del lr
        return self.between((1 + cos(pi * self.along(step))) / 2)


class Step(Schedule):
    """Falls by a factor every few epochs."""

    settings: StepSettings

    def schedule(self, step: int, lr: float) -> float:
        """Return ``lr * factor ** (epoch // epochs)``."""
        del lr
        falls = step // self.training.steps_per_epoch // self.settings.epochs
        rate: float = self.training.settings.lr * self.settings.factor**falls
        return rate


class Exponential(Schedule):
    """Falls by a factor in each epoch, in every step a little."""

    settings: ExponentialSettings

    def schedule(self, step: int, lr: float) -> float:
        """Return ``lr * factor ** (step / steps_per_epoch)``."""
        del lr
        share: float = self.settings.factor ** (step / self.training.steps_per_epoch)
        return self.training.settings.lr * share


class Polynomial(Schedule):
    """Falls with a power of the share of the training that is left."""

    settings: PolynomialSettings

    def schedule(self, step: int, lr: float) -> float:
        """Return ``lr_min + (lr - lr_min) * (1 - t) ** power``, where t is the share of steps done."""
        del lr
        left: float = (1 - self.along(step)) ** self.settings.power
        return self.between(left)


class OneCycle(Schedule):
    """Rises and falls on two half cosines (Smith and Topin 2017, arXiv 1708.07120); momentum is constant."""

    settings: OneCycleSettings

    def schedule(self, step: int, lr: float) -> float:
        """Return the rate of torch's `OneCycleLR`: from lr / start to lr, then to lr / start / final."""
        del lr
        top = self.training.settings.lr
        first = top / self.settings.start
        last = first / self.settings.final
        peak = self.settings.rise * self.training.steps - 1
        end = self.training.steps - 1
        if step <= peak:
            return _half_cosine(first, top, step / peak)
        return _half_cosine(top, last, (step - peak) / (end - peak))


class WarmUp(Schedule):
    """Raises the learning rate in a line during the first epochs (Goyal et al. 2017, arXiv 1706.02677)."""

    settings: WarmUpSettings

    def schedule(self, step: int, lr: float) -> float:
        """Return ``lr * (start + (1 - start) * step / steps)`` in the warm-up, and `lr` after it."""
        steps = self.settings.epochs * self.training.steps_per_epoch
        return lr * (self.settings.start + (1 - self.settings.start) * min(1.0, step / steps))


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * share)) / 2
