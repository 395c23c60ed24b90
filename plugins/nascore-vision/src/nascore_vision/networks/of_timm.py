"""Builds networks of timm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import timm

from nascore_vision.networks.meta import build_anywhere

if TYPE_CHECKING:
    from torch import nn


def names() -> list[str]:
    """Return the names of all networks of timm."""
    return list(timm.list_models())


def network(  # noqa: PLR0913 - the signature of operations
    c_in: int,
    c_out: int,
    stride: int,
    *,
    name: str,
    tag: str,
    drop_rate: float,
    drop_path_rate: float,
    img_size: int,
) -> nn.Module:
    """Return a network of timm with new weights.

    Args:
        c_in: Channels of the images.
        c_out: Number of outputs.
        stride: Unused; required by the signature of operations.
        name: Name of the network.
        tag: Unused; it names published weights.
        drop_rate: Dropout before the classifier; below 0: as published.
        drop_path_rate: Share of the paths that are dropped in the last layer; below 0: as published.
        img_size: Height and width of the images, for a network of a fixed size; below 0: as published.
    """
    del stride, tag
    given = {"drop_rate": drop_rate, "drop_path_rate": drop_path_rate, "img_size": img_size}
    more = {key: value for key, value in given.items() if value >= 0}
    return build_anywhere(
        lambda: timm.create_model(name, pretrained=False, in_chans=c_in, num_classes=c_out, **more)
    )
