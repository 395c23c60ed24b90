"""The image files of a data set, one by one, and as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import Factory, define, evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nascore.api import Problem

Part = Literal["train", "test"]


@frozen(kw_only=True)
class Item:
    """An image file.

    Attributes:
        path: The file.
        name: Its path in the data set, which decides on its part.
        place: How a message names it.
        label: Its class, by name.
        part: The part that the data assign it to: `train`, `val` or `test`; empty if they assign none.
        values: Its numbers, in the order of the target names; empty if images have classes.
    """

    path: Path
    name: str
    place: str
    label: str
    part: str = ""
    values: tuple[float, ...] = ()


@frozen(kw_only=True)
class Listing:
    """The images of a data set.

    Attributes:
        items: The image files, sorted by class.
        targets: Their class numbers.
        parts: The part of each.
        classes: The names of the classes.
        target_names: The names of the numbers of each image; empty if images have classes.
    """

    items: tuple[Item, ...]
    targets: tuple[int, ...]
    parts: tuple[Part, ...]
    classes: tuple[str, ...]
    target_names: tuple[str, ...] = ()

    def answers(self) -> tuple[int | tuple[float, ...], ...]:
        """Return the class number of each image, or its numbers."""
        return tuple(item.values for item in self.items) if self.target_names else self.targets

    def without(self, indices: Iterable[int]) -> Listing:
        """Return the listing without some of its images."""
        bad = set(indices)
        kept = [index for index in range(len(self.items)) if index not in bad]
        return evolve(
            self,
            items=tuple(self.items[index] for index in kept),
            targets=tuple(self.targets[index] for index in kept),
            parts=tuple(self.parts[index] for index in kept),
        )


@define(kw_only=True)
class Found:
    """The image files that a reader of a folder or a table found.

    Attributes:
        items: The image files.
        problems: The problems.
        empty: Classes without an image, each with the reason.
        target_names: The names of the numbers of each image; empty if images have classes.
    """

    items: list[Item] = Factory(list)
    problems: list[Problem] = Factory(list)
    empty: dict[str, str] = Factory(dict)
    target_names: tuple[str, ...] = ()
