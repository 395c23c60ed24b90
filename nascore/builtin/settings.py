"""Settings of the built-in components; they load without torch."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the annotation is read when settings are checked
from typing import Literal

from attrs import frozen

from nascore.api import Count, setting


@frozen(kw_only=True)
class SoftmaxSettings:
    """Softmax over what competes."""

    segment: Literal["edge", "node"] | None = setting(
        None, "What competes: the operations of an edge, all of a node, or as the space says."
    )
    noise: float = setting(0.0, "Standard deviation of the start value (DARTS's code: 1e-3).", ge=0)


@frozen(kw_only=True)
class LinearSettings:
    """Theta itself, free and signed."""

    segment: Literal["edge", "node"] | None = setting(
        None,
        "What is ranked against each other: the operations of an edge, all of a node, or as the space says.",
    )


@frozen(kw_only=True)
class OneHotSettings:
    """One operation, drawn from the softmax over what competes."""

    segment: Literal["edge", "node"] | None = setting(
        None, "What competes: the operations of an edge, all of a node, or as the space says."
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
        "Of what: theta (under softmax that pulls to the even mixture, not to a sparse one), a mixture that "
        "need not sum to 1, or the mean distance of probabilities from the code that was drawn of them.",
    )
    average: bool = setting(
        default=False,
        help="Whether theta and mixture are averaged over the live entries of a group, not summed.",
    )
    per_use: bool = setting(
        default=False, help="Whether each use of a group adds the penalty of the group, not each group once."
    )


@frozen(kw_only=True)
class EntropySettings:
    """How undecided the mixture is."""

    weight: float = setting(1e-3, "Weight of the penalty; 0: none.", ge=0)
    toward: Literal["decided", "even"] = setting(
        "decided",
        "decided: the entropy is penalised; even: the divergence from the even mixture (Geometric NAS).",
    )


@frozen(kw_only=True)
class CostSettings:
    """What the mixture is expected to cost."""

    of: Literal["macs", "params"] = setting(
        "macs", "Multiplications with addition per image, or parameters, of the network that is searched in."
    )
    weight: float = setting(0.1, "Weight of the penalty; 0: none.", ge=0)
    target: Count | None = setting(  # noqa: RUF009 - it declares a field
        None, "Wished cost, as 200K or 1.5M; null: as cheap as possible.", gt=0
    )


@frozen(kw_only=True)
class RandomSettings:
    """Architectures drawn at random."""

    count: int = setting(24, "Number of architectures; the best is chosen by validation.", ge=1, le=10**6)


@frozen(kw_only=True)
class FileSettings:
    """A description in a file."""

    path: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "File with an open description in YAML."
    )


@frozen(kw_only=True)
class TinySettings:
    """Size of the tiny space."""

    channels: int = setting(4, "Width of every operation.", ge=1)
    cells: int = setting(2, "How often the cell is used.", ge=1)


@frozen(kw_only=True)
class PlantedSpaceSettings:
    """A space with one useful candidate in each place."""

    form: Literal["chain", "cell", "nb201", "residual"] = setting(
        "chain",
        "chain: three layers with a group each; cell: a cell with three edges that is used twice; nb201: a "
        "cell with six edges, of which the three in a row need what is useful and the others `none`; "
        "residual: the chain with a skip around each layer, for relaxations that draw one operation of each.",
    )
    seed: int = setting(0, "Where among the candidates the useful one stands.", ge=0)
    channels: int = setting(8, "Width of every operation.", ge=1)


@frozen(kw_only=True)
class SyntheticSettings:
    """Images that are a mean of their class plus noise."""

    channels: int = setting(3, "Channels of the images.", ge=1, le=4096)
    size: int = setting(16, "Height and width of the images, in pixels.", ge=1, le=4096)
    classes: int = setting(10, "Number of classes.", ge=2, le=10**5)
    count: int = setting(1000, "Number of training images; a quarter as many to test.", ge=4, le=10**7)
    noise: float = setting(0.1, "Standard deviation of the noise; images lie in 0 to 1.", ge=0, le=1)
    seed: int = setting(0, "Decides on the class means and the noise.", ge=0)


@frozen(kw_only=True)
class PlantedDataSettings:
    """Images whose class is a pattern at a random place."""

    size: int = setting(8, "Height and width of the images, in pixels.", ge=3, le=4096)
    classes: int = setting(4, "Number of patterns.", ge=2, le=16)
    count: int = setting(1024, "Number of training images; a quarter as many to test.", ge=4, le=10**7)
    noise: float = setting(0.1, "Standard deviation of the noise; images lie in 0 to 1.", ge=0, le=1)
    seed: int = setting(0, "Decides on the patterns, their places and the noise.", ge=0)


@frozen(kw_only=True)
class TerminalSettings:
    """How a run is shown."""

    form: Literal["auto", "live", "lines"] = setting(
        "auto", "A view that moves, or a line an epoch; auto: a view where stderr is a terminal."
    )
