"""A comparison in progress: does its jobs, records those that fail, and writes the result."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from attrs import Factory, define, field

from nascore.comparison import EVALUATE, compare_runs, jobs_of
from nascore.engine.comparison_jobs import run_job, state_of
from nascore.errors import Problem, RunFailed, error_line
from nascore.run import CHANGES, BudgetSpentError, lines_of, mark_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nascore.comparison import Member, Plan, Planned
    from nascore.contract import Observer
    from nascore.engine.comparison_jobs import Outcome
    from nascore.plugin import Registry
    from nascore.run import RunControl, RunFolder

FAILED = "job failed"
"""Name of the event in `changes.jsonl`."""


@define(kw_only=True)
class ComparisonRun:
    """A comparison in progress.

    Attributes:
        folder: Its folder.
        plan: Its jobs.
        members: The searches of the plan, in order.
        registry: The installed components.
        control: Decides when jobs are saved and when the comparison stops.
        observers: Observers of each run.
        began: Called before each job.
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
    accepted: tuple[str, ...] = ()
    done: set[str] = Factory(set)
    failed: dict[str, str] = Factory(dict)
    _start: float = field(factory=perf_counter)

    def run(self) -> Path:
        """Do all jobs that are neither done nor failed, and write the result; returns the folder.

        If the budget is spent, the comparison has the status `stopped`.

        Raises:
            RunFailed: All searches failed; or all evaluations, if evaluations are planned.
        """
        try:
            self._count_finished()
            self._do_all()
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
        for number, job, member in self._pending():
            if job.of in self.failed:
                self.failed[job.folder] = f"nothing to evaluate: the search {job.of} failed"
                continue
            self.control.stop_if_due()
            self.began(number, len(self.plan.jobs), job)
            self._record(job, self._do(job, member))

    def _pending(self) -> Iterator[tuple[int, Planned, Member]]:
        """Yield the jobs that are neither done nor failed, each with its number and its member."""
        for number, (job, member) in enumerate(jobs_of(self.plan, self.members), start=1):
            if job.folder not in self.done and job.folder not in self.failed:
                yield number, job, member

    def _do(self, job: Planned, member: Member) -> Outcome:
        return run_job(
            self.folder.path,
            job,
            member.recipe_of(job),
            self.registry,
            control=self.control,
            observers=self.observers,
            accepted=self.accepted,
        )

    def _record(self, job: Planned, outcome: Outcome) -> None:
        """Note the end of a job.

        Raises:
            BudgetSpentError: The job was stopped, since the budget is spent.
        """
        if outcome.status == "stopped":
            raise BudgetSpentError
        if outcome.status == "done":
            self.done.add(job.folder)
            return
        if outcome.trace:
            self.folder.log(f"job {job.folder}:\n{outcome.trace}")
        self._record_failure(job, outcome.error)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

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
