"""DATA (Chang et al., NeurIPS 2019: Differentiable ArchiTecture Approximation) for nascore.

It provides the sampler (ensemble Gumbel-softmax) and the update rule of DATA, and no data set. This module
declares the parts and imports neither torch nor the code of the parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from nascore.api import Component, Give, Need, Preset, hookimpl, setting

if TYPE_CHECKING:
    from collections.abc import Iterable


COLDEST: Final = 0.01
"""Below this temperature the soft draws are one-hot in 32-bit floats and have no gradient."""


@frozen(kw_only=True)
class EgsSettings:
    """Ensemble Gumbel-softmax; the defaults are those of the authors' code, with the paper's larger M."""

    draws: int = setting(
        7,
        "M, the number of one-hot draws; their union is the code.",
        ge=1,
        le=64,
    )
    tau: float = setting(
        1.0, "Temperature at the first step; it affects gradients, but not the draws.", ge=COLDEST
    )
    tau_last: float | None = setting(
        None, "Temperature at the last step, reached linearly; null: constant.", ge=COLDEST
    )
    segment: Literal["edge", "node"] | None = setting(
        "node",
        "Whether a code is drawn for each node, as in the paper, or for each edge, as in the authors' code; "
        "null: as in the space.",
    )
    form: Literal["softmax", "relu"] = setting(
        "softmax",
        "The variant of the authors' code. softmax: p is the softmax of theta, and the mean leaves out "
        "`none`; relu: p is ReLU(theta) over its sum, and the mean counts `none`.",
    )
    normalize: Literal["mean", "sum"] = setting(
        "mean", "Whether the drawn operations are averaged, as in the code, or summed, as in the formula."
    )
    noise: float = setting(1e-3, "Standard deviation of theta at the start, around 0 or (relu) 1.", ge=0)


@frozen(kw_only=True)
class UpdaterSettings:
    """Adam on the architecture parameters; the defaults are those of the authors' code."""

    lr: float = setting(3e-4, "Learning rate of Adam on the architecture parameters.", gt=0)
    beta1: float = setting(0.5, "Decay of Adam's mean of the gradient.", ge=0, lt=1)
    beta2: float = setting(0.999, "Decay of Adam's mean of the squared gradient.", ge=0, lt=1)
    weight_decay: float = setting(0.0, "Weight decay, added to the gradient (coupled); DATA has none.", ge=0)


PAPER: Final = "Chang et al., NeurIPS 2019 (earlier arXiv 1905.01786)"


def _several(settings: EgsSettings) -> bool:
    return settings.draws > 1


def _sums_to_one(settings: EgsSettings) -> bool:
    return settings.normalize == "mean" or settings.draws == 1


def _by_node(settings: EgsSettings) -> bool:
    return settings.segment == "node"


EGS: Final = Component(
    name="egs",
    slot="relaxation",
    summary="Ensemble Gumbel-softmax: draws a code of up to M operations.",
    config=EgsSettings,
    build="nascore_data.relaxation:Egs",
    provides=(
        "selects",
        "pools",
        "anneals",
        "non-negative",
        Give(capability="normalized", when=_sums_to_one),
    ),
    needs=(
        Need(
            terms=("not space.fixed",),
            ask="a space whose architectures may hold several operations on an edge",
            why="with more than one draw, an edge may keep several operations",
            when=_several,
        ),
        Need(
            terms=("not space.fixed",),
            ask="a space whose nodes need not read every edge (or --set relaxation.segment=edge)",
            why="a code that is drawn for a node leaves most edges of the node empty",
            when=_by_node,
            verdict="warned",
        ),
    ),
    paper=PAPER,
)

DATA: Final = Component(
    name="data",
    slot="updater",
    summary="Adam on the architecture parameters of a sampled code, without weight decay.",
    config=UpdaterSettings,
    build="nascore_data.updater:Updater",
    provides=("learns",),
    needs=(
        Need(
            terms=("relaxation.selects",),
            why="without its sampler DATA is plain Adam",
            verdict="warned",
        ),
        Need(
            terms=("trainer.two-halves", "growth.shadows"),
            ask="an estimate on images that the weights do not see (first, unrolled), or shadow growth",
            why="trained on the same images, the architecture overfits (DARTS: 3.56 % error, not 3.00 %)",
            verdict="warned",
        ),
    ),
    wishes={
        "relaxation": ["egs", ("egs", {"draws": 1, "segment": "edge"})],
        "regularizer": ("l1", {"target": "code", "weight": 0.1}),
    },
    mini={"lr": 0.05},
    small={"lr": 3e-3},
    # The penalty is a mean over a group: in a group of a few entries it would outweigh the loss.
    mini_wishes={"regularizer": []},
    paper=PAPER,
)


@hookimpl
def nascore_updaters() -> Iterable[Component]:
    """Yield the updater ``data``."""
    yield DATA


@hookimpl
def nascore_relaxations() -> Iterable[Component]:
    """Yield the relaxation ``egs``."""
    yield EGS


@hookimpl
def nascore_presets() -> Iterable[Preset]:
    """Yield the recipes of the paper."""
    folder = Path(__file__).parent / "presets"
    for draws in (4, 7):
        yield Preset(
            name=f"data-m{draws}-cifar10",
            summary=f"The search and evaluation of DATA on CIFAR-10, with {draws} draws.",
            path=folder / f"data-m{draws}-cifar10.yaml",
        )
