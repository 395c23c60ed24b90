"""Mixed precision: which number type and memory layout the forward passes of training use."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

import torch
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

TYPES: Final[Mapping[str, torch.dtype]] = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""The number types of mixed precision, by the value of the setting `precision`."""


@frozen(kw_only=True)
class Precision:
    """How a network computes in training mode; in evaluation mode it always computes float32.

    Scores are therefore those of the saved network, which computes float32 wherever it is used.

    Attributes:
        name: `float32`, or the type in which autocast runs convolutions and linear layers. Weights, norms,
            mixtures and losses stay float32.
        channels_last: Whether images and features have the memory layout NHWC, in both modes.
    """

    name: Literal["float32", "bf16", "fp16"] = "float32"
    channels_last: bool = False

    @contextmanager
    def autocast(self, device: torch.device, *, training: bool) -> Iterator[None]:
        """Run the operations inside in this precision if the network is in training mode."""
        if self.name not in TYPES or not training:
            yield
            return
        # The cache of casts would hold weights of one pass for another: passes get weights as arguments.
        with torch.autocast(device.type, dtype=TYPES[self.name], cache_enabled=False):
            yield

    def place(self, network: nn.Module) -> None:
        """Bring the weights of a network into the memory layout."""
        if self.channels_last:
            network.to(memory_format=torch.channels_last)

    def images(self, images: Tensor) -> Tensor:
        """Return images [B, C, H, W] in the memory layout."""
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images

    def logits(self, outputs: Tensor) -> Tensor:
        """Return the outputs of a network as float32; losses are computed in float32."""
        return outputs.float() if outputs.dtype in TYPES.values() else outputs
