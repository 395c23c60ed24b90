"""Transfers between the CPU and the device.

Only :func:`read_all` waits for the work that the device has queued. A value on the CPU that was read or sent
stays right as long as :func:`version` of its tensor stays the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the CPU on a device, without waiting for the work that the device has queued."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def read_all(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return copies of tensors of one type and one device on the CPU; all of them are waited for at once."""
    if not tensors:
        return []
    joined = torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).cpu()
    parts = joined.split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def version(tensor: Tensor) -> int:
    """Return how often a tensor has been changed in place, without waiting for the device."""
    return tensor._version  # noqa: SLF001 - there is no public name
