"""Resumes a stopped comparison of several searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.comparison import EVALUATE, SEARCH, Member, read_plan
from nascore.errors import RunFailed, RunFolderError, run_of
from nascore.plugin import Selection
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN
from nascore.run import environment_of, read_result, refuse_newer
from nascore.shell import command_line
from nascore.verbs.resolution import installed
from nascore.verbs.run_differences import differences_of_jobs, refuse_differences
from nascore.verbs.several import ResolvedSearches, finished_searches, report_resolved

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.comparison import Plan
    from nascore.contract import Observer
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Recipe
    from nascore.recipe.settling.executor import ExecutorChoice
    from nascore.verbs.reporter import FinishedSearches, Reporter


def resume_searches(  # noqa: PLR0913 - each by name
    path: Path,
    *,
    accept: bool,
    plugins: Wanted,
    observers: Sequence[Observer],
    reporter: Reporter,
    executor: ExecutorChoice,
) -> FinishedSearches:
    """Resume a comparison, and return it when all its jobs are over.

    Args:
        path: Its folder.
        accept: Resume although versions, data or device have changed.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: Objects that watch every search.
        reporter: Receives warnings and jobs, and has the control of the comparison.
        executor: The executor, by default the one that the comparison began with.

    Raises:
        RunFolderError: The comparison is done, another process runs it, or a file of it is damaged.
        RecipeError: Something is not as it was when it began; the error has all differences.
        RunFailed: All searches failed, or all evaluations.
    """
    _refuse_done(path)
    plan, registry = read_plan(path), installed(plugins)
    recipes = _recipes(path, plan, registry, reporter, executor)
    accepted = _accepted(path, plan, recipes, registry, accept=accept)
    resolved = ResolvedSearches(members=_members(plan, recipes), registry=registry)
    report_resolved(resolved, reporter)
    from nascore.engine.multi_search import resume_several

    try:
        resume_several(
            path,
            resolved.members,
            registry,
            control=reporter.control,
            observers=observers,
            began=reporter.job_begins,
            ended=reporter.job_ends,
            accepted=accepted,
            plugins=Selection.of(plugins),
        )
    except RunFailed as error:
        if run_of(error) is not None:
            finished_searches(path, resolved.warned, reporter)
        raise
    return finished_searches(path, resolved.warned, reporter)


def _refuse_done(path: Path) -> None:
    refuse_newer(path)
    if (read_result(path) or {}).get("status") == "done":
        show = command_line("nascore", "compare", path)
        raise RunFolderError(f"{path} is done: there is nothing left to do. See {show}.")


def _accepted(
    path: Path, plan: Plan, recipes: Sequence[Recipe], registry: Registry, *, accept: bool
) -> tuple[str, ...]:
    """Return the differences between the environment now and at the beginning of a comparison.

    Raises:
        RecipeError: There are differences, and `accept` is false.
    """
    found = [*differences_of_jobs(path, zip(plan.jobs, recipes, strict=True), registry)]
    if not accept:
        refuse_differences(path, found)
    return tuple(map(str, found))


def _recipes(
    path: Path, plan: Plan, registry: Registry, reporter: Reporter, executor: ExecutorChoice
) -> list[Recipe]:
    """Return the recipe of each job.

    Raises:
        RunFolderError: A version of nascore that did not write them made the comparison.
        RecipeError: Plugins have changed since, so that a recipe cannot run.
    """
    from nascore.engine.comparison_jobs import read_recipe

    if not all(job.recipe for job in plan.jobs):
        raise RunFolderError(f"{path} has no recipes of its jobs: a nascore that could not resume made it.")
    executor = evolve(executor, recorded=environment_of(path).get("executor"))
    runs = {SEARCH: reporter.run_component(SEARCH_RUN), EVALUATE: reporter.run_component(EVALUATE_RUN)}
    return [read_recipe(path, job, registry, runs[job.kind], executor) for job in plan.jobs]


def _members(plan: Plan, recipes: Sequence[Recipe]) -> tuple[Member, ...]:
    found: list[Member] = []
    for job, recipe in zip(plan.jobs, recipes, strict=True):
        if job.of is not None:
            found[-1] = Member(choice=job.choice, recipe=found[-1].recipe, evaluation=recipe)
        else:
            found.append(Member(choice=job.choice, recipe=recipe))
    return tuple(found)
