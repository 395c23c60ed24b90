"""Several values of one setting, from Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import field, frozen

from nascore.errors import RecipeError


def _listed(values: object) -> tuple[Any, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise RecipeError(f"Values takes a list of values, such as Values([0.1, 0.01]), not {values!r}.")
    return tuple(values)


@frozen
class Values:
    """Several values of a setting; a comparison makes a search for each of them.

    ``nascore.search_several(settings={"updater.lr": nascore.Values([0.1, 0.01])})`` compares two learning
    rates, as ``--set updater.lr=0.1,0.01`` does. A plain list is one value of a setting.

    Attributes:
        values: The values, in order.
    """

    values: tuple[Any, ...] = field(converter=_listed)
