"""Settings of the update rule; they load without torch."""

from __future__ import annotations

from attrs import frozen

from nascore.api import setting


@frozen(kw_only=True)
class UpdaterSettings:
    """Adam on the architecture parameters; the defaults are those of the paper."""

    lr: float = setting(3e-4, "Learning rate of Adam on the architecture parameters.", gt=0)
    beta1: float = setting(0.5, "Decay of Adam's mean of the gradient.", ge=0, lt=1)
    beta2: float = setting(0.999, "Decay of Adam's mean of the squared gradient.", ge=0, lt=1)
    weight_decay: float = setting(1e-3, "Weight decay, added to the gradient (coupled).", ge=0)
