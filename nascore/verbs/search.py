"""Searches for an architecture, from a recipe to a finished run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from nascore.files import given_path
from nascore.plugin import Selection
from nascore.recipe import SEARCH_RUN
from nascore.run import RunControl, refuse_taken
from nascore.verbs.arguments import SearchArguments, declares, request_of
from nascore.verbs.dry_run import with_build_warnings
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import resolve_request
from nascore.verbs.runs import Run, run_done

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.contract import Observer
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Request
    from nascore.verbs.resolution import ResolvedRequest


@declares(SearchArguments[str])
def search(**arguments: Unpack[SearchArguments[str]]) -> Run:
    """Search for an architecture, as ``nascore search`` does, and return the finished run.

    Warnings go to the logger ``nascore``, to the run's log and into the run's result.

    Args:
        arguments: See :class:`nascore.verbs.arguments.SearchArguments`.

    Raises:
        RecipeError: The request has problems, or its parts do not fit; the error has all of them.
        RunFailed: The run failed; a RunFolderError: `out` cannot be used.
    """
    request, call = request_of(arguments)
    return search_as_requested(request, **call)


def search_as_requested(
    request: Request,
    *,
    out: str | Path | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    reporter: Reporter | None = None,
) -> Run:
    """Run the requested search, from Python or the command line, and return the finished run.

    Args:
        request: The request.
        out: Folder of the run, new or empty. None: a new one where runs are kept.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: Objects that watch the run.
        reporter: Receives the warnings. None: that of a call from Python.

    Raises:
        RecipeError: The request has problems, or its parts do not fit; the error has all of them.
        RunFailed: The run failed; a RunFolderError: `out` cannot be used.
    """
    reporter = reporter or Reporter()
    run = reporter.run_component(SEARCH_RUN)
    resolved = resolve_request(request, plugins=plugins, run=run, reporter=reporter)
    reporter.resolved(resolved.recipe)
    resolved = with_build_warnings(resolved, out=out)
    reporter.warn_all(resolved.recipe.warned)
    done = run_search(
        resolved,
        out=out,
        observers=observers,
        control=reporter.control,
        plugins=Selection.of(plugins),
    )
    reporter.warn_late(done.result, resolved.recipe.warned)
    reporter.warn_failed(done.result)
    return done


def run_search(
    resolved: ResolvedRequest,
    *,
    out: str | Path | None = None,
    observers: Sequence[Observer] = (),
    control: RunControl | None = None,
    plugins: Selection | None = None,
) -> Run:
    """Run the search of a settled recipe and return the finished run."""
    folder = None if out is None else given_path(out)
    if folder is not None:
        refuse_taken(folder)  # at once: the engine imports torch
    from nascore.engine.build import Begun
    from nascore.engine.search import search as run

    path = run(
        resolved.recipe,
        resolved.registry,
        out=folder,
        observers=observers,
        built=resolved.built,
        begun=Begun(control=control or RunControl(), plugins=plugins or Selection()),
    )
    return run_done(path)
