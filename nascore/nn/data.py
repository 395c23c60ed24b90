"""Labelled images in memory.

Each check yields what is wrong as a sentence that follows the data set's name: "mine has 10 numbers as mean".
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from nascore.contract import DataFacts, Examples

if TYPE_CHECKING:
    from collections.abc import Iterator


OFF: Final = 0.25
"""How far from 0 the mean of normalised images may be."""

SPREAD: Final = 1.25
"""How far from 1, as a factor, their standard deviation may be."""

COUNTS: Final = ("channels", "height", "width", "classes", "train", "test")
MOMENTS: Final = ("mean", "std")


def fact_faults(facts: object) -> Iterator[str]:
    """Yield what is wrong with facts: sizes above zero, and a mean and deviation for each channel."""
    if not isinstance(facts, DataFacts):
        yield f"has facts of the type {type(facts).__name__}, not DataFacts"
        return
    counts = {name: getattr(facts, name) for name in COUNTS}
    wrong = {name: value for name, value in counts.items() if not _counts(value)}
    yield from (
        f"has {value!r} as the fact {name}, not a whole number above 0" for name, value in wrong.items()
    )
    for name in MOMENTS:
        yield from _moment_faults(name, getattr(facts, name), None if wrong else facts.channels)
    yield from _name_faults(facts)
    if not wrong:
        room = min(facts.height, facts.width)
        if not (isinstance(facts.crop_pad, int) and 0 <= facts.crop_pad <= room):
            yield f"pads images of {room} pixels by {facts.crop_pad!r}, not by 0 to {room}"


def _name_faults(facts: DataFacts) -> Iterator[str]:
    names = facts.class_names
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        yield f"has {names!r} as the fact class_names, not a tuple of texts"
    elif names and len(names) != facts.classes:
        yield f"has {len(names)} names as the fact class_names for {facts.classes} classes"


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _moment_faults(name: str, given: object, channels: int | None) -> Iterator[str]:
    try:
        numbers = [float(each) for each in given]  # type: ignore[attr-defined]  # tried here
    except (TypeError, ValueError):
        yield f"has {given!r} as the fact {name}, not a number for each channel"
        return
    if channels is not None and len(numbers) != channels:
        yield f"has {len(numbers)} numbers as the fact {name} for {channels} channels"
    if not all(isfinite(each) and (name == "mean" or each > 0) for each in numbers):
        due = "finite" if name == "mean" else "finite and above 0"
        yield f"has {tuple(numbers)} as the fact {name}, and all must be {due}"


def example_faults(facts: DataFacts, given: Any, part: str) -> Iterator[str]:  # noqa: ANN401 - a plugin's
    """Yield why images and labels cannot be trained on or measured with.

    Args:
        facts: What is known of them, itself sound.
        given: What the data set gave: images [N, C, H, W] of floats in 0 to 1, labels [N] of int64.
        part: `train` or `test`.
    """
    found = [*shape_faults(facts, given, part)]
    # What has another shape or type has no range that could be compared.
    yield from found or [*label_faults(facts, given, part), *range_faults(given, part)]


def shape_faults(facts: DataFacts, given: Any, part: str) -> Iterator[str]:  # noqa: ANN401 - a plugin's
    """Yield what is wrong with types, shapes and counts; see :func:`example_faults`."""
    if not isinstance(given, Examples):
        yield f"gives {_kind(given)} from {part}(), not Examples"
        return
    wanted = (getattr(facts, part), facts.channels, facts.height, facts.width)
    for name, shape in (("images", wanted), ("labels", wanted[:1])):
        value: Any = getattr(given, name)
        if not isinstance(value, Tensor):
            yield f"gives {_kind(value)} as {name} from {part}(), not a tensor: wrap it in torch.as_tensor()"
            continue
        if tuple(value.shape) != shape:
            yield f"gives {name} of shape {tuple(value.shape)} from {part}(), and its facts say {shape}"
        if name == "images" and not value.is_floating_point():
            yield f"gives images of {value.dtype} from {part}(), not floats in 0 to 1"
        if name == "labels" and value.dtype != torch.int64:
            yield f"gives labels of {value.dtype} from {part}(), not torch.int64"


def label_faults(facts: DataFacts, given: Examples, part: str) -> Iterator[str]:
    """Yield what is wrong with labels that are no classes, counted from 0."""
    if len(given.labels):
        low, high = (int(each) for each in given.labels.aminmax())
        strange = low if low < 0 else high
        if not 0 <= strange < facts.classes:
            due = f"labels of {facts.classes} classes are 0 to {facts.classes - 1}"
            yield f"has the label {strange} in {part}(), and {due}"


def range_faults(given: Examples, part: str) -> Iterator[str]:
    """Yield what is wrong with images that are not finite, or not scaled to 0 to 1."""
    if not given.images.numel():
        return
    low, high = (float(each) for each in given.images.aminmax())
    if not (isfinite(low) and isfinite(high)):
        yield f"has images in {part}() that are not finite"
    elif low < 0 or high > 1:
        yield f"has images from {low:.3g} to {high:.3g} in {part}(), and they must lie in 0 to 1"


def normalised_faults(facts: DataFacts, given: Examples) -> Iterator[str]:
    """Yield how far the facts' mean and deviation are from those of the training images."""
    is_std, is_mean = (each.double().cpu() for each in torch.std_mean(given.images, (0, 2, 3)))
    mean, std = (torch.tensor(each, dtype=torch.float64) for each in (facts.mean, facts.std))
    if float(((is_mean - mean) / std).abs().max()) > OFF:
        yield f"has images of mean {_listed(is_mean)}, and its facts say {_listed(mean)}"
    if float(torch.maximum(is_std / std, std / is_std.clamp_min(1e-9)).max()) > SPREAD:
        yield f"has images of deviation {_listed(is_std)}, and its facts say {_listed(std)}"


def absent_faults(facts: DataFacts, given: Examples) -> Iterator[str]:
    """Yield it if classes have no training image."""
    absent = torch.nonzero(torch.bincount(given.labels, minlength=facts.classes) == 0).flatten().tolist()
    if absent:
        more = f" and of {len(absent) - 1} more" if len(absent) > 1 else ""
        yield f"has no training image of class {absent[0]}{more}"


def _kind(value: object) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return "None" if value is None else f"{module}{kind.__qualname__}"


def _listed(values: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in values.tolist())
