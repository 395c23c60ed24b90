"""What is made for each slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen(kw_only=True)
class Blueprint:
    """The working part that stands in a new plugin.

    Attributes:
        slot: The slot that it fills; also the folder of its templates.
        summary: What the part does, at most 80 characters.
        others: Who fills the slots beside it in a first search.
    """

    slot: str
    summary: str
    others: Mapping[str, str]

    @property
    def part(self) -> str:
        """Name of the part's class."""
        return self.slot.capitalize()

    @property
    def conformance(self) -> str:
        """The class of the kit whose checks it passes."""
        return f"{self.part}Conformance"

    def search(self, name: str) -> str:
        """Return the command of a first search with the part."""
        filled = {**self.others, self.slot: name}
        flags = (word for slot, one in filled.items() for word in (f"--{slot}", one))
        return command_line("nascore", "search", *flags, "--scale", "mini")


_TINY: Final = {"space": "tiny", "dataset": "synthetic"}

BLUEPRINTS: Final[Mapping[str, Blueprint]] = {
    made.slot: made
    for made in (
        Blueprint(slot="updater", summary="Plain gradient descent on theta.", others=_TINY),
        Blueprint(slot="relaxation", summary="Softmax at a temperature.", others={**_TINY, "updater": "sgd"}),
        Blueprint(
            slot="regularizer",
            summary="Penalty on the distance from the even mixture.",
            others={**_TINY, "updater": "sgd"},
        ),
        Blueprint(
            slot="space",
            summary="A chain of layers with three candidates each.",
            others={"space": "", "dataset": "synthetic", "updater": "sgd"},
        ),
    )
}
"""By slot; for the others, begin with the contract's page."""
