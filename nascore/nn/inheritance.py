"""Taking over weights by path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


def inherit(
    child: nn.Module, parent: nn.Module | Mapping[str, Tensor]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Copy every tensor of the parent, weights and buffers, that the child has under the same name and shape.

    Args:
        child: The network that is changed.
        parent: A network, or its ``state_dict``.

    Returns:
        The names of the tensors that were inherited, and of those of the parent that were left over: the
        child does not have them, or has another shape there.
    """
    given = parent.state_dict() if isinstance(parent, nn.Module) else parent
    own = child.state_dict()
    inherited = tuple(
        name for name, tensor in given.items() if name in own and own[name].shape == tensor.shape
    )
    with torch.no_grad():
        for name in inherited:
            own[name].copy_(given[name])
    taken = set(inherited)
    return inherited, tuple(name for name in given if name not in taken)
