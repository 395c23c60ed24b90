"""Reads archives of NumPy arrays, and resizes images that are arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from nascore.api import RecipeError
from nascore.nn import Examples, resized_images
from nascore_vision.listing import split
from nascore_vision.memory import Loaded
from nascore_vision.problems import count, listed, missing, problem, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torch import Tensor

    from nascore.api import Problem
    from nascore_vision.settings import NpzSettings

FORMS: Final[tuple[dict[str, tuple[str, str]], ...]] = (
    {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")},
    {"train": ("train_images", "train_labels"), "test": ("test_images", "test_labels")},
    {"all": ("images", "labels")},
    {"all": ("x", "y")},
)
"""Names of arrays that an archive may have: images and labels of each part, or of all images."""

VALIDATION: Final = ("val_images", "val_labels")
"""Further training images of the second form: a search takes its own validation images from them."""

COLOURS: Final = (1, 3)
WHITE: Final = 255
PICTURE: Final = 3
"""Dimensions of an array of grey images without a dimension for channels."""


def read_npz(settings: NpzSettings, path: Path) -> Loaded:
    """Return the images of an archive of NumPy arrays.

    Raises:
        RecipeError: With all problems of the file and its arrays.
    """
    arrays = _arrays(path)
    form = next(
        (form for form in FORMS if all(name in arrays for pair in form.values() for name in pair)), None
    )
    if form is None:
        names = listed(list(arrays)) or "none"
        text = f"{readable(path.name)} has no images and labels; its arrays are: {names}."
        hint = "Save images and labels, or x_train, y_train, x_test and y_test."
        raise RecipeError([problem(text, hint)])
    problems: list[Problem] = []
    parts = {}
    named = _target_names(arrays, [pair[1] for pair in form.values()])
    for part, (images, labels) in form.items():
        pairs = [(images, labels)]
        if images == "train_images" and all(name in arrays for name in VALIDATION):
            pairs.append(VALIDATION)
        parts[part] = [_examples(arrays, pair, problems) for pair in pairs]
    if not problems and not named:
        problems += _label_problems([one for ones in parts.values() for one in ones if one])
    joined = {} if problems else {part: _joined(ones, problems) for part, ones in parts.items()}
    if not problems:
        train, test = _divided(joined, settings)
        number = len(named) or int(max(train.labels.max(), test.labels.max())) + 1
        problems += _absent(train, test, number)
    if problems:
        raise RecipeError(problems)
    titles = tuple(map(str, arrays["class_names"].tolist())) if "class_names" in arrays else ()
    return Loaded(
        train=resized(train, settings.size),
        test=resized(test, settings.size),
        number=number,
        classes=titles if len(titles) == number and not named else (),
        target_names=named,
        sizes={},
    )


def _arrays(path: Path) -> Mapping[str, np.ndarray]:
    """Return the arrays of an archive; nothing in it is unpickled.

    Raises:
        RecipeError: It is no such archive, or has arrays of objects.
    """
    if not path.is_file():
        raise RecipeError([missing(path, "a file that numpy.savez wrote")])
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # noqa: BLE001 - numpy and zipfile raise errors of many types for broken files
        text = f"{readable(path.name)} is not an archive of plain NumPy arrays ({type(error).__name__})."
        raise RecipeError([problem(text, "Write it with numpy.savez.")]) from None


def _examples(
    arrays: Mapping[str, np.ndarray], names: tuple[str, str], problems: list[Problem]
) -> Examples | None:
    """Return images and labels of two arrays, or None with problems."""
    name, labelled = names
    found = len(problems)
    images, labels = _images(name, arrays[name], problems), arrays[labelled]
    if _are_numbers(labels):
        labels = labels.reshape(len(labels), -1).astype(np.float32)
        if not np.isfinite(labels).all():
            odd = np.flatnonzero(~np.isfinite(labels).all(1)) + 1
            text = f"{labelled} has {count(len(odd), 'row')} with values that are not finite"
            problems.append(problem(f"{text}: {listed([str(row) for row in odd])}."))
    else:
        of_one = labels.ndim > 1 and labels.size == len(labels) and labels.dtype.kind != "f"
        labels = labels.reshape(-1) if of_one else labels
    if labels.dtype.kind not in "iuf" or (labels.ndim != 1 and not _are_numbers(labels)):
        text = f"{labelled} has shape {labels.shape} and type {labels.dtype}."
        problems.append(problem(text, "Expected one whole number, or several numbers, for each image."))
    elif len(labels) != len(arrays[name]):
        text = (
            f"{name} has {count(len(arrays[name]), 'image')}, and {labelled} {count(len(labels), 'label')}."
        )
        problems.append(problem(text))
    if images is None or len(problems) > found:
        return None
    kind = np.float32 if _are_numbers(labels) else np.int64
    return Examples(images=images, labels=torch.from_numpy(labels.astype(kind)))


def _are_numbers(labels: np.ndarray) -> bool:
    """Return whether labels are numbers: fractions [N] or [N, K], or several whole numbers [N, K]."""
    if labels.dtype.kind == "f" and labels.ndim in {1, 2}:
        return True
    return labels.dtype.kind in "biu" and labels.ndim == 2 and labels.shape[1] > 1  # noqa: PLR2004 - [N, K]


def _target_names(arrays: Mapping[str, np.ndarray], labelled: list[str]) -> tuple[str, ...]:
    """Return the names of the numbers of each image; empty if labels are classes."""
    labels = arrays[labelled[0]]
    if not _are_numbers(labels):
        return ()
    number = labels.shape[1] if labels.ndim > 1 else 1
    for name in ("target_names", "class_names"):
        if name in arrays and arrays[name].size == number:
            return tuple(map(str, arrays[name].reshape(-1).tolist()))
    return tuple(map(str, range(number)))


def _images(name: str, array: np.ndarray, problems: list[Problem]) -> Tensor | None:
    """Return images [N, C, H, W] as uint8, or as float32 from 0 to 1; None with a problem."""
    whole = array[:, None] if array.ndim == PICTURE else array
    if whole.ndim != PICTURE + 1 or not {whole.shape[1], whole.shape[-1]} & {*COLOURS} or not whole.size:
        text = f"{name} has shape {array.shape}."
        hint = "Expected [N, H, W], or [N, H, W, C] or [N, C, H, W] with 1 or 3 channels."
        problems.append(problem(text, hint))
        return None
    if whole.shape[1] not in COLOURS:
        whole = whole.transpose(0, 3, 1, 2)
    whole = np.ascontiguousarray(whole)
    if whole.dtype == np.bool_:
        return torch.from_numpy(whole.astype(np.uint8) * WHITE)
    if whole.dtype == np.uint8:
        return torch.from_numpy(whole)
    low, high = whole.min(), whole.max()
    if whole.dtype.kind == "f" and not np.isfinite(low + high):
        problems.append(problem(f"{name} has values that are not finite."))
    elif whole.dtype.kind == "f" and low >= 0 and high <= 1:
        return torch.from_numpy(whole.astype(np.float32))
    else:
        text = f"{name} has values of {whole.dtype} from {low:g} to {high:g}."
        problems.append(problem(text, "Save uint8 from 0 to 255, or floats from 0 to 1."))
    return None


def _label_problems(parts: list[Examples]) -> Iterator[Problem]:
    """Yield problems of labels that do not count from 0."""
    labels = torch.cat([part.labels for part in parts])
    low, high = int(labels.min()), int(labels.max())
    if low < 0:
        yield problem(f"the label {low} is out of range: labels count from 0.")
    elif low > 0:
        text = f"labels are {low} to {high}, but must count from 0."
        yield problem(text, f"Subtract {low} from all of them.")
    elif high == 0:
        yield problem("there is one class; a classification needs at least two.")
    if high >= len(labels):
        text = f"the label {high} is out of range for {count(len(labels), 'image')}."
        yield problem(text, "Labels are numbers of classes, from 0 on.")


def _joined(parts: list[Examples | None], problems: list[Problem]) -> Examples:
    found = [part for part in parts if part is not None]
    kinds = {(part.labels.dtype, part.labels.shape[1:]) for part in found}
    if len(kinds) > 1:
        problems.append(problem("some labels are classes and others numbers, or they differ in number."))
        return found[0]
    shapes = {tuple(part.images.shape[1:]) for part in found}
    if len(shapes) > 1:
        problems.append(problem(f"the arrays hold images of several shapes: {sorted(shapes)}."))
        return found[0]
    images = torch.cat([part.images for part in found])
    return Examples(images=images, labels=torch.cat([part.labels for part in found]))


def _divided(joined: Mapping[str, Examples], settings: NpzSettings) -> tuple[Examples, Examples]:
    if "all" not in joined:
        return joined["train"], joined["test"]
    every = joined["all"]
    labels = [0] * len(every.labels) if every.labels.dim() > 1 else every.labels.tolist()
    parts = split([str(index) for index in range(len(labels))], labels, settings)
    is_test = torch.tensor([part == "test" for part in parts])
    train, test = (
        Examples(images=every.images[part], labels=every.labels[part]) for part in (~is_test, is_test)
    )
    return train, test


def _absent(train: Examples, test: Examples, number: int) -> Iterator[Problem]:
    if train.images.shape[1:] != test.images.shape[1:]:
        shapes = (
            f"{tuple(train.images.shape[1:])} for training and {tuple(test.images.shape[1:])} for testing"
        )
        yield problem(f"the images have different shapes: {shapes}.")
    if train.images.dtype != test.images.dtype:
        yield problem(f"the images have different types: {train.images.dtype} and {test.images.dtype}.")
    if train.labels.shape[1:] != test.labels.shape[1:] or train.labels.dtype != test.labels.dtype:
        yield problem("the labels of training and test images differ in type or number.")
        return
    for part, examples in (("train", train), ("test", test)):
        if examples.labels.dim() > 1:
            continue
        lacking = torch.nonzero(torch.bincount(examples.labels, minlength=number) == 0).flatten().tolist()
        if lacking:
            names = listed([str(label) for label in lacking])
            text = f"{count(len(lacking), 'class has', 'classes have')} no {part} image: {names}."
            yield problem(text, "A class needs at least one image for training and one for testing.")


def resized(examples: Examples, size: int | None) -> Examples:
    """Return the examples with images of a size in pixels, of the same type; None: unchanged."""
    if size is None:
        return examples
    return Examples(images=resized_images(examples.images, size, size), labels=examples.labels)
