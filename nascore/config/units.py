"""Numbers with a unit: ``Duration`` (seconds, or ``45s 30min 2h 1d``) and ``Count`` (or ``200K 1.5G``).

Both are aliases of plain numbers, so that settings declared with them need no cast.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER_AND_UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)")


@frozen(kw_only=True, eq=False)
class Unit:
    """How text such as ``30min`` becomes a number.

    Attributes:
        expected: The value in words, for error texts.
        factors: What one of each unit is worth.
    """

    expected: str
    factors: Mapping[str, int]

    def read(self, text: str) -> float | None:
        """Return the number that ``text`` names, or None where it names none."""
        match = _NUMBER_AND_UNIT.fullmatch(text.strip())
        if match is None or match[2] not in self.factors:
            return None
        # As floats, 1.001 * 1000 would be no whole number.
        return float(Decimal(match[1]) * self.factors[match[2]])


Duration: TypeAlias = Annotated[
    float,
    Unit(
        expected="a time (seconds, or such as 45s, 30min, 2h, 1d)",
        factors={"s": 1, "min": 60, "h": 3600, "d": 86400},
    ),
]
Count: TypeAlias = Annotated[
    int,
    Unit(
        expected="a whole number (or such as 200K, 200M, 1.5G)",
        factors={"K": 10**3, "M": 10**6, "G": 10**9},
    ),
]
