"""Builds networks of timm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import timm
from huggingface_hub import constants, try_to_load_from_cache

from nascore.api import DescriptionError, Pretrained, Problem, did_you_mean
from nascore_vision.networks import UNTAGGED
from nascore_vision.networks.checkpoints import in_checkpoints
from nascore_vision.networks.meta import build_anywhere

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

HUB_FILES = ("model.safetensors", "pytorch_model.bin")
"""Files of weights in a repository of timm on the Hugging Face hub, the preferred first."""


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


def pretrained(settings: Mapping[str, Any]) -> Pretrained | None:
    """Return the published weights of a network of timm, from the caches of the hub and of torch.

    Args:
        settings: The settings of the operation; `name` and `tag` decide.

    Raises:
        DescriptionError: The network has no weights with this tag.
    """
    published = _published(settings["name"], settings["tag"])
    if published is None or not published.has_weights:
        return None
    found = []
    if published.file:
        file = Path(published.file)
        found.append(Pretrained(file=file if file.is_file() else None, places=(str(file),)))
    if published.hf_hub_id:
        found.append(_in_hub(published.hf_hub_id, published.hf_hub_filename))
    if published.url:
        found.append(in_checkpoints(published.url))
    return Pretrained(
        file=next((one.file for one in found if one.file is not None), None),
        places=tuple(place for one in found for place in one.places),
        hint=next((one.hint for one in found if one.hint), ""),
    )


def _published(name: str, tag: str) -> timm.models.PretrainedCfg | None:
    try:
        return timm.models.get_pretrained_cfg(name if tag == UNTAGGED else f"{name}.{tag}")
    except RuntimeError as error:
        tags = [one.partition(".")[2] for one in timm.list_pretrained(f"{name}.*")]
        hint = did_you_mean(tag, tags) or f"Tags: {', '.join(tags) or 'none'}."
        text = f"timm has no weights of {name} with the tag {tag}."
        raise DescriptionError([Problem(path="", text=text, hint=hint)]) from error


def _in_hub(place: str, filename: str | None) -> Pretrained:
    """Return the weights of a repository of the Hugging Face hub, if they were downloaded before.

    Args:
        place: The repository, perhaps followed by ``@`` and its revision.
        filename: Its file of weights; None: one of the usual ones.
    """
    repository, _, revision = place.partition("@")
    names = (filename,) if filename else HUB_FILES
    cached = (try_to_load_from_cache(repository, name, revision=revision or None) for name in names)
    file = next((Path(one) for one in cached if isinstance(one, str)), None)
    at = f" --revision {revision}" if revision else ""
    return Pretrained(
        file=file,
        places=(f"{' or '.join(names)} of {repository} in {constants.HF_HUB_CACHE}",),
        hint=f"Get it: hf download {repository} {names[0]}{at}.",
    )
