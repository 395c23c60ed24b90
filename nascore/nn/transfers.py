"""Transfers between the CPU and the device.

Only :func:`read_all` and :func:`on_cpu` wait for the work that the device has queued. A value that was read
or sent stays right as long as :func:`version` of its tensor stays the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the CPU on a device, without waiting for the work that the device has queued."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def read_all(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return copies of tensors of one type and one device on the CPU; all of them are waited for at once."""
    if not tensors:
        return []
    joined = torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).cpu()
    parts = torch.split(joined, [tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def on_cpu(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return tensors of one type on the CPU, by name; those on a device are read all at once."""
    far = [name for name, tensor in tensors.items() if tensor.device.type != "cpu"]
    return {**tensors, **dict(zip(far, read_all([tensors[name] for name in far]), strict=True))}


def version(tensor: Tensor) -> int:
    """Return how often a tensor has been changed in place, without waiting for the device."""
    return tensor._version  # noqa: SLF001 - there is no public name
