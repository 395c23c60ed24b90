"""Fingerprints of the state after an epoch, by which a run is compared with its replay to the last bit."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.contract import Phase

DIGITS: Final = 16
"""Hexadecimal digits of a fingerprint."""


def fingerprints_of(phase: Phase) -> dict[str, str]:
    """Return the fingerprint of the weights and buffers, and of the architecture parameters in a search."""
    found = {"weights": digest(phase.network.state_dict())}
    return found if phase.search is None else {**found, "architecture": digest(phase.search.state.theta)}


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return a digest of the names and bytes of some tensors, whatever their order and device."""
    state = sha256()
    for name in sorted(tensors):
        state.update(name.encode())
        value = tensors[name].detach().cpu().contiguous()
        state.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()[:DIGITS]
