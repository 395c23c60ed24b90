"""Builds networks of torchvision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torch import nn
from torchvision import models

from nascore_vision.networks.checkpoints import in_checkpoints
from nascore_vision.networks.meta import build_anywhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.api import Pretrained

PLAIN: Mapping[str, Mapping[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}
"""Arguments of networks that otherwise return several outputs in training."""

AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
"""Beginnings of the names of tensors of auxiliary heads, which these networks are built without."""

NUMBERED = re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..+)")
"""Names of tensors in published files of DenseNets: the module has `norm1` for `norm.1`."""

COLOURS = 3
"""Channels for which torchvision builds its networks."""


def names() -> list[str]:
    """Return the names of all classification networks of torchvision."""
    return list(models.list_models(module=models))


def network(  # noqa: PLR0913 - the signature of operations
    c_in: int,
    c_out: int,
    stride: int,
    *,
    name: str,
    dropout: float,
    stochastic_depth_prob: float,
    image_size: int,
) -> nn.Module:
    """Return a classification network of torchvision with new weights.

    Args:
        c_in: Channels of the images; unless they are 3, the first convolution is replaced.
        c_out: Number of outputs.
        stride: Unused; required by the signature of operations.
        name: Name of the network.
        dropout: Dropout before the classifier; below 0: as published.
        stochastic_depth_prob: Share of the paths that are dropped in the last layer; below 0: as published.
        image_size: Height and width of the images, for a network of a fixed size; below 0: as published.
    """
    del stride
    given = {"dropout": dropout, "stochastic_depth_prob": stochastic_depth_prob, "image_size": image_size}
    more = {key: value for key, value in given.items() if value >= 0} | dict(PLAIN.get(name, {}))

    def build() -> nn.Module:
        made: nn.Module = models.get_model(name, weights=None, num_classes=c_out, **more)
        if c_in != COLOURS:
            replace_first(made, c_in)
        return made

    return build_anywhere(build)


def replace_first(network: nn.Module, channels: int) -> None:
    """Replace the first convolution of a network by one that reads images of other channels."""
    path, first = next((path, one) for path, one in network.named_modules() if isinstance(one, nn.Conv2d))
    made = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]  # torch declares it wider than it is
        stride=first.stride,  # type: ignore[arg-type]
        padding=first.padding,  # type: ignore[arg-type]
        dilation=first.dilation,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    nn.init.kaiming_normal_(made.weight, mode="fan_out", nonlinearity="relu")
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, made)


def pretrained(settings: Mapping[str, Any]) -> Pretrained | None:
    """Return the published weights of a network of torchvision, from the cache of torch.

    Args:
        settings: The settings of the operation; `name` decides.
    """
    found = models.get_model_weights(settings["name"])
    return in_checkpoints(found.DEFAULT.url) if len(found) else None


def renamed(tensors: Mapping[str, Tensor], *, name: str, **settings: float) -> dict[str, Tensor]:
    """Return the tensors of published weights by the names of the network, without auxiliary heads.

    Args:
        tensors: The tensors of the file.
        name: Name of the network.
        settings: Unused; the other settings of the operation.
    """
    del settings
    if name in PLAIN:
        return {key: value for key, value in tensors.items() if not key.startswith(AUXILIARY)}
    found = ((NUMBERED.fullmatch(key), key, value) for key, value in tensors.items())
    return {f"{match[1]}{match[2]}" if match else key: value for match, key, value in found}
