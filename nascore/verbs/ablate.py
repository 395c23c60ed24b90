"""Measures the contribution of each trick: trains an architecture with it and without it, over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from attrs import frozen

from nascore.comparison import is_ablation, read_plan
from nascore.errors import Problem, RecipeError, RunFailed, RunFolderError, run_of
from nascore.files import given_path
from nascore.plugin import Selection
from nascore.recipe import EVALUATE_RUN
from nascore.run import refuse_taken
from nascore.slots import SLOTS_OF_ABLATION
from nascore.verbs.arguments import EvaluationArguments, declares, request_of
from nascore.verbs.reporter import Reporter
from nascore.verbs.run_differences import differences_of_jobs
from nascore.verbs.several import finished_searches
from nascore.verbs.variants import AblationRequest, resolve_ablation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nascore.comparison import Ablation, Base
    from nascore.contract import Observer
    from nascore.plugin.plugin import Wanted
    from nascore.verbs.architecture import Target
    from nascore.verbs.reporter import FinishedSearches
    from nascore.verbs.variants import ResolvedAblation


@declares(EvaluationArguments[str])
def ablate(  # noqa: PLR0913 - each is a flag of the command line, by name
    target: Target,
    *,
    switch: str | Sequence[str] = (),
    keep: str | Sequence[str] = (),
    base: Base = "full",
    seeds: str | Iterable[int] | None = None,
    test: bool = False,
    entry: int | None = None,
    executor: str | None = None,
    **arguments: Unpack[EvaluationArguments[str]],
) -> Ablation:
    """Measure the contribution of each trick, as ``nascore ablate`` does, and return the figures.

    The recipe with all tricks is trained, and the recipe without each of them; or the recipe without any, and
    with each alone. A folder that has some of these trainings gets those that it does not have.

    Args:
        target: The architecture; see :func:`nascore.evaluate`.
        switch: Paths of settings that are measured beside the tricks: ``"training.label_smoothing"``.
        keep: Names of tricks that stay in every variant and are not measured.
        base: The recipe that each variant differs from: ``"full"`` or ``"bare"``.
        seeds: The seeds of each variant: numbers, or a text such as ``"0..4"``. None: that of the recipe.
        test: Whether the networks are measured on the test images, and not on validation images, which are
            one in five of the training images.
        entry: Id of an architecture in the run's gallery. None: the run's best.
        executor: Where the trainings are done: ``"serial"`` or ``"processes"``. None: that of the recipe.
        arguments: See :class:`nascore.verbs.arguments.EvaluationArguments`.

    Raises:
        RecipeError: The request has problems, or variants cannot run; the error has those of all variants.
        RunFolderError: `out`, or the named run, cannot be used.
        RunFailed: All trainings failed.
    """
    request, call = request_of({**arguments, "executor": executor}, slots=SLOTS_OF_ABLATION)
    asked = AblationRequest(
        request=request, switch=_names(switch), keep=_names(keep), base=base, seeds=seeds, test=test
    )
    done = ablate_as_requested(target, asked, entry=entry, **call).ablation
    assert done is not None
    return done


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def ablate_as_requested(  # noqa: PLR0913 - each by name
    target: Target,
    asked: AblationRequest,
    *,
    entry: int | None = None,
    out: str | Path | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    reporter: Reporter | None = None,
) -> FinishedSearches:
    """Run the requested ablation, from Python or the command line. See :func:`ablate`."""
    reporter = reporter or Reporter()
    resolved = resolve_ablation(target, asked, entry=entry, plugins=plugins, reporter=reporter)
    folder = None if out is None else given_path(out)
    _refuse_unfit(folder, resolved)
    report_ablation(resolved, reporter)
    from nascore.engine.ablation_run import run_ablation

    try:
        path = run_ablation(
            resolved.plan,
            resolved.members,
            resolved.description,
            resolved.registry,
            out=folder,
            observers=observers,
            began=reporter.job_begins,
            ended=reporter.job_ends,
            control=reporter.control,
            plugins=Selection.of(plugins),
            run=reporter.run_component(EVALUATE_RUN),
        )
    except RunFailed as error:
        if (failed := run_of(error)) is not None:
            finished_searches(failed, resolved.warned, reporter)
        raise
    return finished_searches(path, resolved.warned, reporter)


@frozen(kw_only=True)
class CheckedAblation:
    """The trainings of an ablation, none of which has begun.

    Attributes:
        resolved: The variants and their recipes.
        done: The variants and seeds whose training the folder has already.
    """

    resolved: ResolvedAblation
    done: frozenset[tuple[str, int]]


def check_ablation(  # noqa: PLR0913 - each by name
    target: Target,
    asked: AblationRequest,
    *,
    entry: int | None = None,
    out: str | Path | None = None,
    plugins: Wanted = (),
    reporter: Reporter | None = None,
) -> CheckedAblation:
    """Return the trainings of :func:`ablate_as_requested` with the same arguments."""
    reporter = reporter or Reporter()
    resolved = resolve_ablation(target, asked, entry=entry, plugins=plugins, reporter=reporter)
    folder = None if out is None else given_path(out)
    _refuse_unfit(folder, resolved)
    report_ablation(resolved, reporter)
    from nascore.engine.ablation_run import finished_jobs

    found = () if folder is None else finished_jobs(folder, resolved.members, resolved.registry)
    return CheckedAblation(resolved=resolved, done=frozenset(found))


def report_ablation(resolved: ResolvedAblation, reporter: Reporter) -> None:
    """Report the recipe and the warnings of an ablation before it begins."""
    reporter.resolved(resolved.members[0].member.recipe)
    reporter.warn_all(resolved.warned)


def _refuse_unfit(folder: Path | None, resolved: ResolvedAblation) -> None:
    """Refuse a folder that can neither become nor continue this ablation.

    Raises:
        RunFolderError: It holds something else.
        RecipeError: Versions, data or device have changed since its trainings.
    """
    if folder is None:
        return
    if not is_ablation(folder):
        refuse_taken(folder)
        return
    from nascore.engine.ablation_run import refuse_other_architecture
    from nascore.engine.comparison_jobs import read_recipe

    refuse_other_architecture(folder, resolved.description)
    jobs = read_plan(folder).jobs
    if not all(job.recipe and job.architecture for job in jobs):
        raise RunFolderError(f"{folder} cannot be read: its jobs are not those of an ablation.")
    recipes = [(job, read_recipe(folder, job, resolved.registry)) for job in jobs]
    problems = [
        Problem(path=one.name, text=f"{one.before} when {folder} began, {one.now} now.")
        for one in differences_of_jobs(folder, recipes, resolved.registry)
    ]
    if problems:
        text = "trainings with these differences cannot be compared with those of the folder."
        raise RecipeError([*problems, Problem(path="", text=text, hint="Name another folder with --out.")])
