"""Searches for an architecture, from a recipe to a finished run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack

from nascore.files import given_path
from nascore.recipe import SEARCH_RUN
from nascore.run import refuse_taken
from nascore.verbs.dry_run import with_build_warnings
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import requested, resolve_request
from nascore.verbs.runs import Run, load_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nascore.contract import Observer
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Request
    from nascore.verbs.resolution import OfRun, ResolvedRequest

SLOTS = (
    "space",
    "growth",
    "updater",
    "trainer",
    "relaxation",
    "regularizer",
    "dataset",
    "observer",
)
"""The slots that the function has an argument for; a test compares them with the slot table."""


def search(  # noqa: PLR0913 - each is a flag of the command line, by name
    *,
    space: str | Path | None = None,
    growth: str | None = None,
    updater: str | None = None,
    trainer: str | None = None,
    relaxation: str | None = None,
    regularizer: str | Sequence[str] | None = None,
    dataset: str | None = None,
    observer: str | Sequence[str] | None = None,
    recipe: str | Path | None = None,
    preset: str | None = None,
    scale: Literal["mini", "paper"] | None = None,
    settings: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    **run: Unpack[OfRun],
) -> Run:
    """Search for an architecture, as ``nascore search`` does; returns the run, done.

    Args:
        space: The search space; ``"file:chain.yaml"``, or a path, reads a description.
        growth: The growth policy: `none` for one search in one supernet, or an outer loop.
        updater: The rule that updates the architecture parameters.
        trainer: The order of weight steps and architecture steps.
        relaxation: The map from architecture parameters to a mixture of operations.
        regularizer: Penalties, by name. None: those of the recipe, or those that other parts wish for.
        dataset: The images.
        observer: The observers, by name, such as `terminal`. None: those of the recipe, or none.
        recipe: A recipe file.
        preset: The name of a preset.
        scale: ``"mini"``, a laptop check, or ``"paper"``. None: that of the recipe, or `mini`.
        settings: Values by their ``--set`` path: ``{"updater.lr": 1e-3}``.
        out: Folder of the run, new or empty. None: a new one in ``runs``.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: More observers, as objects.
        run: `seed`, `threads` and `device`; see :class:`nascore.verbs.resolution.OfRun`.

    A warning is a line of the logger ``nascore``, a line of the run's log, and stands in the run's result.

    Raises:
        RecipeError: The request has problems, or its parts do not fit; the error has all of them.
        RunFailed: The run could not go on; a RunFolderError: `out` cannot be used.
    """
    names = by_slot(space, growth, updater, trainer, relaxation, regularizer, dataset, observer)
    request = requested(names=names, recipe=recipe, preset=preset, scale=scale, settings=settings, **run)
    return search_as_requested(request, out=out, plugins=plugins, observers=observers)


def by_slot(*chosen: Any) -> dict[str, Any]:  # noqa: ANN401 - one or several names, as the slot allows
    """Return the chosen names by slot; the arguments have the order of the slots."""
    return dict(zip(SLOTS, chosen, strict=True))


def search_as_requested(
    request: Request,
    *,
    out: str | Path | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    reporter: Reporter | None = None,
) -> Run:
    """Make the search of a request, from Python or from the command line; returns the run, done.

    Args:
        request: The request.
        out: Folder of the run, new or empty. None: a new one where runs are kept.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: Objects that watch the run.
        reporter: Receives the warnings. None: that of a call from Python.

    Raises:
        RecipeError: The request has problems, or its parts do not fit; the error has all of them.
        RunFailed: The run could not go on; a RunFolderError: `out` cannot be used.
    """
    reporter = reporter or Reporter()
    run = reporter.run_component(SEARCH_RUN)
    resolved = resolve_request(request, plugins=plugins, run=run, reporter=reporter)
    reporter.resolved(resolved.recipe)
    resolved = with_build_warnings(resolved, out=out)
    reporter.warn_all(resolved.recipe.warned)
    done = run_search(resolved, out=out, observers=observers)
    reporter.warn_late(done.result, resolved.recipe.warned)
    reporter.warn_failed(done.result)
    return done


def run_search(
    resolved: ResolvedRequest, *, out: str | Path | None = None, observers: Sequence[Observer] = ()
) -> Run:
    """Run the search of a settled recipe; returns the run, done."""
    folder = None if out is None else given_path(out)
    if folder is not None:
        refuse_taken(folder)  # at once: the engine imports torch
    from nascore.engine.search import search as run

    path = run(resolved.recipe, resolved.registry, out=folder, observers=observers, built=resolved.built)
    return load_run(path)
