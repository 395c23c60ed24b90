"""Tricks: changes to weight training. This module declares them, and imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nascore.api import Component, Need, NoSettings, Problem, hookimpl
from nascore_vision.tricks import settings as of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nascore.api import Choice


def _trick(  # noqa: PLR0913 - each by name
    name: str,
    summary: str,
    build: str,
    *provides: str,
    config: type = NoSettings,
    paper: str = "",
    argument: str | None = None,
    needs: tuple[Need, ...] = (),
    mini: Mapping[str, int] | None = None,
    small: Mapping[str, int] | None = None,
    check: Callable[[Any, Choice], Iterable[Problem]] | None = None,
) -> Component:
    return Component(
        name=name,
        slot="trick",
        summary=summary,
        config=config,
        build=f"nascore_vision.tricks.{build}",
        provides=provides,
        paper=paper,
        argument=argument,
        needs=needs,
        mini=mini or {},
        small=small or {},
        check=check,
    )


MIXED = Need(terms=("task.mixes",), why="this task cannot learn the mean of two targets")


def _cut_numbers(settings: of.CutMixSettings, recipe: Choice) -> Iterable[Problem]:
    """Yield a warning for a regression: numbers rarely mix in the shares of the pixels."""
    del settings
    if "regression" in recipe.names("task"):
        text = (
            "cutmix gives a mixed image the mean of two targets, weighted by pixels, which is right only for "
            "numbers that add up over the pixels."
        )
        hint = "Leave it out; mixup blends images and numbers in the same share."
        yield Problem(path="trick.cutmix", text=text, hint=hint, verdict="warned", slots=("trick", "task"))


def _without_teacher(settings: of.DistillationSettings, recipe: Choice) -> Iterable[Problem]:
    del recipe
    if settings.teacher is None:
        path, hint = "trick.distillation.teacher", "Write --trick distillation:RUN."
        yield Problem(path=path, text="no teacher is named.", hint=hint, slots=("trick",))


STARTS, RATE = "starts", ("starts", "schedule", "sets-rate")
AVERAGE = ("starts", "after-step", "evaluates", "stateful")

IMAGES = (
    _trick("cutout", "Sets a square of each image to the mean.", "images:Cutout", "examples",
           config=of.CutoutSettings, paper="arXiv 1708.04552", argument="length",
           mini={"length": 4}, small={"length": 8}),
    _trick("random-erasing", "Erases a rectangle of some images.", "images:RandomErasing", "examples",
           config=of.ErasingSettings, paper="arXiv 1708.04896"),
    _trick("auto-augment", "Applies a learned policy to each image.", "images:AutoAugment", STARTS,
           "transform", config=of.AutoAugmentSettings, paper="arXiv 1805.09501", argument="policy"),
    _trick("rand-augment", "Applies random operations to each image.", "images:RandAugment", STARTS,
           "transform", config=of.RandAugmentSettings, paper="arXiv 1909.13719"),
    _trick("trivial-augment", "Applies one operation of random strength to each image.",
           "images:TrivialAugment", STARTS, "transform", paper="arXiv 2103.10158"),
    _trick("mixup", "Replaces each image by a weighted mean of two.", "mixing:Mixup", STARTS, "examples",
           config=of.MixupSettings, paper="arXiv 1710.09412", argument="alpha", needs=(MIXED,)),
    _trick("cutmix", "Pastes a rectangle of another image into each image.", "mixing:CutMix", STARTS,
           "examples", config=of.CutMixSettings, paper="arXiv 1905.04899", argument="alpha", needs=(MIXED,),
           check=_cut_numbers),
)  # fmt: skip
SCHEDULES = (
    _trick("warm-up", "Raises the learning rate during the first epochs.", "schedules:WarmUp", STARTS,
           "schedule", config=of.WarmUpSettings, paper="arXiv 1706.02677", argument="epochs",
           mini={"epochs": 1}, small={"epochs": 2}),
    _trick("cosine", "Lowers the learning rate on a cosine, in every step.", "schedules:Cosine", *RATE),
    _trick("step", "Lowers the learning rate every few epochs.", "schedules:Step", *RATE,
           config=of.StepSettings, argument="epochs", mini={"epochs": 4}, small={"epochs": 12}),
    _trick("one-cycle", "Raises and lowers the learning rate once.", "schedules:OneCycle", *RATE,
           config=of.OneCycleSettings, paper="arXiv 1708.07120"),
    _trick("exponential", "Lowers the learning rate by a factor per epoch.", "schedules:Exponential", *RATE,
           config=of.ExponentialSettings, argument="factor"),
    _trick("polynomial", "Lowers the learning rate to zero by a power law.", "schedules:Polynomial", *RATE,
           config=of.PolynomialSettings, argument="power"),
)  # fmt: skip
WEIGHTS = (
    _trick("optimizer", "Trains with an optimizer of timm.", "weights:Named", STARTS, "optimizer",
           config=of.OptimizerSettings, argument="algorithm"),
    _trick("no-decay", "Exempts norms and biases from weight decay.", "weights:NoDecay", STARTS,
           "parameters"),
    _trick("layer-decay", "Lowers the learning rate towards the input.", "weights:LayerDecay", STARTS,
           "parameters", config=of.LayerDecaySettings, paper="arXiv 2106.08254", argument="factor"),
    _trick("accumulate", "Averages the gradients of several batches for one step.",
           "weights:Accumulate", STARTS, "gradients", "stateful",
           config=of.AccumulateSettings, argument="batches"),
    _trick("centralize", "Subtracts the mean from gradients.", "weights:Centralize", "gradients",
           paper="arXiv 2004.01461"),
)  # fmt: skip
NETWORKS = (
    _trick("ema", "Evaluates a moving average of the weights.", "networks:Ema", *AVERAGE,
           config=of.EmaSettings, argument="decay"),
    _trick("swa", "Evaluates the mean of the weights of the last epochs.", "networks:Swa", *AVERAGE,
           "schedule", config=of.SwaSettings, paper="arXiv 1803.05407"),
    _trick("recalibrate", "Measures the running statistics of batch norms again.",
           "networks:Recalibrate", "evaluates"),
    _trick("dropout", "Drops features before the classifier.", "networks:Dropout", "network",
           "random-forward", config=of.DropoutSettings, argument="rate"),
)  # fmt: skip
DISTILLATION = Component(
    name="distillation",
    slot="trick",
    summary="Learns from the outputs of a teacher network as well.",
    config=of.DistillationSettings,
    build="nascore_vision.tricks.networks:Distillation",
    provides=("starts", "loss"),
    needs=(Need(terms=("task.one-class",), why="it learns the teacher's probabilities of classes"),),
    check=_without_teacher,
    paper="arXiv 1503.02531",
    argument="teacher",
    example={"teacher": Path(__file__).parents[1] / "example" / "teacher"},
)


@hookimpl
def nascore_tricks() -> Iterable[Component]:
    """Yield the tricks."""
    yield from (*IMAGES, *SCHEDULES, *WEIGHTS, *NETWORKS, DISTILLATION)
