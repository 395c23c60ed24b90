"""Settings of the growth policy; they load without torch."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from nascore.api import Count, setting

OPERATIONS = (
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
)
"""The candidates of the authors' code, no `none` among them; here pools have a norm, which the code lacks."""


@frozen(kw_only=True)
class GrowthSettings:
    """How architectures grow; the defaults are those of the authors' code."""

    search: Literal["cell", "macro"] = setting(
        "cell", "cell: all uses of a cell grow alike; macro: each use, or each layer, grows by itself."
    )
    soft: bool = setting(
        default=False,
        help="Whether candidates join through a gate that learns, instead of as shadows (the joint variant).",
    )
    keep: int = setting(3, "Candidates that are kept at each place that grows.", ge=1)
    operations: list[str] = setting(  # noqa: RUF009 - it declares a field
        list(OPERATIONS), "Candidate operations, by name or with settings, as in a description."
    )
    count: int = setting(1000, "Architectures to train, with those that growth begins with.", ge=1, le=10**6)
    depth: int = setting(8, "How often an architecture and those before it may have grown.", ge=1)
    limit: Count | None = setting(  # noqa: RUF009 - it declares a field
        83_333_333, "MACs per image above which an architecture grows no more; null: no limit.", gt=0
    )
    eps: float = setting(
        0.025, "How far above the lower hull of error over cost a parent may lie, relative to the hull.", ge=0
    )
    wave: int = setting(1, "Parents that grow at the same time; all see the gallery as it was before.", ge=1)
    seed_epochs: int = setting(200, "Passes over the images for what growth begins with.", ge=1)
    child_epochs: int = setting(80, "Passes over the images for a child, which inherits its weights.", ge=1)
