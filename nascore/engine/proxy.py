"""The data set of a run; a search may use a smaller one in its place, its proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from attrs import evolve

from nascore.engine.factory import build_component
from nascore.engine.memory import check_images
from nascore.engine.sources import read_in_order, source_of
from nascore.errors import Problem, RecipeError
from nascore.nn import Examples, image_moments, resized_images
from nascore.nn.data import labels_of
from nascore.recipe import SEARCH_RUN
from nascore.slots import DATASET, RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from nascore.contract import DataFacts, Dataset, StreamedExamples
    from nascore.recipe import ProxySettings, Recipe

LEAST_STD = 1 / 255
"""The deviation of images of one colour, by which they can still be divided."""

LEAST_OF_A_CLASS = 2
"""Images of a class that remain, if it has as many: one for each half of the training images."""


def build_dataset(recipe: Recipe) -> Dataset:
    """Build the data set of a recipe; that of a search is smaller if its settings `proxy` say so.

    Raises:
        PluginError: It cannot be built.
        RecipeError: Its files are faulty, or the proxy does not fit it.
    """
    dataset: Dataset = build_component(recipe, DATASET)
    proxy = recipe.run.proxy
    if recipe.part(RUN).name != SEARCH_RUN.name or not proxy.is_smaller:
        return dataset
    problems = [*_problems(dataset.facts, proxy, recipe.part(DATASET).name)]
    if problems:
        raise RecipeError(problems)
    return Proxy(dataset, proxy)


def whole_facts(dataset: Dataset) -> DataFacts:
    """Return the facts of the whole data set, which an evaluation uses."""
    return dataset.whole.facts if isinstance(dataset, Proxy) else dataset.facts


def _problems(facts: DataFacts, proxy: ProxySettings, name: str) -> Iterator[Problem]:
    if proxy.classes is not None and facts.target_names:
        text = f"the images of {name} have no classes."
        yield Problem(path="proxy.classes", text=text, slots=(DATASET,))
        return
    if proxy.classes is not None and proxy.classes > facts.classes:
        text = f"{proxy.classes} is more than the {facts.classes} classes of {name}."
        yield Problem(path="proxy.classes", text=text, slots=(DATASET,))
    if proxy.size is not None and proxy.size > min(facts.height, facts.width):
        text = f"{proxy.size} is larger than the images of {name}, {facts.width}x{facts.height}."
        yield Problem(path="proxy.size", text=text, slots=(DATASET,))


class Proxy:
    """A smaller data set: fewer images of the first classes, at a smaller size.

    Which images it has depends on the data set and on the settings, not on the seed of the run.

    Args:
        whole: The whole data set.
        settings: The share of the images, their size, and the number of classes.
    """

    def __init__(self, whole: Dataset, settings: ProxySettings) -> None:
        self.whole = whole
        self.settings = settings
        facts = whole.facts
        height, width = self._size
        classes = settings.classes or facts.classes
        # Streamed images too are held in memory: a proxy is small.
        self._train = self._reduced(whole.train(), settings.fraction)
        mean, std = image_moments(self._train.images)
        self.facts = evolve(
            facts,
            height=height,
            width=width,
            classes=classes,
            class_names=facts.class_names[:classes],
            train=len(self._train.labels),
            test=facts.test if classes == facts.classes else int((labels_of(whole.test()) < classes).sum()),
            mean=tuple(mean.tolist()),
            std=tuple(max(each, LEAST_STD) for each in std.tolist()),
            streamed=False,
            crop_pad=round(facts.crop_pad * min(height, width) / min(facts.height, facts.width)),
        )

    def train(self) -> Examples:
        """Return a share of the training images."""
        return self._train

    def test(self) -> Examples:
        """Return the test images of the classes."""
        return self._reduced(self.whole.test(), 1.0)

    @property
    def _size(self) -> tuple[int, int]:
        """Height and width of an image."""
        facts, size = self.whole.facts, self.settings.size
        if size is None:
            return facts.height, facts.width
        factor = size / min(facts.height, facts.width)
        return round(facts.height * factor), round(facts.width * factor)

    def _reduced(self, examples: Examples | StreamedExamples, fraction: float) -> Examples:
        facts = self.whole.facts
        labels, classes = labels_of(examples), self.settings.classes or facts.classes
        if facts.target_names:
            labels, classes = torch.zeros(len(labels), dtype=torch.int64), 1
        chosen = _share(labels, classes, fraction)
        height, width = self._size
        check_images(evolve(facts, train=len(chosen), height=height, width=width, streamed=False))
        part = source_of(examples, facts=facts).part(chosen)
        images = torch.cat([resized_images(images, height, width) for images, _ in read_in_order(part)])
        return Examples(images=images, labels=part.labels)


def _share(labels: Tensor, classes: int, fraction: float) -> Tensor:
    """Return the indices of a share of the images of each class, in their order."""
    generator = torch.Generator().manual_seed(0)
    chosen = []
    for label in range(classes):
        places = torch.nonzero(labels == label).flatten()
        order = torch.randperm(len(places), generator=generator)
        number = max(round(fraction * len(places)), min(LEAST_OF_A_CLASS, len(places)))
        chosen.append(places[order[:number].sort()[0]])
    return torch.cat(chosen).sort()[0]
