"""Sizes that somebody typed for an architecture that cannot have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description import reducing
from nascore.errors import Problem
from nascore.recipe.ineffective import TYPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.description import Description
    from nascore.errors import Origin
    from nascore.recipe.recipe import Recipe

CELLS, AUXILIARY = "training.cells", "training.auxiliary"


def doubt_sizes(recipe: Recipe, descriptions: Sequence[Description], *, grow: bool = False) -> Recipe:
    """Return a recipe with a warning for every typed size that has no effect on any of some architectures.

    What stands in files and scales is for all architectures, and says nothing of these. What is warned of
    already is not warned of again.

    Args:
        recipe: A settled recipe, with which they are trained in the end.
        descriptions: The architectures, or the space that they come from.
        grow: Whether they grow: then what grows them declares itself that nothing reads the cells.
    """
    typed = _typed(recipe)
    if not typed:
        return recipe
    texts = [dict(_of_grown(one) if grow else _without_effect(one)) for one in descriptions]
    found = [
        Problem(path=recipe.typed(path), text=texts[0][path], origin=origin, verdict="warned")
        for path, origin in typed.items()
        if texts and all(path in one for one in texts)
    ]
    return recipe.warned_of(found)


def _typed(recipe: Recipe) -> dict[str, Origin]:
    known = {problem.path for problem in recipe.warned}
    return {
        path: origin
        for path, value, origin in recipe.rows()
        if path in {CELLS, AUXILIARY} and recipe.typed(path) not in known and value and origin.layer in TYPED
    }


def _without_effect(description: Description) -> Iterator[tuple[str, str]]:
    if all(node.repeat is None for node in description.network.nodes):
        yield CELLS, "no node of this network repeats, so it stays as deep as it is."
    if description.auxiliary is None and reducing(description) is None:
        text = "an auxiliary head stands where the reduction last rises, which here it never does."
        yield AUXILIARY, text


def _of_grown(description: Description) -> Iterator[tuple[str, str]]:
    if description.auxiliary is None:
        yield AUXILIARY, "what grows has no auxiliary head."
