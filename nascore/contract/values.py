"""The values that the components of a search exchange.

Shapes: E edges and O operations of a choice group, K uses of its cell in the network, B images of a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import Factory, evolve, fields, frozen

from nascore.config import setting
from nascore.errors import DescriptionError, Problem, did_you_mean
from nascore.gallery import ACCURACY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from nascore.description import Pick
    from nascore.gallery import Metric

Mixture: TypeAlias = "Mapping[str, Tensor]"
"""By choice group the weight of each operation of each edge: [E, O], or [K, B, E, O] per use and sample."""


@frozen(kw_only=True)
class DataFacts:
    """The facts of a data set, which are known without reading it.

    Attributes:
        channels: Channels of an image.
        height: Height of an image, in pixels.
        width: Width of an image, in pixels.
        classes: Number of classes; of a data set with numbers as targets, how many each image has.
        train: Number of training images.
        test: Number of test images.
        mean: Mean of each channel over the training images, in the scale 0 to 1.
        std: Standard deviation of each channel, in the same scale.
        crop_pad: Pixels of zeros around an image from which a random crop is taken; 0: none.
        flip: Whether an image may be mirrored left to right.
        class_names: Names of the classes, in the order of the labels; empty if they have no names.
        dtype: Type of the images: floats from 0 to 1, or `uint8` from 0 to 255, a byte for each value.
        streamed: Whether images are read from files when they are needed; else they are in memory.
        target_names: Names of the numbers of each image if targets are numbers [N, K]; empty if they are
            classes [N].
        target_mean: Mean of each number over the training images; empty with classes.
        target_std: Standard deviation of each number over the training images, above 0.
    """

    channels: int
    height: int
    width: int
    classes: int
    train: int
    test: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_pad: int = 0
    flip: bool = False
    class_names: tuple[str, ...] = ()
    dtype: Literal["float32", "uint8"] = "float32"
    streamed: bool = False
    target_names: tuple[str, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()


@frozen(kw_only=True)
class Sampled:
    """The mixture that a relaxation returns for one pass.

    Attributes:
        weights: [E, O], with its graph to theta; zero outside the live segments.
        runs: [E, O] bool, the candidates that the *architecture* pass must run. None: all live ones; samplers
            of single operations narrow it, and declare `sparse`. The weight of a candidate that is not run
            gets the gradient 0. The weights pass always runs the candidates whose weight is not exactly 0.
    """

    weights: Tensor
    runs: Tensor | None = None


@frozen(kw_only=True)
class Gradients:
    """The gradients for a step of an updater: exactly one of `theta` and `mixture`.

    Attributes:
        theta: By group, [E, O]: the derivative of loss and penalties with respect to theta.
        mixture: By group, the derivative with respect to the mixture. Granularity `batch`: [E, O], of the
            mean loss. Granularity `sample`: [K, B, E, O], of the *sum* of the losses, so that the reward of
            an operation is its negative.
        penalty: By group, [E, O], for updaters that follow `mixture`: the derivative of the penalties, in the
            unit of `mixture` summed over K and B. None if there is no penalty.
    """

    theta: Mapping[str, Tensor] | None = None
    mixture: Mapping[str, Tensor] | None = None
    penalty: Mapping[str, Tensor] | None = None


@frozen(kw_only=True)
class Horizon:
    """The number of updates and samples that an updater will receive.

    The number of rewards, T in XNAS, is updates * samples * replicas.

    Attributes:
        updates: Architecture steps of this phase, without warm-up; None under a time budget.
        samples: Images of a batch; all batches are full.
        replicas: How often each group is used in the network (K in XNAS).
        keep: Number of entries per segment of each group that must stay alive.
    """

    updates: int | None
    samples: int
    replicas: Mapping[str, int]
    keep: Mapping[str, int]


@frozen(kw_only=True)
class Demand:
    """The epochs and batches that a trainer demands from the engine.

    Attributes:
        epochs: Passes over the training images.
        batch: Images in a batch.
        halves: Whether weights and architecture are trained on different halves of the images: the batches
            are then `train` and `architecture`, else only `train`, of all images.
        augment: Whether images are cropped and flipped as the facts of the data set declare.
        warm_up: Epochs at the beginning without an architecture step.
    """

    epochs: int
    batch: int
    halves: bool = False
    augment: bool = True
    warm_up: int = 0


@frozen(kw_only=True)
class WeightSettings:
    """The settings of SGD on weights, shared by ``trainer``, ``ranking`` and ``training``.

    The defaults are those of DARTS's search on CIFAR-10 (Liu et al. 2018, arXiv:1806.09055), except for the
    final learning rate.
    """

    lr: float = setting(0.025, "Initial learning rate of SGD on the weights; follows a cosine.", gt=0)
    lr_min: float = setting(0.0, "Final learning rate.", ge=0)
    momentum: float = setting(0.9, "Momentum of SGD on the weights.", ge=0, lt=1)
    nesterov: bool = setting(default=False, help="Whether to use Nesterov momentum.")
    weight_decay: float = setting(3e-4, "L2 penalty on the weights.", ge=0)
    clip: float = setting(5.0, "Maximum norm of the gradient of the weights; 0: no clipping.", ge=0)
    label_smoothing: float = setting(
        0.0, "Share of the target that is spread over all classes (label smoothing).", ge=0, lt=1
    )
    drop_path: float = setting(
        0.0, "Probability of dropping a path in the last epoch; it grows linearly from 0.", ge=0, lt=1
    )
    auxiliary: float = setting(0.0, "Weight of the auxiliary head's loss; 0: no head.", ge=0)

    @classmethod
    def of(cls, settings: object) -> WeightSettings:
        """Return the weight settings of a trainer's settings; missing ones have their defaults."""
        names = (field.name for field in fields(cls))
        return cls(**{name: getattr(settings, name) for name in names if hasattr(settings, name)})


@frozen(kw_only=True)
class StepReport:
    """The report of one step of a trainer.

    A trainer may report tensors without dimensions, which the engine reads later: reading one at once would
    wait for the device in every step. Observers receive numbers.

    Attributes:
        step: Number of the step, from 0.
        loss: Mean loss of the training batch, before the step.
        architecture_loss: Mean loss of the architecture batch; None without an architecture pass.
        accuracy: Accuracy on the training batch, 0 to 1; None if the first metric of the task is another.
        lr: Learning rate of the weights in this step.
        score: Value of that metric on the training batch; None if it is the accuracy, or not known.
        metric: The first metric of the task.
    """

    step: int
    loss: float | Tensor
    architecture_loss: float | Tensor | None = None
    accuracy: float | Tensor | None = None
    lr: float | None = None
    score: float | Tensor | None = None
    metric: Metric = ACCURACY

    def read(self) -> StepReport:
        """Return the report with numbers in place of tensors; waits for the device."""
        names = ("loss", "architecture_loss", "accuracy", "score")
        return evolve(self, **{name: _number(getattr(self, name)) for name in names})


def _number(value: Any) -> Any:  # noqa: ANN401 - what a trainer reports
    return value.item() if hasattr(value, "item") else value


@frozen(kw_only=True)
class EpochReport:
    """The report of one epoch of a phase.

    Attributes:
        phase: Name of the phase, `search` or `train`.
        epoch: Number of the epoch, from 0.
        epochs: Number of epochs of the phase.
        step: Number of steps since the phase began.
        loss: Mean of the losses of its steps.
        accuracy: Mean of the accuracies of its steps, 0 to 1; None if the trainer reports none, or if the
            first metric of the task is another.
        architecture_loss: Mean over the architecture passes; None if there were none.
        validation_accuracy: Accuracy on images that the weights are not trained on, 0 to 1; None if not
            measured.
        validation_count: Number of these images.
        lr: Learning rate of the weights in this epoch; None if the trainer has none.
        entropy: By group, mean entropy in nats over the segments of the expected mixture.
        seconds: Wall time of the epoch's steps.
        fingerprints: Digests of the state after the epoch: `weights`, and in a search `architecture`.
        metric: The first metric of the task.
        score: Mean of its values over the steps; None if it is the accuracy, or not known.
        validation_score: Its value on images that the weights are not trained on; None if it is the accuracy,
            or not measured.
    """

    phase: str
    epoch: int
    epochs: int
    step: int
    loss: float
    accuracy: float | None
    architecture_loss: float | None
    validation_accuracy: float | None
    validation_count: int | None
    lr: float | None
    entropy: Mapping[str, float]
    seconds: float
    fingerprints: Mapping[str, str] = Factory(dict)
    metric: Metric = ACCURACY
    score: float | None = None
    validation_score: float | None = None


@frozen(kw_only=True, eq=False)
class Examples:
    """Images with their labels.

    Attributes:
        images: [N, C, H, W], not normalised: floats from 0 to 1, or uint8 from 0 to 255.
        labels: [N], int64: classes; or [N, K], float32: the numbers that `target_names` of the facts names.
    """

    images: Tensor
    labels: Tensor


@frozen(kw_only=True, eq=False)
class GroupCosts:
    """Candidate costs of a choice group, one set for each use of the group in the network.

    Attributes:
        params: Parameters, int64 [K, E, O].
        macs: Multiply-accumulates per image, int64 [K, E, O].
    """

    params: Tensor
    macs: Tensor


@frozen(kw_only=True, eq=False)
class Costs:
    """The costs of a network: those of its fixed part, and those of each candidate.

    Attributes:
        params: Parameters of all fixed operations.
        macs: Multiply-accumulates per image of the convolutions and linear layers that inference runs.
        groups: Costs of the candidates, by choice group.
    """

    params: int
    macs: int
    groups: Mapping[str, GroupCosts]

    def of(self, picks: Mapping[str, Sequence[Pick]]) -> Costs:
        """Return the costs with the picks included in the fixed part; other groups stay open.

        They equal the costs of the derived network if its output depends on the same states.

        Raises:
            DescriptionError: A group does not exist.
        """
        problems = [
            Problem(path=name, text="this group does not exist.", hint=did_you_mean(name, self.groups))
            for name in picks
            if name not in self.groups
        ]
        if problems:
            raise DescriptionError(problems)
        params, macs = self.params, self.macs
        for name, pairs in picks.items():
            for row, column in pairs:
                params += int(self.groups[name].params[:, row, column].sum())
                macs += int(self.groups[name].macs[:, row, column].sum())
        left = {name: group for name, group in self.groups.items() if name not in picks}
        return evolve(self, params=params, macs=macs, groups=left)
