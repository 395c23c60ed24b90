"""Settings of relaxation and update rule; they load without torch."""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

from nascore.api import setting

COLDEST: Final = 0.01
"""Below this temperature the soft draws are hard in 32-bit floats too, and no gradient is left."""


@frozen(kw_only=True)
class EgsSettings:
    """Ensemble Gumbel-softmax; the defaults are those of the authors' code, with the paper's larger M."""

    draws: int = setting(
        7,
        "M, the one-hot draws whose union is the code; at most so many operations stand together.",
        ge=1,
        le=64,
    )
    tau: float = setting(
        1.0, "Temperature at the first step; it shapes gradients, never what is drawn.", ge=COLDEST
    )
    tau_last: float | None = setting(
        None, "Temperature at the last step, reached linearly; null: it stays.", ge=COLDEST
    )
    segment: Literal["edge", "node"] | None = setting(
        "node",
        "What a code is drawn for: a node, as the paper derives it; an edge, as its code draws; null: "
        "as the space says.",
    )
    form: Literal["softmax", "relu"] = setting(
        "softmax",
        "Which of the code's two files: p the softmax of theta, `none` left out of the mean; or p the shares "
        "of ReLU of theta, `none` counted in the mean.",
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
