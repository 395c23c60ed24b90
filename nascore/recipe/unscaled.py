"""Sizes that somebody typed for an architecture that cannot have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description import reducing
from nascore.errors import Problem
from nascore.recipe.ineffective import TYPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.description import Description
    from nascore.recipe import Recipe

CELLS, AUXILIARY = "training.cells", "training.auxiliary"


def unscaled(description: Description, recipe: Recipe) -> list[Problem]:
    """Return a warning for every typed size of a recipe that has no effect on an architecture.

    What stands in files and scales is for all architectures, and says nothing of this one.

    Args:
        description: The architecture, or the space that it comes from.
        recipe: A settled recipe, with which it is trained in the end.
    """
    given = {path: (value, origin) for path, value, origin in recipe.rows() if origin.layer in TYPED}
    return [
        Problem(path=path, text=text, origin=given[path][1], verdict="warned")
        for path, text in _without_effect(description)
        if path in given and given[path][0]
    ]


def _without_effect(description: Description) -> Iterator[tuple[str, str]]:
    if all(node.repeat is None for node in description.network.nodes):
        yield CELLS, "no node of this network repeats, so it stays as deep as it is."
    if description.auxiliary is None and reducing(description) is None:
        text = "an auxiliary head stands where the reduction last rises, which here it never does."
        yield AUXILIARY, text
