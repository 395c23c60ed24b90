"""Trains the variants of an ablation, as the jobs of one comparison.

The variants are recipes that differ in one trick or one setting. Equal recipes are one job: a later ablation
in the same folder trains only those that the folder does not have.
"""

from __future__ import annotations

from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.comparison import (
    Member,
    Plan,
    Variant,
    is_ablation,
    planned_evaluation,
    read_plan,
)
from nascore.description import dump
from nascore.engine.build import device_name
from nascore.engine.comparison_jobs import read_recipe, save_recipe
from nascore.engine.comparison_run import ComparisonRun
from nascore.engine.data_checks import check_data
from nascore.engine.device import ambient, device_for
from nascore.engine.evaluate import check_evaluation, opens_test
from nascore.engine.initial_weights import with_initial_weights
from nascore.engine.memory import training_step_memory, with_memory_warnings
from nascore.engine.multi_search import executor_of
from nascore.engine.proxy import build_dataset
from nascore.errors import RecipeError, RunFolderError
from nascore.files import without_digest
from nascore.nn.shapes import check_gradients
from nascore.recipe import saved_recipe
from nascore.recipe.settling.executor import plain_executor
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import (
    ABLATION,
    COMPARISON,
    ENVIRONMENT,
    GIVEN,
    RunControl,
    create,
    environment,
    environment_of,
    reopen,
    text_of,
)
from nascore.slots import DATASET, SLOTS, TRICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from nascore.comparison import AblationPlan, Planned, VariantMember
    from nascore.component import Component
    from nascore.contract import Observer
    from nascore.description import Description
    from nascore.plugin import Registry, Selection
    from nascore.recipe import Recipe
    from nascore.run import RunFolder

MOST_LETTERS: Final = 48
"""Largest length of the tricks in the name of a job's folder."""


@ambient()
def check_variant(recipe: Recipe, description: Description, registry: Registry) -> Recipe | RecipeError:
    """Return the recipe of a variant with the warnings of its built parts, or the error that building raises.

    Nothing is trained or written.
    """
    try:
        dataset, operations = build_dataset(recipe), registry.operations()
        ready = check_evaluation(recipe, [description], operations, dataset.facts)
        check_gradients(ready[0], operations, (dataset.facts.height, dataset.facts.width))
        steps = training_step_memory(recipe, ready, dataset.facts, operations)
        recipe, _ = with_initial_weights(recipe, ready[0], operations)
    except RecipeError as error:
        return type(error)(recipe.with_origins(error.problems))
    return with_memory_warnings(unused_size_warnings(recipe, [description], operations), steps)


def finished_jobs(path: Path, trainings: Iterable[VariantMember], registry: Registry) -> set[tuple[str, int]]:
    """Return the variants and seeds of an ablation whose training is planned in a folder already."""
    known = {job.key for job in read_plan(path).jobs} if is_ablation(path) else set()
    return {
        (one.variant, one.member.seed) for one in trainings if key_of(one.member.recipe, registry) in known
    }


def key_of(recipe: Recipe, registry: Registry) -> str:
    """Return the digest of a recipe; parts that have no say in the result of a training do not count."""
    aside = {slot.name for slot in SLOTS if slot.aside}
    parts = {slot: each for slot, each in recipe.parts.items() if slot not in aside}
    saved = saved_recipe(evolve(recipe, parts=parts), registry)
    return sha256(dumps([saved.text, sorted(saved.files.items())]).encode()).hexdigest()[:16]


@ambient()
def run_ablation(  # noqa: PLR0913 - each by name
    plan: AblationPlan,
    trainings: Sequence[VariantMember],
    description: Description,
    registry: Registry,
    *,
    out: Path | None,
    observers: Iterable[Observer],
    began: Callable[[int, int, Planned], None],
    ended: Callable[[int, int, Planned, str], None],
    control: RunControl,
    plugins: Selection,
    run: Component,
) -> Path:
    """Train the variants that a folder does not have; returns the folder.

    Args:
        plan: The variants, without jobs.
        trainings: Their trainings, in order.
        description: The architecture.
        registry: The installed components.
        out: The folder: new, empty, or of an ablation of this architecture. None: a new one.
        observers: Observers of each training.
        began: Called before each job with its number, the number of jobs, and the job.
        ended: Called after each job in another process, with its error, empty if it succeeded, as well.
        control: Decides when jobs are saved and when the ablation stops.
        plugins: The selection of plugins, for other processes.
        run: The component of the run itself, an evaluation.

    Raises:
        RecipeError: Observers are objects, and the jobs are done in other processes.
        RunFolderError: The folder cannot be created or written to, or is an ablation of another architecture.
        RunFailed: All trainings failed.
        PluginError: The data contradict their facts.
    """
    executor = executor_of(trainings[0].member.recipe, observers := tuple(observers))
    folder, whole, members = _begun(plan, trainings, description, registry, out, run)
    return ComparisonRun(
        folder=folder,
        plan=whole,
        members=members,
        registry=registry,
        control=control,
        observers=observers,
        began=began,
        ended=ended,
        executor=executor,
        plugins=plugins,
    ).run()


def _begun(  # noqa: PLR0913, PLR0917 - all that the folder holds before the first job
    plan: AblationPlan,
    trainings: Sequence[VariantMember],
    description: Description,
    registry: Registry,
    out: Path | None,
    run: Component,
) -> tuple[RunFolder, Plan, list[Member]]:
    """Check the data; return the folder with all plans written, the plan of all jobs, and their members."""
    first = trainings[0].member.recipe
    check_data(first, build_dataset(first), test=opens_test(first))
    before, members = _earlier(out, description, registry, run)
    whole, new = _extended(before, trainings, registry)
    extends = out is not None and is_ablation(out)
    name = f"ablate_{first.part(DATASET).name}"
    folder = reopen(out) if out is not None and extends else create(name, out=out)
    _write(folder, _with_jobs(plan, whole, trainings, registry), whole, new, registry, description, first)
    return folder, whole, [*members, *(member for _, member in new)]


def refuse_other_architecture(path: Path, description: Description) -> None:
    """Refuse the folder of an ablation that trains another architecture.

    Raises:
        RunFolderError: It does.
    """
    if without_digest(text_of(path / GIVEN)).strip() != dump(description).strip():
        text = f"{path} is an ablation of another architecture: its trainings cannot be compared with these."
        raise RunFolderError(f"{text} Name another folder with --out.")


def _earlier(
    out: Path | None, description: Description, registry: Registry, run: Component
) -> tuple[Plan, list[Member]]:
    """Return the jobs that a folder has already, and their recipes; none of a new folder."""
    if out is None or not is_ablation(out):
        return Plan(slots=(), seeds=(), jobs=()), []
    refuse_other_architecture(out, description)
    plan = read_plan(out)
    recipes = [read_recipe(out, job, registry, run) for job in plan.jobs]
    return plan, [
        Member(choice=job.choice, recipe=recipe) for job, recipe in zip(plan.jobs, recipes, strict=True)
    ]


def _extended(
    before: Plan, trainings: Sequence[VariantMember], registry: Registry
) -> tuple[Plan, list[tuple[Planned, Member]]]:
    """Return a plan with the trainings that it does not have yet, and these with their recipes."""
    known = {job.key for job in before.jobs}
    new: list[tuple[Planned, Member]] = []
    members = [one.member for one in trainings]
    for member in members:
        key = key_of(member.recipe, registry)
        if key not in known:
            known.add(key)
            number, name = len(before.jobs) + len(new) + 1, f"{_name(member.choice)}_s{member.seed}"
            new.append((planned_evaluation(number, name, member, architecture=GIVEN, key=key), member))
    slots = tuple(dict.fromkeys([*before.slots, *(path for member in members for path in member.choice)]))
    seeds = tuple(dict.fromkeys([*before.seeds, *(member.seed for member in members)]))
    return Plan(slots=slots, seeds=seeds, jobs=(*before.jobs, *(job for job, _ in new))), new


def _name(choice: Mapping[str, str]) -> str:
    settings = [f"{path.rpartition('.')[2]}={text}" for path, text in choice.items() if path != TRICK]
    return "-".join([choice.get(TRICK, "none"), *settings])[:MOST_LETTERS]


def _with_jobs(
    plan: AblationPlan, whole: Plan, trainings: Sequence[VariantMember], registry: Registry
) -> AblationPlan:
    """Return the plan of an ablation with the folders of its jobs."""
    folders = {job.key: job.folder for job in whole.jobs}
    jobs: dict[str, dict[int, str]] = {}
    for one in trainings:
        key = key_of(one.member.recipe, registry)
        jobs.setdefault(one.variant, {})[one.member.seed] = folders[key]
    variants: list[Variant] = [evolve(variant, jobs=jobs[variant.name]) for variant in plan.variants]
    return evolve(plan, variants=tuple(variants))


def _write(  # noqa: PLR0913, PLR0917 - all that the folder holds before the first job
    folder: RunFolder,
    plan: AblationPlan,
    whole: Plan,
    new: Sequence[tuple[Planned, Member]],
    registry: Registry,
    description: Description,
    recipe: Recipe,
) -> None:
    """Write the recipes of new jobs, the architecture, the environment and the plans.

    In the folder of an earlier ablation the plan of its jobs comes before that of the variants: a kill in
    between leaves the earlier variants, whose jobs are in the plan.
    """
    brought: dict[str, str] = {}
    for job, member in new:
        brought |= save_recipe(folder, job, member.recipe, registry)
    if folder.resumed:
        folder.change("extended", jobs=[job.folder for job, _ in new])
        known = environment_of(folder.path)
        brought = {**known.get("brought", {}), **brought}
        folder.json(ENVIRONMENT, {**known, "brought": brought, "executor": plain_executor(recipe)})
        folder.json(COMPARISON, whole.plain())
        folder.json(ABLATION, plan.plain())
        folder.log(f"extended: {len(new)} more jobs, {len(whole.jobs)} in all")
        return
    folder.document(GIVEN, dump(description))
    versions = environment(
        kind="compare",
        device=device_name(device_for(recipe)),
        threads=recipe.run.threads,
        brought=brought,
        executor=plain_executor(recipe),
    )
    folder.json(ENVIRONMENT, versions)
    folder.json(ABLATION, plan.plain())
    folder.json(COMPARISON, whole.plain())
    folder.log(f"{len(whole.jobs)} jobs: {len(plan.variants)} variants, {len(plan.seeds)} seeds")
