"""The checks of data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch

from nascore.contract import DataFacts
from nascore.nn import Examples
from nascore.nn.data import (
    absent_faults,
    fact_faults,
    label_faults,
    labels_of,
    normalised_faults,
    range_faults,
    shape_faults,
    whole,
)
from nascore.testing.harness import read_by_workers
from nascore.testing.part import PartConformance, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from nascore.contract import Dataset


PARTS: Final = ("train", "test")
"""The parts of a data set."""


class DatasetConformance(PartConformance):
    """The checks of a data set: its facts match its images.

    Attributes:
        largest: Larger bounds of settings, which are sizes, are not tried.
    """

    slot: ClassVar[str] = "dataset"
    largest: ClassVar[float] = 100

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Return all images and labels."""
        del seed
        return {
            f"{name} {kind}": value
            for name, examples in _parts(part).items()
            for kind, value in (("images", examples.images), ("labels", examples.labels))
        }

    def _none(self, faults: Iterable[str]) -> None:
        """Fail with the first fault, if there is one."""
        for text in faults:
            self.hold(holds=False, text=text)

    def test_facts_are_complete(self) -> None:
        """Its facts have sizes above zero, and a mean and deviation for each channel."""
        self._none(fact_faults(self.made().facts))

    def test_shapes_are_as_the_facts_say(self) -> None:
        """Images are floats or uint8 [N, C, H, W] and labels [N] or [N, K], as its facts declare."""
        part = self.made()
        for name in PARTS:
            self._none(shape_faults(part.facts, getattr(part, name)(), name))

    def test_labels_are_classes(self) -> None:
        """Labels are numbers as its facts name them, or classes from 0 on, each with training images."""
        part = self.made()
        for name, examples in _parts(part).items():
            self._none(label_faults(part.facts, examples, name))
        self._none(absent_faults(part.facts, part.train()))

    def test_images_lie_between_zero_and_one(self) -> None:
        """Images are floats scaled to 0 to 1, or uint8, and not normalised."""
        for name, examples in _parts(self.made()).items():
            self._none(range_faults(examples, name))

    def test_normalises(self) -> None:
        """Its mean and deviation normalise the training images to a mean near 0 and a deviation near 1."""
        part = self.made()
        self._none(normalised_faults(part.facts, part.train()))

    def test_gives_the_same_on_every_call(self) -> None:
        """It gives the same images in the same order on every call."""
        part = self.made()
        for name, examples in _parts(part).items():
            again = whole(getattr(part, name)())
            equal = same(examples.images, again.images) and same(examples.labels, again.labels)
            self.hold(equal, f"returns different images or labels when {name}() is called again")

    def test_streamed_items_depend_on_their_index_alone(self) -> None:
        """A streamed data set gives the same items backwards, and in two worker processes."""
        part = self.made()
        for name in PARTS:
            examples = getattr(part, name)()
            if isinstance(examples, Examples):
                continue
            backwards, images = [*range(len(examples))][::-1], _plain(whole(examples).images.flip(0))
            for workers, text in ((0, "read backwards"), (2, "read by two worker processes")):
                equal = same(read_by_workers(examples, backwards, workers), images)
                self.hold(equal, f"returns other images from {name}() when they are {text}")

    def test_test_images_are_others(self) -> None:
        """At least half of the test images are not training images."""
        train, test = (examples.images for examples in _parts(self.made()).values())
        seen = {image.numpy().tobytes() for image in train}
        known = sum(image.numpy().tobytes() in seen for image in test)
        self.hold(known * 2 < len(test), f"has {known} of {len(test)} test images among its training images")

    def test_can_be_halved(self) -> None:
        """If it provides `halves`, each class has at least two training images, one for each half."""
        if self.provides("halves"):
            part = self.made()
            labels = labels_of(part.train())
            if part.facts.target_names:
                self.hold(len(labels) > 1, "provides halves, but has a single training image")
                return
            fewest = int(torch.bincount(labels, minlength=part.facts.classes).min())
            self.hold(fewest > 1, f"provides halves, but a class has {fewest} training images")


def _plain(images: Tensor) -> Tensor:
    """Return images as the engine reads them: uint8, or float32."""
    return images if images.dtype == torch.uint8 else images.to(torch.float32)


def _parts(part: Dataset) -> dict[str, Examples]:
    """Return the images of both parts in memory; those of a streamed data set are read one by one."""
    return {name: whole(getattr(part, name)()) for name in PARTS}


def facts(*, channels: int, size: int, classes: int) -> DataFacts:
    """Return the facts of a data set with square images."""
    return DataFacts(
        channels=channels,
        height=size,
        width=size,
        classes=classes,
        train=100,
        test=20,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )


FACTS: Final = facts(channels=3, size=32, classes=10)
"""The facts of CIFAR-10."""

KINDS: Final = (
    FACTS,
    facts(channels=1, size=8, classes=10),
    facts(channels=3, size=33, classes=100),
    facts(channels=1, size=16, classes=2),
    facts(channels=3, size=7, classes=2),
)
"""Facts of CIFAR-10 and digits, and of data with odd sizes, many classes, two classes, and tiny images."""
