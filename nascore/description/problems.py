"""Collecting problems, so that all of them are told at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from nascore.errors import DescriptionError, Origin, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


@define
class Found:
    """The problems found so far; :meth:`stop` ends the work if there are any."""

    problems: list[Problem] = field(factory=list)

    def add(self, path: str, text: str, *, hint: str = "", origin: Origin | None = None) -> None:
        """Note one problem."""
        self.problems.append(Problem(path=path, text=text, hint=hint, origin=origin))

    def whole(self, path: str, value: object, least: int) -> None:
        """Note it if the value is no whole number of at least ``least``."""
        if not isinstance(value, int) or isinstance(value, bool):
            self.add(path, f"must be a whole number, not {value!r}.")
        elif value < least:
            self.add(path, f"must be at least {least}, not {value}.")

    def flag(self, path: str, value: object) -> None:
        """Note it if the value is neither true nor false."""
        if not isinstance(value, bool):
            self.add(path, f"must be true or false, not {value!r}.")

    @contextmanager
    def at(self, path: str, origin: Origin | None = None) -> Iterator[None]:
        """Take over the problems raised within, below ``path`` and, where they have none, with ``origin``."""
        try:
            yield
        except DescriptionError as error:
            self.problems += [
                evolve(each, path=join(path, each.path), origin=each.origin or origin)
                for each in error.problems
            ]

    def stop(self) -> None:
        """Raise everything found, if anything was.

        Raises:
            DescriptionError: With all problems.
        """
        if self.problems:
            raise DescriptionError(self.problems)


def join(*parts: str) -> str:
    """Return one path out of parts, of which some may be empty."""
    return ".".join(part for part in parts if part)
