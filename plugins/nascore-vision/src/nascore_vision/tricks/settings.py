"""The settings of the tricks; they load without torch."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the annotation is read when settings are checked
from typing import Literal

from attrs import frozen

from nascore.api import setting


@frozen(kw_only=True)
class CutoutSettings:
    """A square that is cut out."""

    length: int = setting(16, "Side of the square, in pixels.", ge=1)


@frozen(kw_only=True)
class ErasingSettings:
    """A rectangle that is erased."""

    probability: float = setting(0.25, "Probability that an image is changed.", ge=0, le=1)
    smallest: float = setting(0.02, "Smallest area of the rectangle, as a share of the image.", gt=0, le=0.33)
    largest: float = setting(0.33, "Largest area of the rectangle.", ge=0.33, le=1)
    fill: Literal["mean", "noise"] = setting("mean", "Mean of the data, or Gaussian noise in each pixel.")


@frozen(kw_only=True)
class AutoAugmentSettings:
    """A learned policy."""

    policy: Literal["cifar10", "imagenet", "svhn"] = setting(
        "cifar10", "The data set on which the policy was learned."
    )


@frozen(kw_only=True)
class RandAugmentSettings:
    """Operations drawn at random."""

    operations: int = setting(2, "Operations on each image.", ge=1, le=10)
    magnitude: int = setting(9, "Strength of the operations.", ge=0, le=30)


@frozen(kw_only=True)
class MixupSettings:
    """Weighted means of two images."""

    alpha: float = setting(1.0, "Share of the first image: drawn from Beta(alpha, alpha).", gt=0)
    probability: float = setting(1.0, "Probability that a batch is mixed.", ge=0, le=1)


@frozen(kw_only=True)
class CutMixSettings:
    """Rectangles from other images."""

    alpha: float = setting(1.0, "Share of the area that stays: drawn from Beta(alpha, alpha).", gt=0)
    probability: float = setting(1.0, "Probability that a batch is mixed.", ge=0, le=1)


@frozen(kw_only=True)
class EmaSettings:
    """The decay of the average."""

    decay: float = setting(0.999, "Weight of the old average at each update.", ge=0, le=1)
    warm_up: bool = setting(
        default=True, help="Whether to limit the decay to (1 + n) / (10 + n) in update n, counted from 0."
    )


@frozen(kw_only=True)
class SwaSettings:
    """When weights are averaged."""

    begin: float = setting(0.75, "Share of the training after which averaging begins.", ge=0, lt=1)
    lr: float | None = setting(
        None, "Constant learning rate while averaging; null: the rate is not changed.", gt=0
    )


@frozen(kw_only=True)
class WarmUpSettings:
    """The length of the warm-up."""

    epochs: float = setting(5.0, "Epochs in which the learning rate rises linearly to its full value.", gt=0)
    start: float = setting(0.0, "Share of the full learning rate in the first step.", ge=0, le=1)


@frozen(kw_only=True)
class StepSettings:
    """Falls at regular intervals."""

    epochs: int = setting(30, "Epochs between two falls.", ge=1)
    factor: float = setting(0.1, "Multiplier of the learning rate at each fall.", gt=0, le=1)


@frozen(kw_only=True)
class OneCycleSettings:
    """One rise and one fall."""

    rise: float = setting(0.3, "Share of the training in which the learning rate rises.", gt=0, lt=1)
    start: float = setting(25.0, "The full learning rate divided by that of the first step.", ge=1)
    final: float = setting(1e4, "The learning rate of the first step divided by that of the last.", ge=1)


@frozen(kw_only=True)
class ExponentialSettings:
    """A constant factor."""

    factor: float = setting(0.97, "Multiplier of the learning rate for each epoch.", gt=0, le=1)


@frozen(kw_only=True)
class PolynomialSettings:
    """A power of the remaining share of the training."""

    power: float = setting(1.0, "Exponent of the remaining share of the training.", gt=0)


@frozen(kw_only=True)
class OptimizerSettings:
    """An optimizer by its name."""

    algorithm: str = setting(
        "adamw", "Name of an optimizer in timm, perhaps after lookahead_; lamb clips the gradient norm at 1."
    )
    eps: float | None = setting(None, "The optimizer's epsilon; null: its default.", gt=0)


@frozen(kw_only=True)
class LayerDecaySettings:
    """Rates that fall towards the input."""

    factor: float = setting(0.75, "Learning rate of a layer divided by that of the layer above.", gt=0, le=1)


@frozen(kw_only=True)
class AccumulateSettings:
    """Several batches for a step."""

    batches: int = setting(2, "Batches for each step, whose gradients are averaged.", ge=1)


@frozen(kw_only=True)
class DropoutSettings:
    """Dropout of features."""

    rate: float = setting(0.2, "Probability that a feature before the classifier is set to 0.", ge=0, lt=1)


@frozen(kw_only=True)
class DistillationSettings:
    """The teacher and its weight."""

    teacher: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "Folder of a finished run, whose best network is the teacher."
    )
    weight: float = setting(
        0.9, "Weight of the teacher's loss; the loss on the labels has the rest.", ge=0, le=1
    )
    temperature: float = setting(4.0, "Temperature of the softmax of teacher and student.", gt=0)
