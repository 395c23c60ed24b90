"""Settings of the update rule; they load without torch."""

from __future__ import annotations

from attrs import frozen

from nascore.api import setting


@frozen(kw_only=True)
class UpdaterSettings:
    """Exponentiated gradients; the defaults are those of the paper's searches."""

    lr: float = setting(0.1, "Step size of the exponentiated gradient.", gt=0)
    entropic: float = setting(
        0.0, "Weight of the divergence from the even mixture, the counterpart of weight decay.", ge=0
    )
