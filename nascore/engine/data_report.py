"""Examines the images of a data set: balance of the classes, and duplicates."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import torch
from attrs import frozen

from nascore.engine.data_checks import check_data, check_facts, data_fingerprint
from nascore.engine.factory import build_component
from nascore.engine.memory import image_bytes
from nascore.engine.sources import read_in_order, source_of
from nascore.plugin.guard import call_component

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.contract import DataFacts, Dataset, ImageSource
    from nascore.recipe import Recipe


@frozen(kw_only=True)
class Duplicates:
    """Images with the same pixels.

    Attributes:
        across: Test images that are also training images.
        train: Training images that repeat an earlier one.
        test: Test images that repeat an earlier one.
        conflicting: Images, of both parts, that also occur with another label.
    """

    across: int
    train: int
    test: int
    conflicting: int


@frozen(kw_only=True, eq=False)
class DataReport:
    """The report on a data set.

    Attributes:
        name: The component of the data set.
        facts: Its facts.
        train: Number of training images of each class; empty if images have numbers.
        test: Number of test images of each class; empty if images have numbers.
        duplicates: Images with the same pixels.
        fingerprint: Digest of the training images, as in `environment.json` of a run.
        bytes: Memory of all images.
        files: Sizes of the image files and the files that were left out; None if they are not in files.
        warnings: Sentences on doubtful properties.
        ranges: Smallest and largest value of each number of the training images; empty with classes.
    """

    name: str
    facts: DataFacts
    train: tuple[int, ...]
    test: tuple[int, ...]
    duplicates: Duplicates
    fingerprint: str
    bytes: int
    files: Mapping[str, Any] | None
    warnings: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...] = ()

    def class_name(self, number: int) -> str:
        """Return the name of a class, or its number if the classes have no names."""
        return self.facts.class_names[number] if self.facts.class_names else str(number)


def report_data(recipe: Recipe) -> tuple[DataReport, Dataset]:
    """Build, read and check the data set of a recipe; returns its report, and the data set.

    Raises:
        PluginError: The data set cannot be built, or contradicts its facts.
        RecipeError: Its files are missing or faulty.
    """
    part = recipe.part("dataset")
    dataset: Dataset = build_component(recipe, "dataset")
    check_facts(recipe, dataset)
    checked = check_data(recipe, dataset, test=True)
    train, test = (source_of(each()) for each in (dataset.train, dataset.test))
    files = None
    if "files" in part.provides:
        files = call_component(part.component, "files", dataset.files)  # type: ignore[attr-defined]
    report = DataReport(
        name=part.name,
        facts=dataset.facts,
        train=_counts(train, dataset.facts),
        test=_counts(test, dataset.facts),
        duplicates=find_duplicates(train, test),
        fingerprint=data_fingerprint(dataset.train()),
        bytes=image_bytes(dataset.facts, test=True),
        files=files,
        warnings=tuple(str(problem) for problem in checked.warned),
        ranges=_ranges(train, dataset.facts),
    )
    return report, dataset


def _counts(source: ImageSource, facts: DataFacts) -> tuple[int, ...]:
    if facts.target_names:
        return ()
    return tuple(torch.bincount(source.labels, minlength=facts.classes).tolist())


def _ranges(source: ImageSource, facts: DataFacts) -> tuple[tuple[float, float], ...]:
    if not facts.target_names:
        return ()
    low, high = (each.tolist() for each in torch.aminmax(source.labels, dim=0))
    return tuple(zip(low, high, strict=True))


def find_duplicates(train: ImageSource, test: ImageSource) -> Duplicates:
    """Return the numbers of images with the same pixels."""
    trained, tested = _digests(train), _digests(test)
    labels: dict[bytes, set[str]] = {}
    for digests, source in ((trained, train), (tested, test)):
        for digest, label in zip(digests, source.labels.tolist(), strict=True):
            labels.setdefault(digest, set()).add(str(label))
    known = set(trained)
    return Duplicates(
        across=sum(digest in known for digest in tested),
        train=len(trained) - len(known),
        test=len(tested) - len(set(tested)),
        conflicting=sum(len(labels[digest]) > 1 for digest in (*trained, *tested)),
    )


def _digests(source: ImageSource) -> list[bytes]:
    return [
        blake2b(image.contiguous().numpy().data, digest_size=16).digest()
        for images, _ in read_in_order(source)
        for image in images.cpu()
    ]
