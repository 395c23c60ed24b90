"""Checks several searches, and starts or resumes them as the jobs of one comparison.

Each job is a complete run in its own folder. A job that fails is recorded, and the others continue. The
results so far can be read at any time: the recipes of all jobs and the plan are written first, then the runs,
the table last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.comparison import folder_words, jobs_of, plan_of, read_plan
from nascore.engine.build import build_parts, device_name, name_of, with_size_warnings
from nascore.engine.comparison_jobs import save_recipe
from nascore.engine.comparison_run import ComparisonRun
from nascore.engine.data_checks import check_data
from nascore.engine.device import ambient, device_for
from nascore.engine.evaluate import check_evaluation, opens_test
from nascore.engine.executors import build_executor
from nascore.engine.memory import training_step_memory, with_memory_warnings
from nascore.engine.proxy import build_dataset, whole_facts
from nascore.errors import Problem, RecipeError
from nascore.plugin import Selection
from nascore.recipe.settling.executor import plain_executor
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import COMPARISON, RunControl, create, environment, reopen
from nascore.slots import EXECUTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from nascore.comparison import Member, Plan, Planned
    from nascore.contract import Executor, Observer
    from nascore.plugin import Registry
    from nascore.recipe import Recipe
    from nascore.run import RunFolder


@ambient()
def check_member(member: Member, registry: Registry) -> Member | RecipeError:
    """Return a search with the warnings of its built components, or the error that building it raises.

    Nothing is trained or written.
    """
    recipe, evaluation = member.recipe, member.evaluation
    try:
        dataset, parts = build_parts(recipe, registry)
        if evaluation is not None:
            recipe, found = evaluation, parts.seeds or (parts.description,)
            facts = whole_facts(dataset)
            catalogue = registry.operations()
            ready = check_evaluation(recipe, found, catalogue, facts)
            steps = training_step_memory(recipe, ready, facts, catalogue)
            evaluation = with_memory_warnings(unused_size_warnings(evaluation, found, catalogue), steps)
    except RecipeError as error:
        return type(error)(recipe.with_origins(error.problems))
    recipe = with_size_warnings(member.recipe, parts, dataset.facts, registry.operations())
    return evolve(member, recipe=recipe, evaluation=evaluation)


@ambient()
def search_several(  # noqa: PLR0913 - each by name
    members: Sequence[Member],
    registry: Registry,
    *,
    out: Path | None = None,
    observers: Iterable[Observer] = (),
    began: Callable[[int, int, Planned], None] = lambda *_: None,
    ended: Callable[[int, int, Planned, str], None] = lambda *_: None,
    control: RunControl | None = None,
    plugins: Selection | None = None,
) -> Path:
    """Run several searches through the executor of the first one; returns the folder of the comparison.

    Args:
        members: The searches, in order.
        registry: The installed components.
        out: The folder, new or empty; None: a new one in the folder of runs.
        observers: Observers of each run.
        began: Called before each job with its number, the number of jobs, and the job.
        ended: Called after each job in another process, with its error, empty if it succeeded, as well.
        control: Decides when jobs are saved and when the comparison stops; None: never before its end.
        plugins: The selection of plugins, for other processes. None: all that are installed.

    Raises:
        RecipeError: Observers are objects, and the jobs are done in other processes.
        RunFolderError: The folder cannot be created or written to.
        RunFailed: All searches failed; or all evaluations, if evaluations are planned.
        PluginError: The data contradict their facts.
    """
    executor = executor_of(members[0].recipe, observers := tuple(observers))
    _check_data(members)
    names = tuple(name_of(member.recipe, folder_words(member.choice)) for member in members)
    plan = plan_of(tuple(members), names)
    return ComparisonRun(
        folder=_create_folder(plan, members, registry, out),
        plan=plan,
        members=members,
        registry=registry,
        control=control or RunControl(),
        observers=observers,
        began=began,
        ended=ended,
        executor=executor,
        plugins=plugins or Selection(),
    ).run()


@ambient()
def resume_several(  # noqa: PLR0913 - each by name
    path: Path,
    members: Sequence[Member],
    registry: Registry,
    *,
    control: RunControl,
    observers: Iterable[Observer] = (),
    began: Callable[[int, int, Planned], None] = lambda *_: None,
    ended: Callable[[int, int, Planned, str], None] = lambda *_: None,
    accepted: Iterable[str] = (),
    plugins: Selection | None = None,
) -> Path:
    """Continue a comparison that was stopped; returns its folder.

    Args:
        path: The folder of the comparison.
        members: The searches, in order, with the recipes of the folder.
        registry: The installed components.
        control: Decides when jobs are saved and when the comparison stops again.
        observers: Observers of each run.
        began: Called before each job with its number, the number of jobs, and the job.
        ended: Called after each job in another process, with its error, empty if it succeeded, as well.
        accepted: Differences to the beginning of the comparison that were accepted.
        plugins: The selection of plugins, for other processes. None: all that are installed.

    Raises:
        RecipeError: Observers are objects, and the jobs are done in other processes.
        RunFolderError: Another process runs the comparison, or a file of it is damaged.
        RunFailed: All searches failed; or all evaluations, if evaluations are planned.
    """
    executor = executor_of(members[0].recipe, observers := tuple(observers))
    plan, folder = read_plan(path), reopen(path)
    accepted = tuple(accepted)
    folder.change("resumed", **({"accepted": list(accepted)} if accepted else {}))
    return ComparisonRun(
        folder=folder,
        plan=plan,
        members=members,
        registry=registry,
        control=control,
        observers=observers,
        began=began,
        ended=ended,
        executor=executor,
        plugins=plugins or Selection(),
        accepted=accepted,
    ).run()


def executor_of(recipe: Recipe, observers: Sequence[Observer]) -> Executor:
    """Return the executor of a recipe; it has begun no job.

    Raises:
        RecipeError: Observers are objects, and the executor does jobs in other processes.
    """
    executor = build_executor(recipe)
    if observers and not executor.in_process:
        part = recipe.part(EXECUTOR)
        text = (
            f"{part.name} does jobs in other processes, where the objects in `observers` cannot watch them."
        )
        hint = "Name observers of plugins (--observer), or use the executor serial."
        raise RecipeError([Problem(path=EXECUTOR, text=text, origin=part.chosen_by, hint=hint)])
    return executor


def _check_data(members: Sequence[Member]) -> None:
    """Check each data set once, before the first search, since faulty data would fail every job."""
    seen: list[object] = []
    for member in members:
        for recipe in (member.recipe, *([] if member.evaluation is None else [member.evaluation])):
            part, is_search = recipe.part("dataset"), recipe is member.recipe
            data = (part.component, part.settings, recipe.run.proxy if is_search else None)
            if data not in seen:
                seen.append(data)
                check_data(recipe, build_dataset(recipe), test=not is_search and opens_test(recipe))


def _create_folder(plan: Plan, members: Sequence[Member], registry: Registry, out: Path | None) -> RunFolder:
    """Create the folder, and write the recipe of each job, the environment, and last the plan."""
    slots = "-".join(dict.fromkeys(path.rpartition(".")[2] for path in plan.slots)) or "seeds"
    seeds = f"s{plan.seeds[0]}" if len(plan.seeds) == 1 else f"s{plan.seeds[0]}-{plan.seeds[-1]}"
    folder = create(f"compare-{slots}_{seeds}", out=out)
    brought: dict[str, str] = {}
    for job, member in jobs_of(plan, members):
        brought |= save_recipe(folder, job, member.recipe_of(job), registry)
    recipe = members[0].recipe
    versions = environment(
        kind="compare",
        device=device_name(device_for(recipe)),
        threads=recipe.run.threads,
        brought=brought,
        executor=plain_executor(recipe),
    )
    folder.json("environment.json", versions)
    folder.json(COMPARISON, plan.plain())
    folder.log(
        f"{len(plan.jobs)} jobs: {', '.join(plan.slots) or 'seeds'}, seeds {', '.join(map(str, plan.seeds))}"
    )
    return folder
