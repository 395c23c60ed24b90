"""A comparison in progress: does its jobs, records those that fail, and writes the result."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from attrs import Factory, asdict, define, field

from nascore.comparison import EVALUATE, compare_runs, is_ablation, jobs_of, read_ablation
from nascore.contract import Job
from nascore.description import fingerprint, load
from nascore.engine.comparison_jobs import files_of, run_job, state_of
from nascore.engine.derive import prepared
from nascore.engine.evaluate import opens_test
from nascore.engine.job_queue import JobQueue, LocalJob, QueuedJob
from nascore.engine.proxy import build_dataset
from nascore.errors import Problem, RunFailed, error_line, mark_whole
from nascore.recipe.settling.executor import without_executor
from nascore.run import ABLATION, CHANGES, BudgetSpentError, lines_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from nascore.comparison import Member, Plan, Planned
    from nascore.contract import Executor, Observer
    from nascore.engine.job_queue import Outcome
    from nascore.plugin import Registry, Selection
    from nascore.recipe import Recipe
    from nascore.run import RunControl, RunFolder

DO_JOB = "nascore.engine.comparison_jobs:do_job"
"""The function that does a job in another process."""

FAILED = "job failed"
"""Name of the event in `changes.jsonl`."""


@define(kw_only=True)
class ComparisonRun:
    """A comparison in progress.

    Attributes:
        folder: Its folder.
        plan: Its jobs.
        members: The members of the plan, in order.
        registry: The installed components.
        control: Decides when jobs are saved and when the comparison stops.
        observers: Observers of each run.
        began: Called before each job with its number, the number of jobs, and the job.
        ended: Called after each job in another process, with its error, empty if it succeeded, as well.
        executor: Does the jobs.
        plugins: The selection of plugins, for other processes.
        accepted: Differences that were accepted when the comparison was resumed.
        done: Folders of the jobs that succeeded.
        failed: Errors of the failed jobs, by folder.
    """

    folder: RunFolder
    plan: Plan
    members: Sequence[Member]
    registry: Registry
    control: RunControl
    observers: tuple[Observer, ...]
    began: Callable[[int, int, Planned], None]
    ended: Callable[[int, int, Planned, str], None]
    executor: Executor
    plugins: Selection
    accepted: tuple[str, ...] = ()
    done: set[str] = Factory(set)
    failed: dict[str, str] = Factory(dict)
    _start: float = field(factory=perf_counter)
    _begun: set[int] = Factory(set)
    _fingerprints: dict[str, frozenset[str]] = Factory(dict)
    _recipes: dict[str, Recipe] = field(init=False)
    _places: dict[str, int] = field(init=False)
    _queue: JobQueue[Planned] = field(init=False)

    @_recipes.default
    def _recipes_of_jobs(self) -> dict[str, Recipe]:
        jobs = jobs_of(self.plan, self.members)
        return {job.folder: without_executor(member.recipe_of(job)) for job, member in jobs}

    @_places.default
    def _places_of_jobs(self) -> dict[str, int]:
        return {job.folder: place for place, job in enumerate(self.plan.jobs)}

    @_queue.default
    def _new_queue(self) -> JobQueue[Planned]:
        return JobQueue(
            executor=self.executor,
            control=self.control,
            make=self._job,
            blocked=self._waits,
        )

    def run(self) -> Path:
        """Do all jobs that are neither done nor failed, and write the result; returns the folder.

        If the budget is spent, the comparison has the status `stopped`.

        Raises:
            RunFailed: All searches failed; or all evaluations, if evaluations are planned.
        """
        try:
            try:
                self._count_finished()
                self._do_all()
            finally:
                self.executor.close()
            self._conclude()
        except BudgetSpentError:
            assert self.control.budget is not None
            self.folder.log(f"stopped: the budget of {self.control.budget.text} is spent")
            self._conclude(status="stopped", budget=self.control.budget.text)
            return self.folder.path
        except BaseException as error:
            status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            mark_whole(error, self.folder.path)
            # A full disk may be the cause: the user sees the first error, not the failure to write it.
            with suppress(Exception):
                self.folder.log(f"{status}: {error_line(error)}")
                self._conclude(status=status, error=error_line(error))
            raise
        finally:
            self.folder.close()
        if self._fruitless:
            raise self._failure()
        return self.folder.path

    def _count_finished(self) -> None:
        """Take over the jobs that were done, or failed, before the comparison was resumed."""
        for line in lines_of(self.folder / CHANGES):
            if line.get("event") == FAILED:
                self.failed[str(line["job"])] = str(line["error"])
        for job in self.plan.jobs:
            state, error = state_of(self.folder.path, job)
            if state == "done":
                self.done.add(job.folder)
            elif state == "failed" and job.folder not in self.failed:
                self._record_failure(job, error)

    def _do_all(self) -> None:
        """Do all jobs that are left; an evaluation whose search failed is skipped."""
        self._queue.waiting = [
            QueuedJob(number=number, work=job, threads=self._recipes[job.folder].run.threads)
            for number, job in enumerate(self.plan.jobs, start=1)
            if job.folder not in self.done and job.folder not in self.failed
        ]
        self._skip()
        for queued, outcome in self._queue.outcomes(self._begins):
            self._record(queued, outcome)
            self._skip()

    def _begins(self, queued: QueuedJob[Planned]) -> None:
        if queued.number not in self._begun:
            self._begun.add(queued.number)
            self.began(queued.number, len(self.plan.jobs), queued.work)

    def _skip(self) -> None:
        """Record the evaluations whose search failed."""
        for job in self._queue.drop(lambda job: job.of in self.failed):
            self.failed[job.folder] = f"nothing to evaluate: the search {job.of} failed"

    def _job(self, queued: QueuedJob[Planned]) -> Job:
        """Return a job as the executor takes it."""
        if self.executor.in_process:
            return LocalJob(
                function="", folder=str(self.folder.path), number=queued.number, do=partial(self._do, queued)
            )
        return Job(
            function=DO_JOB,
            folder=str(self.folder.path),
            number=queued.number,
            threads=queued.threads,
            settings={
                "every": self.control.every,
                "budget": None if queued.share is None else asdict(queued.share),
                "on_nan": self.control.on_nan,
                "plugins": self.plugins.plain(),
                "accepted": self.accepted,
            },
            reads=files_of(queued.work),
            writes=queued.work.folder,
        )

    def _do(self, queued: QueuedJob[Planned]) -> dict[str, Any]:
        """Do a job in this process."""
        job = queued.work
        outcome = run_job(
            self.folder.path,
            job,
            self._recipes[job.folder],
            self.registry,
            control=self.control,
            observers=self.observers,
            accepted=self.accepted,
        )
        return asdict(outcome)

    def _waits(self, job: Planned, left: list[Planned]) -> bool:
        """Return whether a job has to wait for others.

        An evaluation waits for its search. If it opens the test images, it also waits for each earlier
        evaluation of the same architecture that does: evaluations count earlier tests, whose order must be
        that of the plan.

        Args:
            job: The job.
            left: All jobs that are not over.
        """
        if job.kind != EVALUATE:
            return False
        folders = {one.folder for one in left}
        if job.of in folders:
            return True
        if not opens_test(self._recipes[job.folder]):
            return False
        place = self._places[job.folder]
        earlier = (
            one
            for one in left
            if one.kind == EVALUATE
            and self._places[one.folder] < place
            and opens_test(self._recipes[one.folder])
        )
        return any(one.of in folders or self._tested(one) & self._tested(job) for one in earlier)

    def _tested(self, job: Planned) -> frozenset[str]:
        """Return the fingerprints of the architecture of an evaluation, as found and as trained."""
        if job.folder not in self._fingerprints:
            recipe = self._recipes[job.folder]
            found = self.folder / job.evaluated
            description = load(text_of(found), where=str(found), catalogue=self.registry.operations())
            ready = prepared(description, recipe.training, build_dataset(recipe).facts)
            self._fingerprints[job.folder] = frozenset({fingerprint(description), fingerprint(ready)})
        return self._fingerprints[job.folder]

    def _record(self, queued: QueuedJob[Planned], outcome: Outcome) -> None:
        """Note the outcome of a job.

        Raises:
            BudgetSpentError: The job was stopped in this process, since the budget is spent.
        """
        job = queued.work
        if outcome.status == "stopped":
            return
        if outcome.status == "interrupted":
            self.folder.log(f"job {job.folder} is done again: {outcome.error}")
            self.folder.change("worker died", job=job.folder, error=outcome.error)
            return
        if outcome.status == "done":
            self.done.add(job.folder)
        else:
            if outcome.trace:
                self.folder.log(f"job {job.folder}:\n{outcome.trace}")
            self._record_failure(job, outcome.error)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        if not self.executor.in_process:
            self.ended(queued.number, len(self.plan.jobs), job, outcome.error)

    def _record_failure(self, job: Planned, error: str) -> None:
        self.failed[job.folder] = error
        self.folder.log(f"job {job.folder} failed: {error}")
        self.folder.change(FAILED, job=job.folder, error=error)

    @property
    def _evaluations(self) -> list[Planned]:
        return [job for job in self.plan.jobs if job.kind == EVALUATE]

    @property
    def _fruitless(self) -> bool:
        """Whether all evaluations failed, or all searches if no evaluation is planned."""
        return self.done.isdisjoint(job.folder for job in self._evaluations or self.plan.jobs)

    def _conclude(self, **ended: str) -> None:
        """Write the result of the comparison."""
        known = compare_runs([self.folder.path])
        if is_ablation(self.folder.path):
            self.folder.json(ABLATION, read_ablation(self.folder.path).plain())
        status = {"status": "failed" if self._fruitless else "done"}
        failed = {job.folder: self.failed[job.folder] for job in self.plan.jobs if job.folder in self.failed}
        self.folder.finish(
            {
                "kind": "compare",
                **(ended or status),
                "seeds": list(self.plan.seeds),
                "jobs": {"planned": len(self.plan.jobs), "done": len(self.done), "failed": len(failed)},
                **({"failures": failed} if failed else {}),
                "table": known.plain(),
                "seconds": round(perf_counter() - self._start, 3),
            }
        )

    def _failure(self) -> RunFailed:
        """Return the error of a comparison without a result."""
        text = f"all {len(self.failed)} jobs failed; the first of them:"
        if self.done:
            text = (
                f"all {len(self._evaluations)} evaluations failed, so nothing was tested; the first failure:"
            )
        first = next(self.failed[job.folder] for job in self.plan.jobs if job.folder in self.failed)
        error = RunFailed([Problem(path="", text=text), Problem(path="", text=first)])
        mark_whole(error, self.folder.path)
        return error
