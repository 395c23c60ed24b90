"""Fingerprints of the state after an epoch, by which a run is compared with its replay to the last bit."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import torch

from nascore.nn.transfers import read_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from nascore.contract import Phase

DIGITS: Final = 16
"""Hexadecimal digits of a fingerprint."""

AT_ONCE: Final = 1 << 26
"""Bytes from which on no further tensor is read at the same time."""


def fingerprints_of(phase: Phase) -> dict[str, str]:
    """Return the fingerprint of the weights and buffers, and of the architecture parameters in a search."""
    found = {"weights": digest(phase.network.state_dict())}
    return found if phase.search is None else {**found, "architecture": digest(phase.search.state.theta)}


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return a digest of the names and bytes of some tensors, whatever their order and device."""
    state = sha256()
    for names in _parts(tensors):
        flat = [tensors[name].detach().reshape(-1).view(torch.uint8) for name in names]
        for name, value in zip(names, read_all(flat), strict=True):
            state.update(name.encode())
            state.update(value.numpy().data)
    return state.hexdigest()[:DIGITS]


def _parts(tensors: Mapping[str, Tensor]) -> Iterator[list[str]]:
    """Yield the sorted names in parts; the tensors of a part lie on one device and are read at once."""
    names: list[str] = []
    device, size = None, 0
    for name in sorted(tensors):
        tensor = tensors[name]
        if names and (tensor.device != device or size > AT_ONCE):
            yield names
            names, size = [], 0
        names.append(name)
        device, size = tensor.device, size + tensor.nbytes
    if names:
        yield names
