"""A search: in one supernet, or as an outer loop over architectures, as its growth says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.engine.build import build_search
from nascore.engine.device import computing
from nascore.engine.ending import concluding, within_memory
from nascore.engine.growth import grow
from nascore.engine.seeds import chooses_in_supernet
from nascore.engine.supernet import search_supernet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nascore.contract import Observer
    from nascore.engine.build import Built
    from nascore.plugin import Registry
    from nascore.recipe import Recipe


def search(
    recipe: Recipe,
    registry: Registry,
    *,
    out: Path | None = None,
    observers: Iterable[Observer] = (),
    built: Built | None = None,
) -> Path:
    """Search for an architecture; returns the run's folder.

    Args:
        recipe: A settled recipe without refused problems.
        registry: What is installed.
        out: The run's folder, new or empty; None: a new one where runs are kept.
        observers: Who watches.
        built: What was built of this recipe before; None: it is built now.

    Raises:
        RecipeError: The recipe cannot be built.
        RunFolderError: The folder cannot be made.
        RunFailed: A loss is not finite; or, in an outer loop, no architecture could be trained.
    """
    way = search_supernet if chooses_in_supernet(recipe) else grow
    with computing(recipe.run.threads), within_memory():
        live, *parts = build_search(recipe, registry, out=out, observers=observers, built=built)
        with concluding(live, "search") as result:
            # The parts are handed over, not kept: what comes of them must not stay in memory to the end.
            for known in way(live, parts.pop()):
                result.update(known)
    return live.folder.path
