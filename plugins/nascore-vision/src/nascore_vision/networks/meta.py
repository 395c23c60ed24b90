"""Builds networks on the meta device too, where costs and shapes are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn


def build_anywhere(build: Callable[[], nn.Module]) -> nn.Module:
    """Return a network on torch's default device.

    Some networks read numbers while they are built, which the meta device does not have; they are built on
    the CPU, without advancing torch's random numbers, and moved.
    """
    if torch.get_default_device().type != "meta":
        return build()
    try:
        return build()
    except (RuntimeError, NotImplementedError, ValueError):
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            return build().to("meta")
