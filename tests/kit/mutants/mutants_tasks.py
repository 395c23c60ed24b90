"""Tasks that are broken on purpose: a plugin for tests of the kit."""

from __future__ import annotations

import torch
from attrs import evolve, frozen

from nascore.api import Component, Metric, Score, hookimpl, setting

ERROR = Metric(name="mean_error", best=0.0, larger_is_better=False)


@frozen(kw_only=True)
class Settings:
    scale: float = setting(2.0, "Divides the difference in the loss.", ge=0.5, le=8)


class Whole:
    """Healthy: the mean square of the difference, measured by the mean size of the difference."""

    metrics = (ERROR,)

    def __init__(self, settings):
        self.settings = settings

    def outputs(self, facts):
        return len(facts.target_names)

    def target_faults(self, targets, facts):
        if targets.dim() != 2 or targets.shape[1] != len(facts.target_names):
            yield f"has targets of shape {tuple(targets.shape)}"
        elif not bool(targets.isfinite().all()):
            yield "has targets that are not finite"

    def strata(self, targets, facts):
        del facts
        return torch.zeros(len(targets), dtype=torch.int64)

    def loss(self, outputs, targets, facts, *, label_smoothing):
        del facts, label_smoothing
        return ((outputs - targets) / self.settings.scale).square().mean()

    def batch_score(self, outputs, targets, facts):
        del facts
        return (outputs - targets).abs().mean()

    def meter(self, facts):
        del facts
        return Meter(self)

    def score(self, errors):
        mean = float(errors.mean())
        half = 2 * float(errors.std()) / len(errors) ** 0.5
        return Score(metric=ERROR, value=mean, count=len(errors), interval=(mean - half, mean + half))

    def predictions(self, outputs, facts):
        return [dict(zip(facts.target_names, row, strict=True)) for row in outputs.tolist()]


class Meter:
    def __init__(self, task):
        self.task = task
        self.errors = []

    def add(self, outputs, targets):
        self.errors.append((outputs - targets).abs().mean(1))

    def scores(self):
        return (self.task.score(torch.cat(self.errors)),)


class Fragile(Whole):
    def loss(self, outputs, targets, facts, *, label_smoothing):
        if self.settings.scale > 4:
            raise ValueError("too large")
        return super().loss(outputs, targets, facts, label_smoothing=label_smoothing)


class Global(Whole):
    """Draws from torch's global generator, and uses nothing of it."""

    def loss(self, outputs, targets, facts, *, label_smoothing):
        torch.rand(())
        return super().loss(outputs, targets, facts, label_smoothing=label_smoothing)


class Spaced(Whole):
    """Has a metric whose name cannot be part of a key."""

    metrics = (evolve(ERROR, name="mean error"),)

    def score(self, errors):
        return evolve(super().score(errors), metric=self.metrics[0])


class Counting(Whole):
    """Has another number of outputs where there are few images."""

    def outputs(self, facts):
        return super().outputs(facts) if facts.train > 10 else 1


class Trusting(Whole):
    """Looks at the shape of targets only."""

    def target_faults(self, targets, facts):
        return [fault for fault in super().target_faults(targets, facts) if "shape" in fault]


class Summed(Whole):
    def loss(self, outputs, targets, facts, *, label_smoothing):
        return len(outputs) * super().loss(outputs, targets, facts, label_smoothing=label_smoothing)


class Backwards(Whole):
    """Learns to be wrong."""

    def loss(self, outputs, targets, facts, *, label_smoothing):
        return -0.1 * super().loss(outputs, targets, facts, label_smoothing=label_smoothing)


class MeanOfMeans(Whole):
    """Takes the mean of the means of batches of different sizes."""

    def meter(self, facts):
        del facts
        return MeterOfMeans(self)


class MeterOfMeans(Meter):
    def scores(self):
        mean = float(torch.stack([one.mean() for one in self.errors]).mean())
        count = sum(map(len, self.errors))
        return (Score(metric=ERROR, value=mean, count=count),)


class Boastful(Whole):
    """Has an interval that lies below the value."""

    def score(self, errors):
        score = super().score(errors)
        return evolve(score, interval=(0.0, score.value / 2))


class Squared(Whole):
    """Scores a batch by the square of the difference."""

    def batch_score(self, outputs, targets, facts):
        del facts
        return (outputs - targets).square().mean()


class Fractions(Whole):
    """Has strata that are no whole numbers."""

    def strata(self, targets, facts):
        return super().strata(targets, facts).float()


class Tensors(Whole):
    """Predicts tensors."""

    def predictions(self, outputs, facts):
        return [dict(zip(facts.target_names, row, strict=True)) for row in outputs]


class Relative(Whole):
    """Predicts differences from the mean of the images that it gets together."""

    def predictions(self, outputs, facts):
        return super().predictions(outputs - outputs.mean(0), facts)


class InPlace(Whole):
    """Changes the outputs that it predicts from."""

    def predictions(self, outputs, facts):
        return super().predictions(outputs.round_(), facts)


class Smoothing(Whole):
    """Smooths without declaring it."""

    def loss(self, outputs, targets, facts, *, label_smoothing):
        return super().loss(outputs, (1 - label_smoothing) * targets, facts, label_smoothing=0.0)


TASKS = {
    "fragile": (Fragile, "its_bounds_hold"),
    "global": (Global, "leaves_the_global_random_numbers_alone"),
    "spaced": (Spaced, "its_metrics_are_named"),
    "counting": (Counting, "counts_outputs"),
    "trusting": (Trusting, "names_faulty_targets"),
    "summed": (Summed, "its_loss_is_a_mean"),
    "backwards": (Backwards, "its_loss_is_learned"),
    "mean-of-means": (MeanOfMeans, "measures_in_batches"),
    "boastful": (Boastful, "scores_are_bounded"),
    "squared": (Squared, "scores_a_batch"),
    "fractions": (Fractions, "splits_by_strata"),
    "tensors": (Tensors, "predicts_plain_values"),
    "relative": (Relative, "predicts_plain_values"),
    "in-place": (InPlace, "leaves_its_arguments_alone"),
    "smoothing": (Smoothing, "smooths_if_it_declares_so"),
}


@hookimpl
def nascore_tasks():
    made = {"healthy": Whole, **{name: one for name, (one, _) in TASKS.items()}}
    for name, built in made.items():
        yield Component(name=name, slot="task", summary="For tests.", config=Settings, build=built)
