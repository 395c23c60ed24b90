"""Translators between descriptions and other notations, which plugins bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from nascore.description.values import Description


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
    """

    name: str
    summary: str
    to_text: Callable[[Description], str]
    from_text: FromText
    recognises: Callable[[str], bool]
    names: tuple[str, ...] = ()
