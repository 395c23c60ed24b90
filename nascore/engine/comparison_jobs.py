"""The jobs of a comparison: whole searches and evaluations, each in its own folder.

All that a job needs to begin or to continue is in the folder of the comparison: its recipe with the files
that the recipe names, and for an evaluation the architecture that its search found or that is given.
"""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import asdict, evolve

from nascore.comparison import EVALUATE, read_plan
from nascore.description import load
from nascore.engine.build import Begun
from nascore.engine.evaluate import evaluate
from nascore.engine.job_queue import Outcome
from nascore.engine.search import search
from nascore.errors import (
    NascoreError,
    RunFolderError,
    error_line,
    out_of_memory_text,
    plain_error,
    refusal,
)
from nascore.plugin import Selection, discover
from nascore.recipe import (
    EVALUATE_RUN,
    ORIGINS,
    SEARCH_RUN,
    Request,
    plain_origins,
    saved_recipe,
    with_plain_origins,
)
from nascore.recipe.settling.executor import without_executor
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.recipe.settling.request import resolved
from nascore.run import (
    CHANGES,
    COMPARISON,
    ENVIRONMENT,
    GIVEN,
    JOBS,
    RECIPE,
    Budget,
    RunControl,
    is_file,
    is_folder,
    object_of,
    read_result,
    reopen,
    text_of,
)
from nascore.run.lock import RunLock
from nascore.run.signals import handling_signals
from nascore.slots import SLOTS, SLOTS_OF_ABLATION, SLOTS_OF_EVALUATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.comparison import Planned
    from nascore.component import Component
    from nascore.contract import Observer
    from nascore.plugin import Registry
    from nascore.recipe import Recipe
    from nascore.recipe.settling.executor import ExecutorChoice
    from nascore.run import OnNan, RunFolder

PATIENCE: Final = 10.0
"""Seconds to wait for the process of a driver that was killed, which ends a moment after it."""

State = Literal["new", "begun", "done", "failed"]


def save_recipe(folder: RunFolder, job: Planned, recipe: Recipe, registry: Registry) -> Mapping[str, str]:
    """Write the recipe of a job to the folder of its comparison; returns the plugins of its parts.

    The executor is left out: it has no say in the result of a job.
    """
    place = job.recipe.removesuffix(RECIPE)
    recipe = without_executor(recipe)
    saved = saved_recipe(recipe, registry)
    for file, text in saved.files.items():
        folder.text(f"{place}{file}", text)
    folder.json(f"{place}{ORIGINS}", plain_origins(recipe))
    folder.document(job.recipe, saved.text)
    return saved.plugins


def read_recipe(
    path: Path,
    job: Planned,
    registry: Registry,
    run: Component | None = None,
    executor: ExecutorChoice | None = None,
) -> Recipe:
    """Return the recipe of a job from the folder of its comparison, with its original origins and warnings.

    Args:
        path: The folder of the comparison.
        job: The job.
        registry: The installed components.
        run: The component of the run itself; None: the one for the kind of the job.
        executor: The executor, which an evaluation after a search does not have. None: the default.

    Raises:
        RecipeError: Plugins have changed since, so that the recipe cannot run.
        RunFolderError: The file cannot be read.
    """
    evaluates, follows = job.kind == EVALUATE, job.of is not None
    file = path / job.recipe
    text_of(file)  # its damage is one of the folder, not of a recipe that somebody wrote
    recipe = resolved(
        Request(recipe=file) if follows or executor is None else executor.applied(Request(recipe=file)),
        registry,
        run=run or (EVALUATE_RUN if evaluates else SEARCH_RUN),
        slots=SLOTS_OF_EVALUATE if follows else SLOTS_OF_ABLATION if evaluates else SLOTS,
    )
    if recipe.refused:
        raise refusal(recipe.problems)
    return with_plain_origins(recipe, object_of(file.with_name(ORIGINS)))


def state_of(path: Path, job: Planned) -> tuple[State, str]:
    """Return how far a job has come by the files in its folder, and the text of its error if it failed.

    Args:
        path: The folder of the comparison.
        job: The job.

    Raises:
        RunFolderError: The result of the job cannot be read.
    """
    folder = path / job.folder
    if not is_folder(folder):
        return "new", ""
    result = read_result(folder) or {}
    if (status := result.get("status")) in {"done", "failed"}:
        return status, str(result.get("error", ""))
    needed = (RECIPE, ENVIRONMENT, *((GIVEN,) if job.kind == EVALUATE else ()))
    return ("begun" if all(is_file(folder / name) for name in needed) else "new"), ""


def files_of(job: Planned) -> tuple[str, ...]:
    """Return the files that a job reads, as patterns relative to the folder of its comparison.

    An evaluation also reads the records of earlier tests, in the comparison and in the runs beside it.
    """
    files = (COMPARISON, f"{job.recipe.removesuffix(RECIPE)}*")
    if job.kind != EVALUATE:
        return files
    records = (f"{JOBS}/*/{CHANGES}", f"../*/{CHANGES}", f"../*/{COMPARISON}", f"../*/{JOBS}/*/{CHANGES}")
    return (*files, job.evaluated, *records)


def run_job(  # noqa: PLR0913 - each by name
    path: Path,
    job: Planned,
    recipe: Recipe,
    registry: Registry,
    *,
    control: RunControl,
    observers: Iterable[Observer] = (),
    accepted: Iterable[str] = (),
) -> Outcome:
    """Do a job of a comparison: begin it, or continue it in its folder.

    Args:
        path: The folder of the comparison.
        job: The job. If a process that outlived its driver has already finished it, nothing happens.
        recipe: Its recipe.
        registry: The installed components.
        control: Decides when the job is saved and when it stops.
        observers: Observers of the job.
        accepted: Accepted differences to the beginning of the comparison, for the records of the job.

    Raises:
        RunFolderError: A folder cannot be written to, which would fail every job.
        KeyboardInterrupt: Somebody asked for it; the job is saved.
    """
    state, error = state_of(path, job)
    if state in {"done", "failed"}:
        return Outcome(status=state, error=error)
    folder = _reopened(path, job, tuple(accepted))
    begun = Begun(control=control, folder=folder)
    out = path / job.folder if folder is None else None
    try:
        if job.kind == EVALUATE:
            _evaluate(path, job, recipe, registry, out=out, observers=observers, begun=begun)
        else:
            search(recipe, registry, out=out, observers=observers, begun=begun)
    except (KeyboardInterrupt, RunFolderError):
        raise
    except NascoreError as error:
        return Outcome(status="failed", error=str(error))
    except BaseException as error:  # noqa: BLE001 - plugins may raise any class, and call sys.exit()
        trace = "".join(format_exception(error)).rstrip()
        return Outcome(status="failed", error=out_of_memory_text(error) or error_line(error), trace=trace)
    finally:
        if folder is not None:
            folder.close()
    stopped = (read_result(path / job.folder) or {}).get("status") == "stopped"
    return Outcome(status="stopped" if stopped else "done")


def _reopened(path: Path, job: Planned, accepted: tuple[str, ...]) -> RunFolder | None:
    """Return the folder of a job that was begun; None for a new one, whose remains are removed."""
    state, _ = state_of(path, job)
    if state == "begun":
        folder = reopen(path / job.folder, patience=PATIENCE)
        folder.change("resumed", **({"accepted": list(accepted)} if accepted else {}))
        return folder
    if is_folder(path / job.folder):
        # A kill in the first moments leaves a folder from which nothing can continue.
        lock = RunLock(path / job.folder)
        lock.take(PATIENCE)
        rmtree(path / job.folder, ignore_errors=True)
        lock.free()
    return None


def _evaluate(  # noqa: PLR0913 - each by name
    path: Path,
    job: Planned,
    recipe: Recipe,
    registry: Registry,
    *,
    out: Path | None,
    observers: Iterable[Observer],
    begun: Begun,
) -> None:
    found = path / job.evaluated
    description = load(text_of(found), where=str(found), catalogue=registry.operations())
    recipe = unused_size_warnings(recipe, [description], registry.operations())
    evaluate(description, recipe, registry, out=out, observers=observers, begun=begun)


def do_job(  # noqa: PLR0913 - each by name
    folder: str,
    number: int,
    *,
    every: float,
    budget: Mapping[str, Any] | None,
    on_nan: OnNan,
    plugins: Mapping[str, Sequence[str]],
    accepted: Sequence[str],
) -> dict[str, Any]:
    """Do a job of a comparison in a process that knows nothing of it; returns the outcome as plain values.

    Args:
        folder: The folder of the comparison.
        number: Number of the job, from 1.
        every: Seconds between two checkpoints.
        budget: The attributes of the budget of this job; None: there is none.
        on_nan: Reaction to a loss that is not finite.
        plugins: The attributes of the selection of plugins.
        accepted: Accepted differences to the beginning of the comparison.
    """
    path = Path(folder)
    control = RunControl(every=every, budget=None if budget is None else Budget(**budget), on_nan=on_nan)
    with handling_signals(control, worker=True):
        try:
            job = read_plan(path).jobs[number - 1]
            registry = discover(Selection(**{name: tuple(each) for name, each in plugins.items()}))
            recipe = without_executor(read_recipe(path, job, registry))
            outcome = run_job(path, job, recipe, registry, control=control, accepted=accepted)
        except KeyboardInterrupt:
            outcome = Outcome(status="interrupted")
        except RunFolderError as error:
            outcome = Outcome(status="unusable", cause=plain_error(error))
        except NascoreError as error:
            outcome = Outcome(status="failed", error=str(error))
    return asdict(evolve(outcome, steps=control.steps, jobs=control.jobs))
