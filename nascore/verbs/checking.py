"""What a search would do, worked out without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from nascore.verbs.asking import ask
from nascore.verbs.drawing import count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.recipe import Recipe, Request
    from nascore.recipe.recipe import Row
    from nascore.verbs.asking import Asked
    from nascore.verbs.drawing import Counted


@frozen(kw_only=True)
class Checked:
    """A recipe that can run.

    Attributes:
        recipe: What fills each slot, and all settings.
        supernet: Weights and cost of the network that is searched in, all candidates counted.
    """

    recipe: Recipe
    supernet: Counted

    @property
    def parts(self) -> list[Row]:
        """What fills each slot, and what brought it."""
        slots = {slot.name for slot in self.recipe.slots}
        return [row for row in self.recipe.rows() if row[0] in slots]

    @property
    def changed(self) -> list[Row]:
        """The settings that are not the default, and where they came from."""
        slots = {slot.name for slot in self.recipe.slots}
        return [row for row in self.recipe.rows() if row[0] not in slots and row[2].layer != "default"]


def check(request: Request, *, plugins: Sequence[str | Path] = ()) -> Checked:
    """Check a request.

    Args:
        request: What was asked for.
        plugins: Files with plugins that are not installed.

    Raises:
        RecipeError: Something is wrong, or does not fit; all of it at once.
    """
    return check_asked(ask(request, plugins=plugins))


def check_asked(asked: Asked) -> Checked:
    """Work out what a settled recipe would do; nothing is trained, and no image is read but the facts."""
    from nascore.engine.build import planned

    recipe = asked.recipe
    dataset, parts = planned(recipe, asked.registry)
    image = (dataset.facts.height, dataset.facts.width)
    return Checked(recipe=recipe, supernet=count(parts.description, asked.registry, image))
