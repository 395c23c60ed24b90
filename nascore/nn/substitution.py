"""Calls a network with other weights and buffers than its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

    Holder = dict[str, Tensor | None]


class Substitution:
    """The places of a network's weights and buffers, found once.

    ``torch.func.functional_call`` searches all modules in each call; on a small supernet that takes as long
    as the forward pass.

    Args:
        network: The network; its modules stay the same.
    """

    def __init__(self, network: nn.Module) -> None:
        self._weights = dict(_places(network, "_parameters"))
        self._buffers = dict(_places(network, "_buffers"))

    def copied_buffers(self) -> dict[str, Tensor]:
        """Return a copy of each buffer by name, such as of running statistics."""
        return {name: cast("Tensor", holder[key]).clone() for name, (holder, key) in self._buffers.items()}

    @contextmanager
    def given(self, tensors: Mapping[str, Tensor]) -> Iterator[None]:
        """Make the network compute with these weights and buffers, by name, inside."""
        places = [(self._weights.get(name) or self._buffers[name], value) for name, value in tensors.items()]
        before = [holder[key] for (holder, key), _ in places]
        try:
            for (holder, key), value in places:
                holder[key] = value
            yield
        finally:
            for ((holder, key), _), own in zip(places, before, strict=True):
                holder[key] = own


def _places(network: nn.Module, kind: str) -> Iterator[tuple[str, tuple[Holder, str]]]:
    for path, module in network.named_modules():
        holder: Holder = vars(module)[kind]
        for key, tensor in holder.items():
            if tensor is not None:
                yield f"{path}.{key}" if path else key, (holder, key)
