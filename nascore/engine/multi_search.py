"""Runs several searches and evaluations as the jobs of one comparison.

Each job is a complete run in its own folder. A job that fails is recorded, and the others continue. The
results so far can be read at any time: the plan is written first, then the runs, the table last.
"""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from traceback import format_exception
from typing import TYPE_CHECKING

import torch
from attrs import Factory, define, evolve

from nascore.comparison import EVALUATE, compare_runs, plan_of
from nascore.description import load
from nascore.engine.build import build_parts, name_of, with_size_warnings
from nascore.engine.data_checks import check_data
from nascore.engine.device import ambient, device_for
from nascore.engine.evaluate import check_evaluation, evaluate
from nascore.engine.factory import build_component
from nascore.engine.memory import training_step_memory, with_memory_warnings
from nascore.engine.search import search
from nascore.errors import (
    NascoreError,
    Problem,
    RecipeError,
    RunFailed,
    RunFolderError,
    error_line,
    out_of_memory_text,
)
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import ARCHITECTURE, COMPARISON, create, environment, mark_whole, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from nascore.comparison import Member, Plan, Planned
    from nascore.contract import Dataset, Observer
    from nascore.plugin import Registry
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
            ready = check_evaluation(recipe, found, registry.operations(), dataset.facts)
            steps = training_step_memory(recipe, ready, dataset.facts, registry.operations())
            evaluation = with_memory_warnings(unused_size_warnings(evaluation, found), steps)
    except RecipeError as error:
        return type(error)(recipe.with_origins(error.problems))
    recipe = with_size_warnings(member.recipe, parts, dataset.facts, registry.operations())
    return evolve(member, recipe=recipe, evaluation=evaluation)


@ambient()
def search_several(
    members: Sequence[Member],
    registry: Registry,
    *,
    out: Path | None = None,
    observers: Iterable[Observer] = (),
    began: Callable[[int, int, Planned], None] = lambda *_: None,
) -> Path:
    """Run several searches, one after the other; returns the folder of the comparison.

    Args:
        members: The searches, in order.
        registry: The installed components.
        out: The folder, new or empty; None: a new one in the folder of runs.
        observers: Observers of each run.
        began: Called before each job with its number, the number of jobs, and the job.

    Raises:
        RunFolderError: The folder cannot be created or written to.
        RunFailed: All searches failed; or all evaluations, if evaluations are planned.
        PluginError: The data contradict their facts.
    """
    _check_data(members)
    plan = plan_of(tuple(members), tuple(name_of(member.recipe) for member in members))
    folder = _create_folder(plan, members, out)
    comparison = _Comparison(
        folder=folder, plan=plan, members=members, registry=registry, observers=tuple(observers), began=began
    )
    start = perf_counter()
    try:
        comparison.all()
        comparison.conclude(start)
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        mark_whole(error, folder.path)
        # A full disk may be the cause: the user sees the first error, not the failure to write it.
        with suppress(Exception):
            folder.log(f"{status}: {error_line(error)}")
            comparison.conclude(start, status=status, error=error_line(error))
        raise
    if comparison.fruitless:
        raise _fruitless(comparison)
    return folder.path


def _check_data(members: Sequence[Member]) -> None:
    """Check each data set once, before the first search, since faulty data would fail every job."""
    seen: list[object] = []
    for member in members:
        part = member.recipe.part("dataset")
        if (part.component, part.settings) not in seen:
            seen.append((part.component, part.settings))
            dataset: Dataset = build_component(member.recipe, "dataset")
            check_data(member.recipe, dataset, test=member.evaluation is not None)


def _create_folder(plan: Plan, members: Sequence[Member], out: Path | None) -> RunFolder:
    """Create the folder, and write the plan and the environment."""
    slots = "-".join(plan.slots) or "seeds"
    seeds = f"s{plan.seeds[0]}" if len(plan.seeds) == 1 else f"s{plan.seeds[0]}-{plan.seeds[-1]}"
    folder = create(f"compare-{slots}_{seeds}", out=out)
    recipe = members[0].recipe
    folder.json(COMPARISON, plan.plain())
    folder.json(
        "environment.json",
        environment(kind="compare", device=device_for(recipe).type, threads=recipe.run.threads),
    )
    folder.log(f"{len(plan.jobs)} jobs: {slots}, seeds {', '.join(map(str, plan.seeds))}")
    return folder


@define(kw_only=True)
class _Comparison:
    """A comparison in progress.

    Attributes:
        folder: Its folder.
        plan: Its jobs.
        members: The searches of the plan, in order.
        registry: The installed components.
        observers: Observers of each run.
        began: Called before each job.
        done: Number of jobs that succeeded.
        tested: Number of evaluations among them.
        failed: Errors of the failed jobs, by folder.
    """

    folder: RunFolder
    plan: Plan
    members: Sequence[Member]
    registry: Registry
    observers: tuple[Observer, ...]
    began: Callable[[int, int, Planned], None]
    done: int = 0
    tested: int = 0
    failed: dict[str, str] = Factory(dict)

    def all(self) -> None:
        """Run all jobs; an evaluation whose search failed is skipped."""
        members = iter(self.members)
        member = None
        for number, job in enumerate(self.plan.jobs, start=1):
            if job.kind != EVALUATE:
                member = next(members)
            if job.of in self.failed:
                self.failed[job.folder] = f"nothing to evaluate: the search {job.of} failed"
                continue
            assert member is not None
            self.began(number, len(self.plan.jobs), job)
            error = self._do(job, member)
            if error is None:
                self.done += 1
                self.tested += job.kind == EVALUATE
            else:
                self._failed(job, error)

    @property
    def fruitless(self) -> bool:
        """Whether all evaluations failed, or all searches if no evaluation is planned."""
        evaluated = any(job.kind == EVALUATE for job in self.plan.jobs)
        return not (self.tested if evaluated else self.done)

    def conclude(self, start: float, **ended: str) -> None:
        """Write the result of the comparison."""
        known = compare_runs([self.folder.path])
        status = {"status": "failed" if self.fruitless else "done"}
        self.folder.finish(
            {
                "kind": "compare",
                **(ended or status),
                "seeds": list(self.plan.seeds),
                "jobs": {"planned": len(self.plan.jobs), "done": self.done, "failed": len(self.failed)},
                **({"failures": self.failed} if self.failed else {}),
                "table": known.plain(),
                "seconds": round(perf_counter() - start, 3),
            }
        )

    def _do(self, job: Planned, member: Member) -> str | None:
        """Run one job; returns the text of its error, None if it succeeded."""
        out = self.folder / job.folder
        try:
            if job.kind == EVALUATE:
                self._evaluate(job, member, out)
            else:
                search(member.recipe, self.registry, out=out, observers=self.observers)
        except (KeyboardInterrupt, RunFolderError):
            raise  # a folder that cannot be written to fails every job
        except NascoreError as error:
            return str(error)
        except BaseException as error:  # noqa: BLE001 - plugins may raise any class, and call sys.exit()
            self.folder.log(f"job {job.folder}:\n{''.join(format_exception(error)).rstrip()}")
            return out_of_memory_text(error) or error_line(error)
        return None

    def _evaluate(self, job: Planned, member: Member, out: Path) -> None:
        assert member.evaluation is not None
        found = self.folder / str(job.of) / ARCHITECTURE
        description = load(text_of(found), where=str(found), catalogue=self.registry.operations())
        recipe = unused_size_warnings(member.evaluation, [description])
        evaluate(description, recipe, self.registry, out=out, observers=self.observers)

    def _failed(self, job: Planned, error: str) -> None:
        self.failed[job.folder] = error
        self.folder.log(f"job {job.folder} failed: {error}")
        self.folder.change("job failed", job=job.folder, error=error)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _fruitless(comparison: _Comparison) -> RunFailed:
    text = f"all {len(comparison.failed)} jobs failed; the first of them:"
    if comparison.done:
        evaluations = sum(job.kind == EVALUATE for job in comparison.plan.jobs)
        text = f"all {evaluations} evaluations failed, so nothing was tested; the first failure:"
    first = next(iter(comparison.failed.values()))
    error = RunFailed([Problem(path="", text=text), Problem(path="", text=first)])
    mark_whole(error, comparison.folder.path)
    return error
