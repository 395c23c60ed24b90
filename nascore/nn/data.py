"""Labelled images in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from torch import Tensor


@frozen(kw_only=True, eq=False)
class Examples:
    """Images with their labels.

    Attributes:
        images: [N, C, H, W], scaled to 0 to 1 and not normalised.
        labels: [N], int64.
    """

    images: Tensor
    labels: Tensor
