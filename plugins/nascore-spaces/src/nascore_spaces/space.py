"""The spaces: a file, at the size that is set, for the data that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.api import resize, spread
from nascore_spaces.edits import fitted, shallower, untied
from nascore_spaces.files import read

if TYPE_CHECKING:
    from nascore.api import DataFacts, Description
    from nascore_spaces.settings import CellSettings, MbconvSettings, Nb101Settings, ResnetSettings


@frozen
class Chain:
    """Layers in a row, each with a choice of its own.

    Attributes:
        file: Name of the file.
        settings: Size of the network.
    """

    file: str
    settings: MbconvSettings | ResnetSettings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description, less coarse where the images are small."""
        found = resize(_for(read("spaces", self.file), facts), channels=self.settings.channels)
        return fitted(shallower(found, self.settings.stages, self.settings.layers), facts)


@frozen
class Cells:
    """A network of cells that are used many times.

    Attributes:
        file: Name of the file.
        settings: Size of the network.
    """

    file: str
    settings: CellSettings | Nb101Settings

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description."""
        found = _for(read("spaces", self.file), facts)
        repeats = spread(found, self.settings.cells)
        return resize(found, channels=self.settings.channels, repeats=repeats)


@frozen
class Macro(Cells):
    """A network in which every cell chooses for itself."""

    def describe(self, facts: DataFacts) -> Description:
        """Return the open description."""
        return untied(super().describe(facts))


def _for(description: Description, facts: DataFacts) -> Description:
    return evolve(description, in_channels=facts.channels, classes=facts.classes)
