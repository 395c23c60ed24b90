"""The images of a run: split, shuffled, augmented and normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch

from nascore.engine.augmentation import Normalisation, augment
from nascore.engine.sources import ReadAhead, source_of
from nascore.errors import Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Generator, Tensor

    from nascore.contract import DataFacts, ImageSource, StreamedExamples
    from nascore.nn import Examples


MEASURED_AT_ONCE = 256
"""Largest batch of an evaluation."""

FIFTH = 5


class BatchChanges(Protocol):
    """Changes training batches, as :class:`nascore.engine.tricks.BatchTricks` does."""

    def transformed(self, images: Tensor) -> Tensor:
        """Return images [B, C, H, W], not normalised, each changed by itself."""
        ...

    def changed(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return normalised images [B, C, H, W] and targets, changed as a batch."""
        ...


class Batches:
    """An endless sequence of full batches; each epoch is shuffled, and an incomplete last batch is dropped.

    Args:
        examples: The images and their labels, in memory on the device, or streamed.
        facts: How to normalise and to augment.
        size: Images in a batch.
        order: Generator for shuffling.
        noise: Generator for augmentation, separate so that augmentation does not change the order; None: no
            augmentation.
        setting: Path of the setting of the size, for messages.
        tricks: The tricks that change the batches; None: none.

    Raises:
        RecipeError: There are fewer images than a batch holds.
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        examples: Examples | StreamedExamples | ImageSource,
        facts: DataFacts,
        *,
        size: int,
        order: Generator,
        noise: Generator | None = None,
        setting: str = "trainer.batch",
        tricks: BatchChanges | None = None,
    ) -> None:
        self.examples = source_of(examples)
        check_batch(setting, size, len(self.examples))
        self.facts = facts
        self.size = size
        self._order = order
        self._noise = noise
        self._tricks = tricks
        self._normalise = Normalisation(facts)
        self._permutation = torch.empty(0, dtype=torch.int64)
        self._position = 0
        self._read_ahead = ReadAhead(self.examples, self._coming)

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return len(self.examples) // self.size

    def next(self) -> tuple[Tensor, Tensor]:
        """Return the next images [B, C, H, W], normalised, and their labels [B].

        With tricks the labels may be probabilities [B, classes].
        """
        if self._position + self.size > len(self._permutation):
            self._permutation = torch.randperm(len(self.examples), generator=self._order)
            self._position = 0
        images, labels = self._read_ahead.read(self._piece(self._permutation, self._position))
        self._position += self.size
        if self._noise is not None:
            images = augment(images, self.facts, self._noise)
        if self._tricks is None:
            return self._normalise(images), labels
        return self._tricks.changed(self._normalise(self._tricks.transformed(images)), labels)

    def _piece(self, permutation: Tensor, position: int) -> Tensor:
        return permutation[position : position + self.size]

    def _coming(self) -> Iterator[Tensor]:
        """Yield the indices of the batches after the current one, without a change of the state."""
        order = torch.Generator()
        order.set_state(self._order.get_state())
        permutation, position = self._permutation, self._position + self.size
        while True:
            if position + self.size > len(permutation):
                permutation, position = torch.randperm(len(self.examples), generator=order), 0
            yield self._piece(permutation, position)
            position += self.size

    def close(self) -> None:
        """Stop the processes that read images ahead; a later :meth:`next` starts them again."""
        self._read_ahead.close()

    def plain(self) -> Iterator[Tensor]:
        """Yield all images once, in batches [B, C, H, W], normalised and without any change."""
        return (images for images, _ in evaluation_batches(self.examples, self.facts))

    def state_dict(self) -> dict[str, Any]:
        """Return the order of the current epoch and the position in it; streams save the generators."""
        return {"permutation": self._permutation.clone(), "position": self._position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state."""
        self._permutation = state["permutation"].clone()
        self._position = int(state["position"])


def check_batch(path: str, size: int, images: int) -> None:
    """Refuse a batch that is larger than the number of images.

    Raises:
        RecipeError: It is larger.
    """
    if size > images:
        text = f"a batch of {size} is larger than the {images} available images."
        raise RecipeError([Problem(path=path, text=text, hint="Set a smaller batch.")])


def evaluation_batches(
    examples: Examples | StreamedExamples | ImageSource, facts: DataFacts
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all images once, normalised but not augmented, with their labels.

    Norms of candidates use batch statistics in evaluation too. Therefore the order is random, but always the
    same: in data sorted by class each batch would have few classes. And the batches have nearly equal sizes,
    so that no batch is too small for its statistics.
    """
    source, normalise = source_of(examples), Normalisation(facts)
    count = len(source)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    for images, labels in source.read(order.tensor_split(-(-count // MEASURED_AT_ONCE))):
        yield normalise(images), labels


def halves(
    source: ImageSource, generator: Generator, strata: Tensor | None = None
) -> tuple[ImageSource, ImageSource]:
    """Return two disjoint halves of the images; each class is split evenly, up to one image.

    Args:
        source: The images.
        generator: The source of random numbers.
        strata: The stratum of each image, int64 [N], which is split evenly; None: the classes.
    """
    return _split(source, generator, strata, every=2)


def validation_count(count: int) -> int:
    """Return how many of the training images a growth run uses for validation: one in five."""
    return count // FIFTH


def fit_and_validation(
    source: ImageSource, generator: Generator, strata: Tensor | None = None
) -> tuple[ImageSource, ImageSource]:
    """Return the images for training, 80 %, and for validation, 20 %, in the same shares of each class.

    Its arguments are those of :func:`halves`.
    """
    return _split(source, generator, strata, every=FIFTH)


def _split(
    source: ImageSource, generator: Generator, strata: Tensor | None, *, every: int
) -> tuple[ImageSource, ImageSource]:
    """Return two disjoint parts; the second has one in `every` images.

    The images are shuffled, sorted by stratum and dealt out in turn, so that the parts differ by at most one
    image from their share of all images, and of the images of each stratum.
    """
    strata = source.labels if strata is None else strata.to(source.labels.device)
    shuffled = torch.randperm(len(source), generator=generator).to(source.labels.device)
    dealt = shuffled[torch.argsort(strata[shuffled], stable=True)]
    second = torch.arange(len(dealt), device=dealt.device) % every == every - 1
    return source.part(dealt[~second]), source.part(dealt[second])
