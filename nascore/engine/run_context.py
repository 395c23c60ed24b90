"""The context of a run: recipe, data, device, folder and observers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from nascore.engine.batches import fit_and_validation, halves
from nascore.engine.sources import source_of
from nascore.engine.streams import Streams
from nascore.plugin import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import Tensor

    from nascore.component import Execution
    from nascore.contract import DataFacts, Dataset, ImageSource, Task
    from nascore.description import Catalogue
    from nascore.engine.observers import Observers
    from nascore.recipe import Recipe
    from nascore.run import GalleryFile, RunControl, RunFolder


@define(kw_only=True)
class RunContext:
    """The context of a run.

    Attributes:
        recipe: The settled recipe.
        catalogue: The operations that descriptions may name.
        executions: The ways in which networks may compute, by name.
        dataset: The data set.
        task: The task.
        device: The device of the networks.
        folder: The folder of the run.
        gallery: The gallery file of its architectures.
        observers: The observers of the run.
        control: Decides when the run is saved and when it stops.
        plugins: The selection of plugins, for other processes.
        accepted: Accepted differences to the beginning of a resumed run.
        weights: Tensors of a file, by name, with which the training of an evaluation begins.
        warnings: Warnings about the results so far.
    """

    recipe: Recipe
    catalogue: Catalogue
    dataset: Dataset
    task: Task
    device: torch.device
    folder: RunFolder
    gallery: GalleryFile
    observers: Observers
    control: RunControl
    executions: Mapping[str, Execution] = field(factory=dict)
    plugins: Selection = field(factory=Selection)
    accepted: tuple[str, ...] = ()
    weights: Mapping[str, Tensor] = field(factory=dict)
    warnings: list[str] = field(factory=list)

    def warn(self, text: str) -> None:
        """Add a warning about the results to the log and to the result of the run."""
        text = f"warning: {text}."
        self.warnings.append(text)
        self.folder.log(text)

    @property
    def facts(self) -> DataFacts:
        """The facts of the data set."""
        return self.dataset.facts

    def streams(self, job: int, stage: str = "") -> Streams:
        """Return the random numbers of a job or of a stage of it; they depend on seed, job and stage only."""
        return Streams(f"{self.recipe.run.seed}/{job}{stage and '/'}{stage}", self.device)

    def halves(self) -> tuple[ImageSource, ImageSource]:
        """Return the two halves of the training images, the same for all jobs of the run."""
        source = self.train()
        return halves(source, Streams(self.recipe.run.seed)["halves"], self._strata(source))

    def fit_and_validation(self) -> tuple[ImageSource, ImageSource]:
        """Return the training and the validation images of a growth run, the same for all jobs."""
        source = self.train()
        generator = Streams(self.recipe.run.seed)["validation"]
        return fit_and_validation(source, generator, self._strata(source))

    def _strata(self, source: ImageSource) -> Tensor:
        """Return the stratum of each image, int64 [N], by which the task has images split."""
        return self.task.strata(source.labels, self.facts)

    def train(self) -> ImageSource:
        """Return all training images; images in memory, and the labels, are on the device."""
        return source_of(self.dataset.train(), self.device, self.facts)

    def test(self) -> ImageSource:
        """Return all test images in the same form."""
        return source_of(self.dataset.test(), self.device, self.facts)
