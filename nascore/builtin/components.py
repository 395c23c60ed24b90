"""Declarations and settings of the built-in components; no torch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - the annotation is read when settings are checked
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from nascore.api import Component, Count, Give, Need, Problem, WeightSettings, restated, setting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Choice


@frozen(kw_only=True)
class SoftmaxSettings:
    """Softmax over the entries of each segment."""

    segment: Literal["edge", "node"] | None = setting(
        None,
        "The entries that compete: operations of an edge or a node; null: as in the space.",
    )
    noise: float = setting(0.0, "Standard deviation of the initial theta (1e-3 in the code of DARTS).", ge=0)


@frozen(kw_only=True)
class LinearSettings:
    """Theta itself, free and signed."""

    segment: Literal["edge", "node"] | None = setting(
        None,
        "The entries that are ranked together: operations of an edge or a node; null: as in the space.",
    )


@frozen(kw_only=True)
class OneHotSettings:
    """One operation for each segment, drawn from the softmax over its entries."""

    segment: Literal["edge", "node"] | None = setting(
        None,
        "The entries that compete: operations of an edge or a node; null: as in the space.",
    )


@frozen(kw_only=True)
class SgdSettings:
    """Gradient descent on the architecture parameters."""

    lr: float = setting(0.05, "Learning rate of SGD on the architecture parameters.", gt=0)
    momentum: float = setting(0.9, "Momentum of SGD.", ge=0, lt=1)
    weight_decay: float = setting(0.0, "Weight decay, added to the gradient (coupled).", ge=0)


@frozen(kw_only=True)
class L1Settings:
    """The sum of absolute values."""

    weight: float = setting(1e-3, "Weight of the penalty; 0: none.", ge=0)
    target: Literal["theta", "mixture", "code"] = setting(
        "theta",
        "The penalised values. theta: the parameters (with softmax this favours uniform weights, not sparse "
        "ones); mixture: weights that need not sum to 1; code: the mean distance of the probabilities from "
        "the code drawn from them.",
    )
    average: bool = setting(
        default=False,
        help="Whether to average over the live entries of a group instead of summing.",
    )
    per_use: bool = setting(
        default=False, help="Whether to add the penalty for each use of a group instead of once."
    )


@frozen(kw_only=True)
class EntropySettings:
    """The entropy of the mixture."""

    weight: float = setting(1e-3, "Weight of the penalty; 0: none.", ge=0)
    toward: Literal["decided", "even"] = setting(
        "decided",
        "decided: penalise the entropy; even: penalise the divergence from uniform weights (Geometric NAS).",
    )


@frozen(kw_only=True)
class CostSettings:
    """The expected cost of the mixture."""

    of: Literal["macs", "params"] = setting(
        "macs", "Multiply-accumulates for each image, or parameters, of the supernet."
    )
    weight: float = setting(0.1, "Weight of the penalty; 0: none.", ge=0)
    target: Count | None = setting(  # noqa: RUF009 - it declares a field
        None, "Target cost, such as 200K or 1.5M; null: as cheap as possible.", gt=0
    )


@frozen(kw_only=True)
class RandomSettings:
    """Architectures drawn at random."""

    count: int = setting(24, "Number of architectures to train.", ge=1, le=10**6)


@frozen(kw_only=True)
class FileSettings:
    """A description in a file."""

    path: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "File with an open description in YAML."
    )


@frozen(kw_only=True)
class TinySettings:
    """The size of the tiny space."""

    channels: int = setting(4, "Width of every operation.", ge=1)
    cells: int = setting(2, "How often the cell is used.", ge=1)


@frozen(kw_only=True)
class PlantedSpaceSettings:
    """A space with one useful candidate in each place."""

    form: Literal["chain", "cell", "nb201", "residual"] = setting(
        "chain",
        "chain: three layers with a group each; cell: a cell with three edges that is used twice; nb201: a "
        "cell with six edges, where the three in a row need the useful operation and the others `none`; "
        "residual: the chain with a skip connection around each layer, for relaxations that draw a single "
        "operation in each.",
    )
    seed: int = setting(0, "Decides which candidate is the useful one.", ge=0)
    channels: int = setting(8, "Width of every operation.", ge=1)


@frozen(kw_only=True)
class SyntheticSettings:
    """Images that are a mean of their class plus noise."""

    channels: int = setting(3, "Channels of the images.", ge=1, le=4096)
    size: int = setting(16, "Height and width of the images, in pixels.", ge=1, le=4096)
    classes: int = setting(10, "Number of classes.", ge=2, le=10**5)
    count: int = setting(
        1000, "Number of training images; the test set has a quarter as many.", ge=4, le=10**7
    )
    noise: float = setting(0.1, "Standard deviation of the noise; images lie in 0 to 1.", ge=0, le=1)
    seed: int = setting(0, "Decides on the class means and the noise.", ge=0)


@frozen(kw_only=True)
class PlantedDataSettings:
    """Images whose class is a pattern at a random place."""

    size: int = setting(8, "Height and width of the images, in pixels.", ge=3, le=4096)
    classes: int = setting(4, "Number of patterns.", ge=2, le=16)
    count: int = setting(
        1024, "Number of training images; the test set has a quarter as many.", ge=4, le=10**7
    )
    noise: float = setting(0.1, "Standard deviation of the noise; images lie in 0 to 1.", ge=0, le=1)
    seed: int = setting(0, "Decides on the patterns, their places and the noise.", ge=0)


@frozen(kw_only=True)
class TerminalSettings:
    """The form in which a run is shown."""

    form: Literal["auto", "live", "lines"] = setting(
        "auto", "A live view, or one line for each epoch; auto: live if stderr is a terminal."
    )


LEARNER: Final = Need(
    terms=("updater.learns",),
    why="a penalty has no effect on an updater that follows no gradient",
    verdict="warned",
)


@frozen(kw_only=True)
class ProcessesSettings:
    """The number of processes."""

    workers: int = setting(
        2, "Number of processes that run jobs, each with the run's threads.", ge=1, le=1024
    )


DISTRIBUTION: Final = Need(
    terms=("relaxation.normalized",),
    why="only a distribution has an entropy",
)
NOT_NEGATIVE: Final = Need(
    terms=("relaxation.normalized", "relaxation.non-negative"),
    ask="a relaxation whose weights are not negative",
    why="an operation with a negative weight would count as cheaper than no operation",
)


def _of_mixture(settings: L1Settings) -> bool:
    return settings.target == "mixture"


def _of_code(settings: L1Settings) -> bool:
    return settings.target == "code"


PENALTIES: Final = (
    Component(
        name="l1",
        slot="regularizer",
        summary="Penalises absolute values of theta, of the weights or of a drawn code.",
        config=L1Settings,
        build="nascore.builtin.regularizers:L1",
        needs=(
            Need(
                terms=("not updater.mixture-gradient",),
                ask="an updater that follows the gradient of theta (entropy works with the others)",
                why="an updater that follows the mixture's gradient never sees a penalty on theta",
            ),
            Need(
                terms=("not relaxation.normalized",),
                ask="a relaxation whose weights need not sum to 1",
                why="the L1 norm of every distribution is 1",
                when=_of_mixture,
            ),
            Need(
                terms=("not relaxation.deterministic",),
                ask="a relaxation that draws a code",
                why="without a draw the code is the distribution itself, and their distance is 0",
                when=_of_code,
            ),
            LEARNER,
        ),
    ),
    Component(
        name="entropy",
        slot="regularizer",
        summary="Drives the operation weights to one-hot or to uniform.",
        config=EntropySettings,
        build="nascore.builtin.regularizers:Entropy",
        needs=(DISTRIBUTION, LEARNER),
    ),
    Component(
        name="cost",
        slot="regularizer",
        summary="Penalises the cost of the network, or its distance from a target.",
        config=CostSettings,
        build="nascore.builtin.regularizers:Cost",
        bounds={"target": lambda settings: settings.of},
        needs=(NOT_NEGATIVE, LEARNER),
    ),
)


@frozen(kw_only=True)
class AlternatingSettings:
    """Weights and architecture in turn; the defaults are those of DARTS's search on CIFAR-10."""

    estimate: Literal["first", "unrolled", "single-level"] = setting(
        "first", "Estimate of the architecture gradient; `unrolled` is the second order of DARTS."
    )
    sequence: Literal["architecture-first", "weights-first"] = setting(
        "architecture-first", "Order of the two steps; without effect for `single-level`."
    )
    epochs: int = setting(50, "Epochs over the images for the weights.", ge=1)
    batch: int = setting(64, "Images in a batch.", ge=1)
    lr: float = restated(WeightSettings, "lr")
    lr_min: float = restated(WeightSettings, "lr_min", 0.001)
    momentum: float = restated(WeightSettings, "momentum")
    weight_decay: float = restated(WeightSettings, "weight_decay")
    clip: float = restated(WeightSettings, "clip")
    warm_up: int = setting(0, "Initial epochs in which only the weights are trained.", ge=0)
    augment: bool = setting(
        default=True, help="Whether to crop and flip images at random, as the data set declares."
    )


def _two_halves(settings: AlternatingSettings) -> bool:
    return settings.estimate != "single-level"


def _unrolled(settings: AlternatingSettings) -> bool:
    return settings.estimate == "unrolled"


def _per_sample(settings: AlternatingSettings) -> bool:
    return settings.estimate != "unrolled"


def _searches(settings: AlternatingSettings, recipe: Choice) -> Iterable[Problem]:
    del recipe
    if settings.warm_up >= settings.epochs:
        whole = "the only epoch is" if settings.epochs == 1 else f"all {settings.epochs} epochs are"
        text = f"{whole} warm-up ({settings.warm_up}): none is left to search in."
        few = f"{settings.epochs - 1} or less" if settings.epochs > 1 else "0"
        yield Problem(
            path="trainer.warm_up",
            text=text,
            hint=f"Lower it to {few}, or raise trainer.epochs.",
            slots=("trainer",),
        )


UNROLLED: Final = tuple(
    Need(
        terms=(f"not trick.{capability}",),
        ask=f"no trick that {act}",
        why=f"unrolled looks one step of plain SGD ahead, {difference}",
        when=_unrolled,
    )
    for capability, act, difference in (
        ("optimizer", "brings an optimizer", "and the step of another optimizer differs"),
        ("parameters", "groups the weights", "with one learning rate and weight decay for all weights"),
        ("gradients", "changes or postpones the gradient", "and the changed step differs"),
        ("loss", "changes the loss", "on the loss without tricks"),
    )
)
"""The tricks with which the step that an unrolled estimate looks ahead is not the weights step."""

ALTERNATING = Component(
    name="alternating",
    slot="trainer",
    summary="Alternates architecture steps and weights steps.",
    config=AlternatingSettings,
    build="nascore.builtin.alternating:Alternating",
    provides=(
        Give(capability="two-halves", when=_two_halves),
        Give(capability="sample-gradients", when=_per_sample),
        Give(capability="unrolled", when=_unrolled),
        Give(capability="tricks"),
    ),
    needs=(
        Need(
            terms=("dataset.halves",),
            why="the architecture learns from images that the weights do not see",
            when=_two_halves,
        ),
        *UNROLLED,
        Need(
            terms=("run.full-precision",),
            why="unrolled compares two losses at weights that bf16 and fp16 round to the same numbers",
            when=_unrolled,
        ),
    ),
    mini={"epochs": 5, "batch": 32, "lr": 0.05, "warm_up": 1},
    small={"epochs": 15, "batch": 64, "warm_up": 2},
    check=_searches,
    paper="arXiv 1806.09055",
)


DIGITS = "scikit-learn"


def digits_package(_settings: object, _recipe: Choice) -> Iterable[Problem]:
    """Yield the problem of `digits` where scikit-learn, which holds its images, is not installed."""
    if find_spec("sklearn") is None:
        text = "digits needs scikit-learn, which is not installed."
        hint = f"pip install {DIGITS}, or choose --dataset synthetic."
        yield Problem(path="dataset", text=text, hint=hint, slots=("dataset",), missing=DIGITS)
