"""Translators between descriptions and other notations; plugins provide them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from attrs import Factory, evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from nascore.description.graph import Description


MOST_PASSAGES: Final = 1_000
"""Largest number of architectures that are read from one text."""


@frozen(kw_only=True)
class Passage:
    """An architecture inside of a longer text.

    Attributes:
        names: Its names in the text, such as the variable to which it is assigned.
        line: Number of its first line, from 1.
        column: Column of its first character, from 1.
        body: The text of the architecture alone.
    """

    names: tuple[str, ...]
    line: int
    column: int
    body: str

    @property
    def text(self) -> str:
        """The body after newlines and blanks, so that positions in it are those of the whole text."""
        return "\n" * (self.line - 1) + " " * (self.column - 1) + self.body


def passages(
    text: str, spans: Iterable[tuple[str, int, int]], aliases: Mapping[str, str]
) -> tuple[Passage, ...]:
    """Return the architectures in a text; equal ones, apart from blanks, become one with several names.

    Args:
        text: The whole text.
        spans: Name (or an empty text), begin and end of each architecture.
        aliases: Other names, each with the name that it refers to.
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
    """Reads a text in another notation; values that the notation does not contain are keyword arguments."""

    def __call__(  # noqa: PLR0913 - the values that a notation does not contain, each by name
        self,
        text: str,
        *,
        channels: int = ...,
        cells: int = ...,
        classes: int = ...,
        in_channels: int = ...,
        auxiliary: bool = ...,
    ) -> Description:
        """Return the description of the text, or raise a ``DescriptionError`` with all its problems."""


@frozen(kw_only=True)
class Pretrained:
    """The published weights of an architecture, looked for on this machine; nothing is downloaded.

    Attributes:
        file: Their file, safetensors or a state dict of torch; None if it is not on this machine.
        places: The files that were looked for, as texts for a message.
        hint: How to get the file: a sentence with a command or an address.
    """

    file: Path | None
    places: tuple[str, ...] = ()
    hint: str = ""


@frozen(kw_only=True)
class Translator:
    """A notation for architectures beside nascore's YAML, for example DARTS's genotypes.

    Attributes:
        name: NAME in ``export --to NAME``.
        summary: One sentence.
        to_text: Writes a closed description; raises ``DescriptionError`` if the notation cannot express it.
        from_text: Reads a text. The origin of a problem may end in ``:LINE:COLUMN`` of the text.
        recognises: Whether a text looks like this notation; must not raise.
        names: Names that it also reads, such as those of published genotypes; suggested for a mistyped name.
        find: Finds its texts inside of a longer text, such as a log; None: it reads whole texts only.
        of_catalogue: Whether `from_text` takes `operations`, the names of all operations of edges.
        mini: The size, `channels` and `cells`, at which ``evaluate`` trains a text at the scale ``mini``;
            a missing value is the published size from `from_text`.
        small: The same at the scale ``small``.
        pretrained: Looks for the published weights of a text, for ``evaluate --pretrained``; returns None, or
            raises ``DescriptionError`` with the reason, if there are none. None: the notation has no
            published weights.
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
    small: Mapping[str, int] = Factory(dict)
    pretrained: Callable[[str], Pretrained | None] | None = None
