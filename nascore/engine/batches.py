"""The images of a run: split, shuffled, augmented and normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from nascore.engine.augmentation import augment, normalise
from nascore.errors import Problem, RecipeError
from nascore.nn import Examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Generator, Tensor

    from nascore.contract import DataFacts


MEASURED_AT_ONCE = 256

FIFTH = 5


class Batches:
    """An endless sequence of whole batches; each epoch is shuffled anew and its rest is dropped.

    Args:
        examples: The images, scaled to 0 to 1, and their labels; already on the device.
        facts: How to normalise and to augment.
        size: Images in a batch.
        order: Generator for shuffling.
        noise: Generator for augmentation, of its own so that augmenting changes no order; None: images stay
            as they are.
        setting: Which setting gives the size, for messages.

    Raises:
        RecipeError: There are fewer images than a batch holds.
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        examples: Examples,
        facts: DataFacts,
        *,
        size: int,
        order: Generator,
        noise: Generator | None = None,
        setting: str = "trainer.batch",
    ) -> None:
        check_batch(setting, size, len(examples.labels))
        self.examples = examples
        self.facts = facts
        self.size = size
        self._order = order
        self._noise = noise
        self._permutation = torch.empty(0, dtype=torch.int64)
        self._position = 0

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return len(self.examples.labels) // self.size

    def next(self) -> tuple[Tensor, Tensor]:
        """Return the next images [B, C, H, W], normalised, and their labels [B]."""
        if self._position + self.size > len(self._permutation):
            self._permutation = torch.randperm(len(self.examples.labels), generator=self._order)
            self._position = 0
        chosen = self._permutation[self._position : self._position + self.size]
        self._position += self.size
        chosen = chosen.to(self.examples.labels.device)
        images = self.examples.images[chosen]
        if self._noise is not None:
            images = augment(images, self.facts, self._noise)
        return normalise(images, self.facts), self.examples.labels[chosen]

    def state_dict(self) -> dict[str, Any]:
        """Return the order under way and the place in it; the generators are saved with the streams."""
        return {"permutation": self._permutation.clone(), "position": self._position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self._permutation = state["permutation"].clone()
        self._position = int(state["position"])


def check_batch(path: str, size: int, images: int) -> None:
    """Refuse a batch that is larger than the images that it is taken from.

    Raises:
        RecipeError: It is.
    """
    if size > images:
        text = f"a batch of {size} is more than the {images} images that there are."
        raise RecipeError([Problem(path=path, text=text, hint="Set a smaller batch.")])


def evaluation_batches(examples: Examples, facts: DataFacts) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all images once, normalised and unchanged otherwise, with their labels.

    A norm without parameters takes its statistics from the batch that it sees, also here. So the order is
    random, though always the same: data sorted by class would give each batch a few classes only. And the
    batches are of even size, so that none is too small to have statistics.
    """
    count = len(examples.labels)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0)).to(examples.labels.device)
    for piece in order.tensor_split(-(-count // MEASURED_AT_ONCE)):
        yield normalise(examples.images[piece], facts), examples.labels[piece]


def halves(examples: Examples, generator: Generator) -> tuple[Examples, Examples]:
    """Return two disjoint halves; each class is split evenly, up to one image."""
    return _split(examples, generator, every=2)


def validation_count(count: int) -> int:
    """Return how many of so many training images a growth run holds back to measure on: every fifth."""
    return count // FIFTH


def fit_and_validation(examples: Examples, generator: Generator) -> tuple[Examples, Examples]:
    """Return what networks are fitted to, 80 %, and what they are measured on, 20 %; so of each class."""
    return _split(examples, generator, every=FIFTH)


def _split(examples: Examples, generator: Generator, *, every: int) -> tuple[Examples, Examples]:
    """Return two disjoint parts, the second of every so many images.

    The images are shuffled, sorted by class and dealt out in turn, so that the parts differ by at most one
    image from their share of all images, and of those of each class.
    """
    shuffled = torch.randperm(len(examples.labels), generator=generator).to(examples.labels.device)
    dealt = shuffled[torch.argsort(examples.labels[shuffled], stable=True)]
    second = torch.arange(len(dealt), device=dealt.device) % every == every - 1
    return _part(examples, dealt[~second]), _part(examples, dealt[second])


def _part(examples: Examples, chosen: Tensor) -> Examples:
    return Examples(images=examples.images[chosen], labels=examples.labels[chosen])


def to_device(examples: Examples, device: torch.device) -> Examples:
    """Return the examples on a device, as 32-bit floats."""
    return Examples(
        images=examples.images.to(device, torch.float32), labels=examples.labels.to(device, torch.int64)
    )
