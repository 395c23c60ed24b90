"""What every data set promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.contract import DataFacts
from nascore.nn import Examples
from nascore.testing.part import PartConformance, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.contract import Dataset

_OFF = 0.25
"""How far from 0 the mean of normalised images may be."""
_SPREAD = 1.25
"""How far from 1, as a factor, their standard deviation may be."""


class DatasetConformance(PartConformance):
    """The checks of a data set: what it says of its images is true.

    Attributes:
        largest: Bounds of settings above it are not tried: they are sizes.
    """

    slot: ClassVar[str] = "dataset"
    largest: ClassVar[float] = 100

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Read everything."""
        del seed
        return {
            f"{name} {kind}": value
            for name, examples in _parts(part).items()
            for kind, value in (("images", examples.images), ("labels", examples.labels))
        }

    def test_facts_are_complete(self) -> None:
        """Its facts are those of images: sizes above zero, and a mean and deviation for each channel."""
        facts = self.made().facts
        self.hold(isinstance(facts, DataFacts), f"has facts of the type {type(facts).__name__}")
        for name in ("channels", "height", "width", "classes", "train", "test"):
            value = getattr(facts, name)
            self.hold(isinstance(value, int) and value > 0, f"has {value!r} as the fact {name}")
        for name in ("mean", "std"):
            count = len(getattr(facts, name))
            self.hold(count == facts.channels, f"has {count} numbers as {name} for {facts.channels} channels")
        self.hold(
            all(each > 0 for each in facts.std), f"has a deviation of {facts.std}, and none may be zero"
        )
        room = min(facts.height, facts.width)
        self.hold(0 <= facts.crop_pad <= room, f"pads images of {room} pixels by {facts.crop_pad}")

    def test_shapes_are_as_the_facts_say(self) -> None:
        """Images are [N, C, H, W] of floats and labels [N] of int64, as many as its facts say."""
        part = self.made()
        facts = part.facts
        for name, examples in _parts(part).items():
            self.hold(isinstance(examples, Examples), f"gives no Examples from {name}()")
            wanted = (getattr(facts, name), facts.channels, facts.height, facts.width)
            shape = tuple(examples.images.shape)
            self.hold(shape == wanted, f"gives images of shape {shape} from {name}(), not {wanted}")
            self.hold(examples.images.is_floating_point(), f"gives images of {examples.images.dtype}")
            count = tuple(examples.labels.shape)
            self.hold(count == wanted[:1], f"gives labels of shape {count} from {name}(), not {wanted[:1]}")
            self.hold(examples.labels.dtype == torch.int64, f"gives labels of {examples.labels.dtype}")

    def test_labels_are_classes(self) -> None:
        """Every class from 0 on is there in training, and labels are nothing else."""
        part = self.made()
        classes = set(range(part.facts.classes))
        for name, examples in _parts(part).items():
            strange = sorted(set(examples.labels.tolist()) - classes)
            self.hold(not strange, f"has the label {strange[:1]} in {name}(), of {len(classes)} classes")
        absent = sorted(classes - set(part.train().labels.tolist()))
        self.hold(not absent, f"has no training image of class {absent[:1]}")

    def test_images_lie_between_zero_and_one(self) -> None:
        """Images are scaled to 0 to 1, and not normalised."""
        for name, examples in _parts(self.made()).items():
            low, high = float(examples.images.min()), float(examples.images.max())
            text = f"has images from {low:.3g} to {high:.3g} in {name}(), and they are to lie in 0 to 1"
            self.hold(low >= 0 and high <= 1, text)

    def test_normalises(self) -> None:
        """By its mean and deviation, training images get a mean near 0 and a deviation near 1."""
        part = self.made()
        images, facts = part.train().images.double(), part.facts
        mean, std = (torch.tensor(each, dtype=torch.float64).view(-1) for each in (facts.mean, facts.std))
        is_mean, is_std = images.mean((0, 2, 3)), images.std((0, 2, 3))
        off = float(((is_mean - mean) / std).abs().max())
        self.hold(off <= _OFF, f"has images of mean {_listed(is_mean)}, and says {_listed(mean)}")
        factor = float(torch.maximum(is_std / std, std / is_std.clamp_min(1e-9)).max())
        self.hold(factor <= _SPREAD, f"has images of deviation {_listed(is_std)}, and says {_listed(std)}")

    def test_gives_the_same_on_every_call(self) -> None:
        """It gives the same images in the same order on every call."""
        part = self.made()
        for name, examples in _parts(part).items():
            again = getattr(part, name)()
            equal = same(examples.images, again.images) and same(examples.labels, again.labels)
            self.hold(equal, f"gives something else when {name}() is called again")

    def test_test_images_are_others(self) -> None:
        """The images to test on are others than those to train on."""
        seen = {image.numpy().tobytes() for image in self.made().train().images}
        test = self.made().test().images
        known = sum(image.numpy().tobytes() in seen for image in test)
        self.hold(known * 2 < len(test), f"tests on {known} of {len(test)} images that are trained on too")

    def test_can_be_halved(self) -> None:
        """Where it provides `halves`, each class has two training images, one for each half."""
        if self.provides("halves"):
            part = self.made()
            fewest = int(torch.bincount(part.train().labels, minlength=part.facts.classes).min())
            self.hold(fewest > 1, f"provides halves, and has {fewest} training image of one class")


def _parts(part: Dataset) -> dict[str, Examples]:
    return {"train": part.train(), "test": part.test()}


def _listed(values: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in values.tolist())
