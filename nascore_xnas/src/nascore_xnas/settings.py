"""Settings of the update rule; they load without torch."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from nascore.api import setting


@frozen(kw_only=True)
class UpdaterSettings:
    """Exponentiated gradients with wipe-out; the defaults are those of the paper and its theorem."""

    eta: float | None = setting(
        None, "Step size; null: the theorem's, sqrt(2 ln N / T) / clip, for each choice group.", gt=0
    )
    clip: float = setting(1.0, "Bound L on a reward; larger ones are clipped to it.", gt=0)
    wipe_out: bool = setting(
        default=True, help="Whether what can no longer win is taken out, and no longer run."
    )
    exclude_none: bool = setting(
        default=True,
        help="Whether `none` takes no part: its reward is always 0, so it could be what survives an edge.",
    )
    granularity: Literal["sample", "batch"] = setting(
        "sample", "A reward for each use and image, as in the paper, or the mean of a batch for all of them."
    )
