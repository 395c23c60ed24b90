"""The compact form of a genotype: for each cell eight pairs (source, number of an operation).

The numbers count another list in each code base, so that most texts say two networks, and none is guessed.
"""

from __future__ import annotations

import re

from nascore.api import DescriptionError, Origin, Problem

_LONGEST = 2_000
_PAIR = r"[(\[]\s*\d{1,2}\s*,\s*\d{1,2}\s*[)\]]"
_CELL = rf"[(\[]\s*{_PAIR}(?:\s*,\s*{_PAIR}){{0,39}}\s*,?\s*[)\]]"
_COMPACT = re.compile(rf"\s*[(\[]\s*{_CELL}\s*,\s*{_CELL}\s*,?\s*[)\]][\s,]*")

_READINGS = (
    "0 is max_pool_3x3 where `none` is not counted, as in NASLib and NAS-Bench-301, and `none` where it is, "
    "as in BANANAS"
)


def looks_like(text: str) -> bool:
    """Return whether a text is a genotype of numbers."""
    return len(text) < _LONGEST and _COMPACT.fullmatch(text.strip("\ufeff'\"` \t\r\n")) is not None


def refuse(text: str) -> None:
    """Refuse a genotype of numbers.

    Raises:
        DescriptionError: It is one: with the two networks that it may be.
    """
    if looks_like(text):
        said = f"the numbers of the operations are ambiguous: {_READINGS}."
        hint = "Write their names: Genotype(normal=[(OPERATION, STATE), ...], ...)."
        where = Origin(layer="recipe", where="genotype:1:1")
        raise DescriptionError([Problem(path="", text=said, hint=hint, origin=where)])
