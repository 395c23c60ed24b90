"""Collects problems so that all are reported at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field, fields

from nascore.description.names import LARGEST, UNREAD_NUMBER
from nascore.errors import DescriptionError, Origin, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from attrs import Attribute, AttrsInstance

T = TypeVar("T")

_SHOWN = 12
"""Choices that a hint lists at most."""


class ProblemsError(DescriptionError):
    """The error of a :class:`ProblemCollector`, with more precise positions of problems than their paths."""

    def __init__(self, problems: Iterable[Problem] | str, spots: Mapping[Problem, str] | None = None) -> None:
        super().__init__(problems)
        self.spots = dict(spots or {})


@define
class ProblemCollector:
    """The problems found so far; :meth:`stop` raises them.

    Attributes:
        problems: The problems in the order in which they were found, without duplicates.
        spots: By problem the text at its position, if its path ends before, such as an operation of a list.
    """

    problems: list[Problem] = field(factory=list)
    spots: dict[Problem, str] = field(factory=dict)

    def add(
        self, path: str, text: str, *, hint: str = "", origin: Origin | None = None, spot: str = ""
    ) -> None:
        """Add a problem."""
        problem = Problem(path=path, text=text, hint=hint, origin=origin)
        if problem not in self.problems:
            self.problems.append(problem)
        if spot:
            self.spots.setdefault(problem, spot)

    def whole(self, path: str, value: object, least: int, most: int = LARGEST) -> None:
        """Add a problem if the value is not a whole number from ``least`` to ``most``."""
        if value is UNREAD_NUMBER:
            return
        if not isinstance(value, int) or isinstance(value, bool):
            self.add(path, f"must be a whole number, not {value!r}.")
        elif value < least:
            self.add(path, f"must be at least {least}, not {value}.")
        elif value > most:
            self.add(path, f"must be at most {most:,}, not {value}.")

    def flag(self, path: str, value: object) -> None:
        """Add a problem if the value is not a boolean."""
        if not isinstance(value, bool):
            self.add(path, f"must be true or false, not {value!r}.")

    @contextmanager
    def at(self, path: str, origin: Origin | None = None) -> Iterator[None]:
        """Add the problems raised inside, with paths below ``path``, and ``origin`` if they have none."""
        try:
            yield
        except DescriptionError as error:
            spots = error.spots if isinstance(error, ProblemsError) else {}
            for each in error.problems:
                self.add(
                    join(path, each.path),
                    each.text,
                    hint=each.hint,
                    origin=each.origin or origin,
                    spot=spots.get(each, ""),
                )

    def made(self, kind: type[T], path: str, **values: Any) -> T:  # noqa: ANN401 - the fields of any value
        """Return a value of the language; if it breaks an invariant, add the problem and return a draft.

        A draft is the value without its invariants, for further checks of the same text only. The caller must
        call :meth:`stop` before other code uses it.
        """
        with self.at(path):
            return kind(**values)
        draft = object.__new__(kind)
        for name, default in defaults_of(kind).items():
            object.__setattr__(draft, name, values.get(name, default))
        return draft

    def stop(self) -> None:
        """Raise all problems, if there are any.

        Raises:
            DescriptionError: With all problems.
        """
        if self.problems:
            raise ProblemsError(self.problems, self.spots)


def defaults_of(kind: type[AttrsInstance]) -> dict[str, Any]:
    """Return the default of each field of a class; ``attrs.NOTHING`` for a field without default."""
    return {one.name: _default(one) for one in fields(kind)}


def _default(attribute: Attribute[Any]) -> Any:  # noqa: ANN401 - of any field
    factory = getattr(attribute.default, "factory", None)
    return attribute.default if factory is None else factory()


def join(*parts: str) -> str:
    """Return one path from parts, some of which may be empty."""
    return ".".join(part for part in parts if part)


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return the hint for an unknown word: the nearest choice, or all choices."""
    known = list(dict.fromkeys(choices))
    shown = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
    return did_you_mean(word, known) or (f"Known: {shown}." if known else "")
