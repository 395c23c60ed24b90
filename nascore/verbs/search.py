"""Search: from a recipe to an architecture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nascore.component import SLOTS
from nascore.recipe import Request
from nascore.verbs.asking import ask
from nascore.verbs.runs import Run, load_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nascore.contract import Observer
    from nascore.verbs.asking import Asked


def search(  # noqa: PLR0913 - each is a flag of the command line, by name
    *,
    space: str | None = None,
    updater: str | None = None,
    trainer: str | None = None,
    relaxation: str | None = None,
    dataset: str | None = None,
    recipe: str | Path | None = None,
    preset: str | None = None,
    scale: Literal["mini", "paper"] | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    observers: Sequence[Observer] = (),
) -> Run:
    """Search for an architecture, as ``nascore search`` does.

    Example::

        run = nascore.search(space="darts", updater="darts", settings={"trainer.epochs": 8}, seed=1)

    Args:
        space: What can be found; ``"file:chain.yaml"`` reads a description.
        updater: How the architecture parameters move.
        trainer: How steps are made.
        relaxation: How the parameters become a mixture of operations.
        dataset: The images.
        recipe: A recipe file.
        preset: A recipe that a plugin brings.
        scale: ``"mini"``, a laptop check, or ``"paper"``. None: as the recipe says; `mini` without one.
        settings: Values by their ``--set`` path: ``{"updater.lr": 1e-3, "threads": 2}``.
        seed: Decides on all that is random. None: as the recipe says; 0 without one.
        out: Folder of the run, new or empty. None: a new one in ``runs``.
        plugins: Files with plugins that are not installed.
        observers: What watches the run.

    Returns:
        The run, done.

    Raises:
        RecipeError: Something is wrong, or does not fit; all of it at once, before anything is built.
        RunFolderError: `out` cannot be used.
        RunFailed: The run could not go on.
    """
    named = {"space": space, "updater": updater, "trainer": trainer, "relaxation": relaxation, "dataset": dataset}
    request = Request(
        recipe=None if recipe is None else Path(recipe),
        preset=preset,
        scale=scale,
        names={slot.name: [name] for slot in SLOTS if (name := named.get(slot.name)) is not None},
        run={} if seed is None else {"seed": seed},
        settings=settings or {},
    )
    return run_search(ask(request, plugins=plugins), out=out, observers=observers)


def run_search(
    asked: Asked, *, out: str | Path | None = None, observers: Sequence[Observer] = ()
) -> Run:
    """Run the search of a settled recipe; see :func:`search`."""
    from nascore.engine.search import search as run

    path = run(asked.recipe, asked.registry, out=None if out is None else Path(out), observers=tuple(observers))
    return load_run(path)
