"""Numbers for each image, from the columns of a table: values, or 0 and 1 for each of several labels."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final

from attrs import Factory, define, evolve

from nascore_vision.problems import count, listed, problem, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.api import Problem
    from nascore_vision.items import Found, Item
    from nascore_vision.settings import CsvSettings

PREFIX: Final = "target "
"""Distinguishes the columns of numbers from those that settings name."""


def target_columns(settings: CsvSettings) -> tuple[str, ...]:
    """Return the names of the columns with numbers; none if images have classes or labels."""
    return tuple(filter(None, (name.strip() for name in (settings.target or "").split(","))))


@define(kw_only=True)
class Numbers:
    """Reads the numbers of images from the rows of a table.

    Attributes:
        columns: Position of each column with numbers by name; empty if one column has labels.
        separator: The character between labels; None: each image has a class or numbers.
        faults: The values that are no numbers, each with its column and line.
    """

    columns: Mapping[str, int]
    separator: str | None = None
    faults: list[str] = Factory(list)

    def values(self, row: Sequence[str], line: int) -> tuple[float, ...]:
        """Return the numbers of a row; a value that is no finite number is noted."""
        found = []
        for name, at in self.columns.items():
            text = row[at].strip()
            number = _number(text)
            if number is None:
                self.faults.append(f"{readable(text)!r} in column {readable(name)} (line {line})")
            found.append(0.0 if number is None else number)
        return tuple(found)

    @classmethod
    def of(cls, settings: CsvSettings, columns: Mapping[str, int]) -> Numbers:
        """Return the reader for a table with these columns, whose columns of numbers have a prefix."""
        targets = {name: columns[f"{PREFIX}{name}"] for name in target_columns(settings)}
        return cls(columns=targets, separator=None if targets else settings.label_separator)

    @property
    def used(self) -> bool:
        """Whether images have numbers instead of classes."""
        return bool(self.columns) or self.separator is not None

    def complete(self, found: Found, file: str) -> None:
        """Give the images of a table their numbers and these their names, and add the problems of values."""
        found.problems += self.problems(file)
        if not self.used:
            return
        found.items, found.target_names = self._named(found.items)
        if found.items and not found.target_names:
            text = f"no image of {file} has a label."
            found.problems.append(problem(text, setting="label_column"))

    def _named(self, items: Sequence[Item]) -> tuple[list[Item], tuple[str, ...]]:
        """Return images with their numbers, and the names of these.

        The labels of an image, which may have none, become 0 and 1 for each label of any image.
        """
        if self.columns:
            return [evolve(item, label="") for item in items], tuple(self.columns)
        labels = [set(filter(None, map(str.strip, item.label.split(self.separator)))) for item in items]
        names = tuple(sorted({name for found in labels for name in found}))
        return [
            evolve(item, label="", values=tuple(float(name in found) for name in names))
            for item, found in zip(items, labels, strict=True)
        ], names

    def problems(self, file: str) -> list[Problem]:
        """Return the problem of all values that are no numbers."""
        if not self.faults:
            return []
        text = f"{file} has {count(len(self.faults), 'value')} that are no numbers: {listed(self.faults)}."
        if len(self.faults) == 1:
            text = f"{file} has a value that is no number: {self.faults[0]}."
        return [problem(text, "Write finite numbers with a decimal point.", setting="target")]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
