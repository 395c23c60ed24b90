"""The values that the parts of a search exchange.

Shapes: E edges and O operations of a choice group, K uses of its cell in the network, B images of a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import evolve, fields, frozen

from nascore.config import setting
from nascore.errors import DescriptionError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from nascore.description import Pick

Mixture: TypeAlias = "Mapping[str, Tensor]"
"""By choice group the weight of each operation of each edge: [E, O], or [K, B, E, O] per use and sample."""


@frozen(kw_only=True)
class DataFacts:
    """What a search needs to know of its data, without the data.

    Attributes:
        channels: Channels of an image.
        height: Height of an image, in pixels.
        width: Width of an image, in pixels.
        classes: Number of classes.
        train: Number of training images.
        test: Number of test images.
        mean: Mean of each channel over the training images, in the scale 0 to 1.
        std: Standard deviation of each channel, in the same scale.
        crop_pad: Pixels of zeros around an image from which a random crop is taken; 0: none.
        flip: Whether an image may be mirrored left to right.
        task: What is asked of a network.
        class_names: Names of the classes, in the order of the labels; empty where there are none.
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
    task: str = "classification"
    class_names: tuple[str, ...] = ()


@frozen(kw_only=True)
class Sampled:
    """What a relaxation makes of theta for one pass.

    Attributes:
        weights: [E, O], with its graph to theta; zero outside the live segments.
        runs: [E, O] bool, what the *architecture* pass must run. None: all that is alive; only samplers that
            choose one operation narrow it. The weights pass always runs whatever weight is not zero.
    """

    weights: Tensor
    runs: Tensor | None = None


@frozen(kw_only=True)
class Gradients:
    """What an updater gets to step by: exactly one of `theta` and `mixture`.

    Attributes:
        theta: By group [E, O]: the derivative of loss and penalties with respect to theta.
        mixture: By group. Granularity `batch`: [E, O], of the mean loss. Granularity `sample`: [K, B, E, O],
            of the *sum* of the losses, so that the reward of an operation is its negative.
        penalty: By group [E, O], for updaters that follow `mixture`: the derivative of the penalties, in the
            unit of `mixture` summed over K and B. None where there is no penalty.
    """

    theta: Mapping[str, Tensor] | None = None
    mixture: Mapping[str, Tensor] | None = None
    penalty: Mapping[str, Tensor] | None = None


@frozen(kw_only=True)
class Horizon:
    """How much an updater is going to see; XNAS's T is updates * samples * K, exactly.

    Attributes:
        updates: Architecture steps of this phase, warm-up taken off; None under a time budget.
        samples: Images of a batch; batches are whole.
        replicas: K of each group.
        keep: How many of a segment of each group must survive.
    """

    updates: int | None
    samples: int
    replicas: Mapping[str, int]
    keep: Mapping[str, int]


@frozen(kw_only=True)
class Demand:
    """What a trainer asks the engine to prepare for its phase.

    Attributes:
        epochs: Passes over the training images.
        batch: Images in a batch.
        halves: Whether the architecture is to learn from images that the weights do not see: then there are
            batches `train` and `architecture`, else `train` alone, of all images.
        augment: Whether training images are cropped and flipped as the data set's facts say.
        warm_up: Epochs at the beginning without an architecture step.
    """

    epochs: int
    batch: int
    halves: bool = False
    augment: bool = True
    warm_up: int = 0


@frozen(kw_only=True)
class WeightSettings:
    """How SGD trains weights: what ``trainer``, ``training`` and ``evaluate.training`` have in common.

    Without values of its own it is the training of DARTS's search on CIFAR-10 (Liu et al. 2018,
    arXiv:1806.09055), but for the last learning rate.
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
        """Return those of a trainer that has some of them; the others have their defaults."""
        names = (field.name for field in fields(cls))
        return cls(**{name: getattr(settings, name) for name in names if hasattr(settings, name)})


@frozen(kw_only=True)
class StepReport:
    """What one step of a trainer says.

    Attributes:
        step: Number of the step, from 0.
        loss: Mean loss of the weights' batch, as it was before the step.
        architecture_loss: Mean loss of the architecture's batch; None where no architecture pass was made.
        accuracy: Share of the weights' batch that was right, 0 to 1.
        lr: Learning rate of the weights in this step.
    """

    step: int
    loss: float
    architecture_loss: float | None = None
    accuracy: float | None = None
    lr: float | None = None


@frozen(kw_only=True)
class EpochReport:
    """What one epoch of a phase says.

    Attributes:
        phase: Name of the phase, `search` or `train`.
        epoch: Number of the epoch, from 0.
        epochs: How many there are.
        step: Steps done since the phase began.
        loss: Mean of the steps' losses.
        accuracy: Mean of the steps' accuracies; None if the trainer gives none.
        architecture_loss: Mean over the architecture passes; None if there were none.
        validation_accuracy: Share right on data that the weights have not seen; None if not measured.
        validation_count: How many images that share is of.
        lr: Learning rate of the weights in this epoch; None if the trainer has none.
        entropy: By group, mean entropy in nats over the segments of the expected mixture.
        seconds: Wall time of the epoch's steps.
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


@frozen(kw_only=True, eq=False)
class Examples:
    """Images with their labels.

    Attributes:
        images: [N, C, H, W], scaled to 0 to 1 and not normalised.
        labels: [N], int64.
    """

    images: Tensor
    labels: Tensor


@frozen(kw_only=True, eq=False)
class GroupCosts:
    """What the candidates of a choice group cost, each in each of its uses.

    Attributes:
        params: Parameters, int64 [K, E, O].
        macs: Multiply-accumulates per image, int64 [K, E, O].
    """

    params: Tensor
    macs: Tensor


@frozen(kw_only=True, eq=False)
class Costs:
    """What a network costs: what is certain, and what each choice adds.

    Attributes:
        params: Parameters, of all that is built.
        macs: Multiply-accumulates of convolutions and linear maps per image, of what inference runs.
        groups: By choice group what its candidates cost.
    """

    params: int
    macs: int
    groups: Mapping[str, GroupCosts]

    def of(self, picks: Mapping[str, Sequence[Pick]]) -> Costs:
        """Return what it costs with the picks taken; groups that are not named stay open.

        It is what the derived network costs, as long as that network needs the same states.

        Raises:
            DescriptionError: There is no such group.
        """
        problems = [
            Problem(path=name, text="there is no such group.", hint=did_you_mean(name, self.groups))
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
