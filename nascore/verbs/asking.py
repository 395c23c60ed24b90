"""From what was asked for to a recipe that can run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.component import SLOTS
from nascore.errors import PluginError, Problem
from nascore.plugin import discover
from nascore.recipe import SEARCH_RUN, Request, settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.component import Component, Slot
    from nascore.plugin import Registry
    from nascore.recipe import Recipe


@frozen(kw_only=True)
class Asked:
    """A recipe that can run, and what it was made from.

    Attributes:
        recipe: The settled recipe.
        registry: What is installed, with the files that were named.
    """

    recipe: Recipe
    registry: Registry


def ask(
    request: Request,
    *,
    plugins: Sequence[str | Path] = (),
    run: Component = SEARCH_RUN,
    slots: Sequence[Slot] = SLOTS,
) -> Asked:
    """Return the recipe of a request.

    Args:
        request: What was asked for.
        plugins: Files with plugins that are not installed.
        run: Whether to search or to evaluate.
        slots: The slots that play a part.

    Raises:
        RecipeError: Something is wrong, or does not fit; all of it at once.
        PluginError: A file of `plugins` cannot be used.
    """
    registry = installed(plugins)
    return Asked(recipe=settled(request, registry, run=run, slots=slots), registry=registry)


def requested(  # noqa: PLR0913 - each is a flag of the command line, by name
    *,
    names: Mapping[str, str | None],
    recipe: str | Path | None,
    preset: str | None,
    scale: str | None,
    settings: Mapping[str, Any] | None,
    seed: int | None,
) -> Request:
    """Return the request of a call from Python; None is what was not said."""
    return Request(
        recipe=None if recipe is None else Path(recipe),
        preset=preset,
        scale=scale,
        names={slot: [name] for slot, name in names.items() if name is not None},
        run={} if seed is None else {"seed": seed},
        settings=settings or {},
    )


def installed(plugins: Sequence[str | Path] = ()) -> Registry:
    """Return what is installed, and what the named files bring.

    Raises:
        PluginError: A named file cannot be used: unlike an installed plugin, it is wanted here and now.
    """
    registry = discover(plugins)
    files = {str(Path(file)) for file in plugins}
    broken = [one for one in registry.plugins if one.status == "broken" and one.value in files]
    if broken:
        raise PluginError(
            [Problem(path="", text=f"{one.value} cannot be used: {one.reason}") for one in broken]
        )
    return registry
