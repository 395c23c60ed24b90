"""Translators between descriptions and other notations; plugins provide them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from attrs import Factory, evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nascore.description.graph import Description


MOST_PASSAGES: Final = 1_000
"""Architectures of one text that are looked at."""


@frozen(kw_only=True)
class Passage:
    """An architecture in a text that holds more.

    Attributes:
        names: What it is called there, such as the variable that it is assigned to.
        line: Where it begins, from 1.
        column: Where it begins in its line, from 1.
        body: The architecture alone.
    """

    names: tuple[str, ...]
    line: int
    column: int
    body: str

    @property
    def text(self) -> str:
        """The body with blanks before it, so that what is wrong in it keeps its line and column."""
        return "\n" * (self.line - 1) + " " * (self.column - 1) + self.body


def passages(
    text: str, spans: Iterable[tuple[str, int, int]], aliases: Mapping[str, str]
) -> tuple[Passage, ...]:
    """Return the passages of a text; what is there twice, blanks apart, is one of several names.

    Args:
        text: The whole text.
        spans: Of each architecture its name, or an empty text, and where it begins and ends.
        aliases: Other names, each with the name that it stands for.
    """
    found: dict[str, Passage] = {}
    line, counted = 1, 0
    for name, begin, end in islice(spans, MOST_PASSAGES):
        line, counted = line + text.count("\n", counted, begin), begin
        body = text[begin:end]
        key = "".join(body.split())
        column = begin - text.rfind("\n", 0, begin)
        one = found.setdefault(key, Passage(names=(), line=line, column=column, body=body))
        if name and name not in one.names:
            found[key] = evolve(one, names=(*one.names, name))
    others: dict[str, list[str]] = {}
    for alias, name in aliases.items():
        others.setdefault(name, []).append(alias)
    return tuple(_with_aliases(one, others) for one in found.values())


def _with_aliases(passage: Passage, others: Mapping[str, Sequence[str]]) -> Passage:
    aliases = [alias for name in passage.names for alias in others.get(name, ())]
    return evolve(passage, names=tuple(dict.fromkeys([*passage.names, *aliases])))


class FromText(Protocol):
    """Reads a text of another notation; what that notation leaves open is given by name."""

    def __call__(  # noqa: PLR0913 - what a notation leaves open, each by name
        self,
        text: str,
        *,
        channels: int = ...,
        cells: int = ...,
        classes: int = ...,
        in_channels: int = ...,
        auxiliary: bool = ...,
    ) -> Description:
        """Return the description of the text, or raise ``DescriptionError`` with all its problems."""


@frozen(kw_only=True)
class Translator:
    """A notation for architectures beside nascore's YAML, for example DARTS's genotypes.

    Attributes:
        name: What ``export --to NAME`` is given.
        summary: One sentence.
        to_text: Writes a closed description; raises ``DescriptionError`` where the notation cannot say it.
        from_text: Reads a text. The origin of a problem may end in ``:LINE:COLUMN`` of the text.
        recognises: Whether a text looks like this notation; must not raise.
        names: Names that it reads too, such as those of published genotypes; said where one is mistyped.
        find: Finds its texts in one that holds more, such as a log; None: it reads whole texts only.
        of_catalogue: Whether `from_text` takes `operations`, the names of all that may stand on an edge.
        mini: The size, `channels` and `cells`, at which ``evaluate`` trains a text at the scale ``mini``;
            what is left out is as `from_text` gives it, which is the published size.
    """

    name: str
    summary: str
    to_text: Callable[[Description], str]
    from_text: FromText
    recognises: Callable[[str], bool]
    names: tuple[str, ...] = ()
    find: Callable[[str], Sequence[Passage]] | None = None
    of_catalogue: bool = False
    mini: Mapping[str, int] = Factory(dict)
