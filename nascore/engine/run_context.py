"""A run under way: its recipe, its data, its folder, and where it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from nascore.engine.batches import fit_and_validation, halves, to_device
from nascore.engine.streams import Streams

if TYPE_CHECKING:
    import torch

    from nascore.contract import DataFacts, Dataset
    from nascore.description import Catalogue
    from nascore.engine.observers import Observers
    from nascore.nn import Examples
    from nascore.recipe import Recipe
    from nascore.run import GalleryFile, RunFolder


@define(kw_only=True)
class RunContext:
    """A run under way.

    Attributes:
        recipe: What was asked for.
        catalogue: The operations that descriptions may name.
        dataset: The data.
        device: Where networks run.
        folder: Where the run is written.
        gallery: Where its architectures are written.
        watch: Who watches.
        warnings: What turned out to be doubtful on the way.
    """

    recipe: Recipe
    catalogue: Catalogue
    dataset: Dataset
    device: torch.device
    folder: RunFolder
    gallery: GalleryFile
    observers: Observers
    warnings: list[str] = field(factory=list)

    def warn(self, text: str) -> None:
        """Record what is doubtful about what was found: in the log, and in the result."""
        text = f"Warning: {text}."
        self.warnings.append(text)
        self.folder.log(text)

    @property
    def facts(self) -> DataFacts:
        """What is known of the data."""
        return self.dataset.facts

    def streams(self, job: int, stage: str = "") -> Streams:
        """Return the random numbers of a job, or of a stage of it: they depend on its number alone."""
        return Streams(f"{self.recipe.run.seed}/{job}{stage and '/'}{stage}", self.device)

    def halves(self) -> tuple[Examples, Examples]:
        """Return the two halves of the training images, the same for all jobs of the run."""
        return halves(self.train(), Streams(self.recipe.run.seed)["halves"])

    def fit_and_validation(self) -> tuple[Examples, Examples]:
        """Return what a growth run fits networks to, and what it measures them on; the same for all jobs."""
        return fit_and_validation(self.train(), Streams(self.recipe.run.seed)["validation"])

    def train(self) -> Examples:
        """Return all training images, on the device."""
        return to_device(self.dataset.train(), self.device)
