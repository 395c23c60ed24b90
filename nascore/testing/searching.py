"""A search in this process, on data that need no download: what the kit shows of a part at work."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from attrs import define

from nascore.engine.build import build_search
from nascore.engine.device import computing
from nascore.engine.phases import search_phase
from nascore.recipe import Request, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.contract import Trainer
    from nascore.description import Description
    from nascore.engine.build import Live
    from nascore.engine.phase import Phase, Search
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

JOB = 1
IMAGES = 704
"""Training images: two halves of 11 batches of 32."""


@define(kw_only=True)
class Searching:
    """A search about to begin.

    Attributes:
        live: The run.
        phase: The phase.
        trainer: Its stepper, not yet started.
        description: The space, open.
    """

    live: Live
    phase: Phase
    trainer: Trainer
    description: Description

    @property
    def search(self) -> Search:
        """The choices."""
        assert self.phase.search is not None
        return self.phase.search


def searched_with(
    registry: Registry, names: Mapping[str, str], *, seed: int = 0, sets: tuple[str, ...] = ()
) -> Recipe:
    """Return the recipe of a search at the scale `mini` on the data set `planted`.

    Args:
        registry: What is installed.
        names: What fills a slot; the others are filled by wishes and defaults.
        seed: Seed of the run.
        sets: Settings, as ``PATH=VALUE``.

    Raises:
        RecipeError: The parts do not fit.
    """
    request = Request(
        names={"dataset": ["planted"], **{slot: [name] for slot, name in names.items()}},
        scale="mini",
        run={"seed": seed, "device": "cpu"},
        sets=(f"dataset.count={IMAGES}", *sets),
    )
    return settled(request, registry)


@contextmanager
def searching(
    registry: Registry, names: Mapping[str, str], *, seed: int = 0, sets: tuple[str, ...] = ()
) -> Iterator[Searching]:
    """Build a search as :func:`searched_with` says; its files are thrown away.

    Raises:
        RecipeError: The parts do not fit.
    """
    recipe = searched_with(registry, names, seed=seed, sets=sets)
    with computing(recipe.run.threads), TemporaryDirectory() as folder:
        live, parts = build_search(recipe, registry, out=Path(folder) / "run", observers=())
        phase = search_phase(live, parts, live.streams(JOB))
        yield Searching(live=live, phase=phase, trainer=parts.trainer, description=parts.description)
