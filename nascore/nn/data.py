"""Checks of the facts, images and labels of a data set.

Each check yields faults as predicates of the data set's name: "declares 10 values of mean for 3 channels".
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import Dataset

from nascore.contract import DataFacts, Examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.contract import StreamedExamples


MEAN_TOLERANCE: Final = 0.25
"""Largest distance from 0 of the mean of normalised images, in standard deviations."""

STD_TOLERANCE: Final = 1.25
"""Largest factor by which the standard deviation of normalised images may differ from 1."""

COUNTS: Final = ("channels", "height", "width", "classes", "train", "test")
MOMENTS: Final = ("mean", "std")
DTYPES: Final = ("float32", "uint8")
BYTES: Final = 256
"""Number of values of a byte."""

PIECE: Final = 1024
"""Number of images that are counted or resized at a time."""

SAMPLE: Final = 64
"""Number of images of a streamed data set that the checks read."""


def fact_faults(facts: object) -> Iterator[str]:
    """Yield faults of facts: sizes that are not positive, a wrong mean or deviation, wrong class names."""
    if not isinstance(facts, DataFacts):
        yield f"has facts of type {type(facts).__name__}, not DataFacts"
        return
    counts = {name: getattr(facts, name) for name in COUNTS}
    wrong = {name: value for name, value in counts.items() if not _is_count(value)}
    yield from (f"declares {name}={value!r}, not a whole number above 0" for name, value in wrong.items())
    for name in MOMENTS:
        yield from _moment_faults(name, getattr(facts, name), None if wrong else facts.channels)
    yield from _name_faults(facts)
    yield from _target_faults(facts)
    if facts.dtype not in DTYPES:
        yield f"declares dtype={facts.dtype!r}, not {' or '.join(DTYPES)}"
    if not wrong:
        side = min(facts.height, facts.width)
        if not (isinstance(facts.crop_pad, int) and 0 <= facts.crop_pad <= side):
            yield f"declares crop_pad={facts.crop_pad!r} for images of {side} pixels, not 0 to {side}"


def _name_faults(facts: DataFacts) -> Iterator[str]:
    names = facts.class_names
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        yield f"declares class_names={names!r}, not a tuple of texts"
    elif names and len(names) != facts.classes:
        yield f"declares {len(names)} class_names for {facts.classes} classes"


def _target_faults(facts: DataFacts) -> Iterator[str]:
    names = facts.target_names
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        yield f"declares target_names={names!r}, not a tuple of texts"
        return
    if len(set(names)) < len(names):
        yield "declares a target name twice"
    if names and len(names) != facts.classes:
        yield f"declares {len(names)} target_names, but classes={facts.classes!r}, not their number"
    for name in ("target_mean", "target_std"):
        values = getattr(facts, name)
        if len(values) not in {0, len(names)}:
            yield f"declares {len(values)} values of {name} for {len(names)} target_names"
        elif not all(isfinite(each) and (name == "target_mean" or each > 0) for each in values):
            yield f"declares {name}={tuple(values)}: all must be finite, and deviations above 0"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _moment_faults(name: str, values: object, channels: int | None) -> Iterator[str]:
    try:
        numbers = [float(each) for each in values]  # type: ignore[attr-defined]  # tried here
    except (TypeError, ValueError):
        yield f"declares {name}={values!r}, not a number for each channel"
        return
    if channels is not None and len(numbers) != channels:
        yield f"declares {len(numbers)} values of {name} for {channels} channels"
    if not all(isfinite(each) and (name == "mean" or each > 0) for each in numbers):
        expected = "finite" if name == "mean" else "finite and above 0"
        yield f"declares {name}={tuple(numbers)}, and all values must be {expected}"


def example_faults(facts: DataFacts, examples: Any, part: str) -> Iterator[str]:  # noqa: ANN401 - a plugin's
    """Yield the reasons why images and labels cannot be used for training or testing.

    Args:
        facts: The facts that the data set declares, already checked.
        examples: The returned examples: images [N, C, H, W], floats in 0 to 1 or
            uint8, and classes [N] of int64 or numbers [N, K] of float32 as labels; or a streamed data set, of
            which some images are read.
        part: `train` or `test`.
    """
    found = [*shape_faults(facts, examples, part)]
    # A tensor of the wrong shape or type has no range that could be compared.
    yield from found or [*label_faults(facts, examples, part), *range_faults(examples, part)]


def labels_of(examples: Examples | StreamedExamples) -> Tensor:
    """Return all labels of images in memory, or of a streamed data set."""
    return examples.labels if isinstance(examples, Examples) else examples.targets


def sampled_images(examples: Examples | StreamedExamples) -> Tensor:
    """Return images in memory as they are, or some images of a streamed data set, [N, C, H, W]."""
    if isinstance(examples, Examples):
        return examples.images
    return torch.stack([examples[index][0] for index in _sample(len(examples))])


def whole(examples: Examples | StreamedExamples) -> Examples:
    """Return all images and labels in memory; those of a streamed data set are read one by one."""
    if isinstance(examples, Examples):
        return examples
    images = torch.stack([examples[index][0] for index in range(len(examples))])
    return Examples(images=images, labels=examples.targets)


def _sample(count: int) -> list[int]:
    """Return indices that are spread evenly, so that sorted data are sampled of each class."""
    number = min(count, SAMPLE)
    return [place * count // number for place in range(number)]


def shape_faults(facts: DataFacts, examples: Any, part: str) -> Iterator[str]:  # noqa: ANN401 - a plugin's
    """Yield wrong types, shapes and counts; see :func:`example_faults`."""
    if isinstance(examples, Dataset):
        yield from _streamed_faults(facts, examples, part)
    elif isinstance(examples, Examples):
        yield from _tensor_faults(facts, examples, part)
    else:
        name = _type_name(examples)
        yield f"returns {name} from {part}(), not Examples or a torch.utils.data.Dataset"


def _tensor_faults(facts: DataFacts, examples: Examples, part: str) -> Iterator[str]:
    """Yield wrong types, shapes and counts of images in memory."""
    if facts.streamed:
        yield f"returns images in memory from {part}(), but declares streamed=True"
    expected = (getattr(facts, part), facts.channels, facts.height, facts.width)
    numbers = (len(facts.target_names),) if facts.target_names else ()
    for name, shape in (("images", expected), ("labels", (*expected[:1], *numbers))):
        value: Any = getattr(examples, name)
        if not isinstance(value, Tensor):
            kind = _type_name(value)
            yield f"returns {kind} as {name} from {part}(), not a tensor: wrap it in torch.as_tensor()"
            continue
        if tuple(value.shape) != shape:
            yield f"returns {name} of shape {tuple(value.shape)} from {part}(), but declares {shape}"
        if name == "images":
            yield from _dtype_faults(facts, value, part)
        labelled = torch.float32 if numbers else torch.int64
        if name == "labels" and value.dtype != labelled:
            yield f"returns labels of {value.dtype} from {part}(), not {labelled}"


def _streamed_faults(facts: DataFacts, examples: Any, part: str) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield wrong types, shapes and counts of a streamed data set and of some of its items."""
    name, count = _type_name(examples), getattr(facts, part)
    if not facts.streamed:
        yield f"returns {name} from {part}(), a streamed data set, but does not declare streamed=True"
    if not callable(getattr(examples, "__len__", None)):
        yield f"returns {name} from {part}(), which has no length"
    elif len(examples) != count:
        yield f"returns {len(examples)} images from {part}(), but declares {count}"
    elif found := [*_streamed_target_faults(facts, examples, part)]:
        yield from found  # items may need targets
    else:
        yield from _first(_item_faults(facts, examples, index, part) for index in _sample(count))


def _streamed_target_faults(facts: DataFacts, examples: Any, part: str) -> Iterator[str]:  # noqa: ANN401 - as above
    name, targets = _type_name(examples), getattr(examples, "targets", None)
    shape = (getattr(facts, part), *([len(facts.target_names)] if facts.target_names else []))
    labelled = torch.float32 if facts.target_names else torch.int64
    if not isinstance(targets, Tensor):
        kind = _type_name(targets)
        yield f"returns {name} from {part}(), whose attribute targets is {kind}, not a tensor of all labels"
    elif tuple(targets.shape) != shape:
        yield f"returns targets of shape {tuple(targets.shape)} from {part}(), but declares {shape}"
    elif targets.dtype != labelled:
        yield f"returns targets of {targets.dtype} from {part}(), not {labelled}"


def _first(groups: Iterable[Iterator[str]]) -> Iterator[str]:
    """Yield the faults of the first faulty item: those of all others would be the same."""
    yield from next((found for faults in groups if (found := [*faults])), [])


def _item_faults(facts: DataFacts, examples: Any, index: int, part: str) -> Iterator[str]:  # noqa: ANN401 - as above
    item: Any = examples[index]
    if not isinstance(item, (tuple, list)) or len(item) != 2:  # noqa: PLR2004 - an image and its target
        yield f"returns {_type_name(item)} as item {index} of {part}(), not a pair of an image and its target"
        return
    image, target = item
    if not isinstance(image, Tensor):
        yield f"returns {_type_name(image)} as image {index} of {part}(), not a tensor"
        return
    shape = (facts.channels, facts.height, facts.width)
    if tuple(image.shape) != shape:
        yield f"returns an image of shape {tuple(image.shape)} from {part}(), but declares {shape}"
    yield from _dtype_faults(facts, image, part)
    known = examples.targets[index].tolist()
    if torch.as_tensor(target).tolist() != known:
        yield f"returns the target {target} with image {index} of {part}(), but targets has {known}"


def _dtype_faults(facts: DataFacts, images: Tensor, part: str) -> Iterator[str]:
    if images.dtype == torch.uint8:
        if facts.dtype != "uint8":
            yield f"returns images of torch.uint8 from {part}(), but does not declare dtype='uint8'"
    elif facts.dtype == "uint8":
        yield f"returns images of {images.dtype} from {part}(), but declares dtype='uint8'"
    elif not images.is_floating_point():
        yield f"returns images of {images.dtype} from {part}(), not floats in 0 to 1 or torch.uint8"


def label_faults(facts: DataFacts, examples: Examples | StreamedExamples, part: str) -> Iterator[str]:
    """Yield a label outside 0 to classes - 1, if there is one; a task checks numbers."""
    labels = labels_of(examples)
    if len(labels) and not facts.target_names:
        low, high = (int(each) for each in labels.aminmax())
        label = low if low < 0 else high
        if not 0 <= label < facts.classes:
            expected = f"labels of {facts.classes} classes are 0 to {facts.classes - 1}"
            yield f"has the label {label} in {part}(), but {expected}"


def range_faults(examples: Examples | StreamedExamples, part: str) -> Iterator[str]:
    """Yield a fault if images are not finite, or not scaled to 0 to 1."""
    images = sampled_images(examples)
    if not images.numel() or images.dtype == torch.uint8:
        return
    low, high = (float(each) for each in images.aminmax())
    if not (isfinite(low) and isfinite(high)):
        yield f"has images in {part}() that are not finite"
    elif low < 0 or high > 1:
        yield f"has images from {low:.3g} to {high:.3g} in {part}(), but they must lie in 0 to 1"


def normalised_faults(facts: DataFacts, examples: Examples | StreamedExamples) -> Iterator[str]:
    """Yield a fault if the declared mean or deviation differs from that of the training images."""
    actual_mean, actual_std = image_moments(sampled_images(examples))
    mean, std = (torch.tensor(each, dtype=torch.float64) for each in (facts.mean, facts.std))
    if float(((actual_mean - mean) / std).abs().max()) > MEAN_TOLERANCE:
        yield f"has images of mean {_join(actual_mean)}, but declares {_join(mean)}"
    if float(torch.maximum(actual_std / std, std / actual_std.clamp_min(1e-9)).max()) > STD_TOLERANCE:
        yield f"has images of standard deviation {_join(actual_std)}, but declares {_join(std)}"


def image_moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation [C] of each channel of images [N, C, H, W], float64, on the CPU.

    Those of uint8 are exact and in the scale 0 to 1: they come from the number of pixels of each value, which
    needs no copy of the images as floats.
    """
    if images.dtype != torch.uint8:
        std, mean = (each.double().cpu() for each in torch.std_mean(images, (0, 2, 3)))
        return mean, std
    counts = torch.zeros(images.shape[1], BYTES, dtype=torch.float64)
    for piece in torch.split(images, PIECE):
        counts += pixel_counts(piece)
    return moments_of_counts(counts)


def pixel_counts(images: Tensor) -> Tensor:
    """Return the number of pixels of each value in each channel, [C, 256] float64, of images of uint8."""
    counts = [torch.bincount(pixels.flatten(), minlength=BYTES) for pixels in images.unbind(1)]
    return torch.stack(counts).double().cpu()


def moments_of_counts(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation [C] of the pixels that :func:`pixel_counts` counted."""
    values, number = torch.arange(BYTES, dtype=torch.float64) / (BYTES - 1), counts.sum(1)
    mean = counts @ values / number
    squares = (counts * (values - mean[:, None]) ** 2).sum(1)
    return mean, (squares / (number - 1).clamp_min(1)).sqrt()


def resized_images(images: Tensor, height: int, width: int) -> Tensor:
    """Return images [N, C, H, W] of another size and the same type, interpolated with antialiasing."""
    if tuple(images.shape[2:]) == (height, width):
        return images
    pieces = []
    for start in range(0, len(images), PIECE):
        piece = images[start : start + PIECE].to(torch.float32)
        piece = interpolate(piece, (height, width), mode="bilinear", antialias=True, align_corners=False)
        if images.dtype == torch.uint8:
            piece = piece.round().clamp(0, BYTES - 1)
        pieces.append(piece.to(images.dtype))
    return torch.cat(pieces)


def absent_faults(facts: DataFacts, examples: Examples | StreamedExamples) -> Iterator[str]:
    """Yield a fault if a class has no training image."""
    if facts.target_names:
        return
    counts = torch.bincount(labels_of(examples), minlength=facts.classes)
    absent = torch.nonzero(counts == 0).flatten().tolist()
    if absent:
        more = f" and of {len(absent) - 1} more" if len(absent) > 1 else ""
        yield f"has no training image of class {absent[0]}{more}"


def _type_name(value: object) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return "None" if value is None else f"{module}{kind.__qualname__}"


def _join(values: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in values.tolist())
