"""Runs jobs through an executor: chooses the next job, gives it a share of the budget, and takes its result.

All drivers use this queue: growth runs for the jobs of a wave, and comparisons for whole searches.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

from attrs import Factory, define, evolve, frozen

from nascore.contract import Job
from nascore.errors import Problem, RunFailed, RunFolderError, error_line, error_of
from nascore.run import BudgetSpentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

    from nascore.contract import Executor
    from nascore.run import Budget, RunControl

MOST_DEATHS: Final = 3
"""Times that the worker of a job may die before the job is recorded as failed."""

PERIOD: Final = 0.5
"""Seconds between two looks at the files of jobs under way."""

Status = Literal["done", "failed", "stopped", "interrupted", "unusable"]
T = TypeVar("T")


@frozen(kw_only=True)
class Outcome:
    """The end of a job.

    Attributes:
        status: `done`, `failed`, `stopped` by its budget, `interrupted` by a signal, or `unusable` if the
            cause would make every job fail, such as a folder that cannot be written to.
        error: The text of the error, if it failed.
        trace: The traceback of an unexpected error.
        steps: Steps that it made in another process.
        jobs: Jobs that it finished in another process.
        cause: The result of :func:`~nascore.errors.plain_error` for the error, if it is `unusable`.
    """

    status: Status
    error: str = ""
    trace: str = ""
    steps: int = 0
    jobs: int = 0
    cause: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class LocalJob(Job):
    """A job that is done in this process, with the objects of this process.

    Attributes:
        do: Does it.
    """

    do: Callable[[], dict[str, Any]]

    def __call__(self) -> dict[str, Any]:
        """Do the job."""
        return self.do()


@frozen(kw_only=True)
class QueuedJob(Generic[T]):
    """A job that is not over.

    Attributes:
        number: Its number, from 1.
        work: The job as its driver knows it.
        threads: CPU threads that it uses.
        jobs: Number of jobs that it counts for in a budget of jobs, at most; None: unknown.
        deaths: How often its worker died.
        share: The part of the budget that it may use where it runs in another process; None: no limit.
    """

    number: int
    work: T
    threads: int
    jobs: int | None = None
    deaths: int = 0
    share: Budget | None = None


@define(kw_only=True)
class JobQueue(Generic[T]):
    """The jobs of a driver that are not over, and those that an executor does now.

    Attributes:
        executor: Does the jobs.
        control: Decides when the driver stops; counts steps and jobs.
        make: Returns a queued job as the executor takes it.
        waiting: Jobs that have not begun, in their order.
        blocked: Returns whether a job has to wait for others. Called with the job and all that are not over.
            None: no job has to.
        follow: Called twice a second while other processes do jobs; None: nothing is.
        running: Jobs that are under way.
    """

    executor: Executor
    control: RunControl
    make: Callable[[QueuedJob[T]], Job]
    waiting: list[QueuedJob[T]] = Factory(list)
    blocked: Callable[[T, list[T]], bool] | None = None
    follow: Callable[[], None] | None = None
    running: dict[Future[dict[str, Any]], QueuedJob[T]] = Factory(dict)

    def outcomes(self, began: Callable[[QueuedJob[T]], None]) -> Iterator[tuple[QueuedJob[T], Outcome]]:
        """Do all jobs; yield each with its outcome when it is over, failed or its worker died.

        A job is yielded with the status `interrupted` or `stopped` where it will be done again: its worker
        died, or its share of the budget was spent while there was more.

        Args:
            began: Called when a job begins, before it is submitted.

        Raises:
            BudgetSpentError: The budget is spent, and no job is under way.
            NascoreError: The cause makes every job fail, such as a folder that cannot be used, or an executor
                that cannot do a job; no job is recorded as failed.
            KeyboardInterrupt: A stop was requested.
        """
        while self.waiting or self.running:
            if self.control.requested:
                raise KeyboardInterrupt
            for queued in self._next():
                began(queued)
                self.running[self.executor.submit(self.make(queued))] = queued
            if not self.running:
                self.control.stop_if_due()
                raise BudgetSpentError
            yield from self._ended()

    def _ended(self) -> Iterator[tuple[QueuedJob[T], Outcome]]:
        """Wait for the end of a job, or half a second if jobs are followed; yield the jobs that ended."""
        done, _ = wait(self.running, None if self.follow is None else PERIOD, FIRST_COMPLETED)
        if self.follow is not None:
            self.follow()
        for future in sorted(done, key=lambda one: self.running[one].number):
            queued = self.running.pop(future)
            yield queued, self._outcome(queued, future)

    def drop(self, skipped: Callable[[T], bool]) -> list[T]:
        """Remove jobs that will not be done; returns them."""
        dropped = [queued.work for queued in self.waiting if skipped(queued.work)]
        self.waiting = [queued for queued in self.waiting if not skipped(queued.work)]
        return dropped

    def _next(self) -> Iterator[QueuedJob[T]]:
        """Yield the jobs that can begin now, with their shares of the budget."""
        while self.waiting and len(self.running) < self.executor.workers and not self.control.spent():
            ready = self._ready()
            share = None if ready is None else self._share(ready)
            if ready is None or (share is not None and share.amount <= 0):
                return
            self.waiting.remove(ready)
            yield evolve(ready, share=share)

    def _ready(self) -> QueuedJob[T] | None:
        """Return the first job that need not wait for others."""
        if self.blocked is None:
            return self.waiting[0]
        left = [one.work for one in (*self.running.values(), *self.waiting)]
        return next((queued for queued in self.waiting if not self.blocked(queued.work, left)), None)

    def _share(self, ready: QueuedJob[T]) -> Budget | None:
        """Return the part of the budget for the next job; of steps and jobs, nobody else gets this part."""
        budget = self.control.budget
        if budget is None or self.executor.in_process:
            return None
        if budget.unit == "seconds":
            return evolve(budget, amount=self.control.began + budget.amount - monotonic())
        used = self.control.steps if budget.unit == "steps" else self.control.jobs
        left = budget.amount - used - sum(one.share.amount for one in self.running.values() if one.share)
        free = min(self.executor.workers - len(self.running), len(self.waiting))
        amount = -(-left // free)
        if budget.unit == "jobs" and ready.jobs is not None:
            amount = min(amount, ready.jobs)
        return evolve(budget, amount=amount)

    def _outcome(self, queued: QueuedJob[T], future: Future[dict[str, Any]]) -> Outcome:
        if self.executor.in_process:
            outcome = Outcome(**future.result())
            if outcome.status == "stopped":
                self._again(queued)
            return outcome
        try:
            outcome = Outcome(**future.result())
        except BrokenExecutor as error:
            return self._died(queued, str(error))
        except Exception as error:
            # Not a failure of the job, which would stay recorded: it is done when the run is resumed.
            text = f"the executor could not do job {queued.number}: {error_line(error)}"
            raise RunFailed([Problem(path="executor", text=text)]) from error
        self.control.steps += outcome.steps
        self.control.jobs += outcome.jobs
        if outcome.status == "unusable":
            raise error_of(outcome.cause) if outcome.cause else RunFolderError(outcome.error)
        if outcome.status == "interrupted":
            raise KeyboardInterrupt
        if outcome.status == "stopped":
            # Another job may have left a part of its share.
            self._again(queued)
        return outcome

    def _died(self, queued: QueuedJob[T], text: str) -> Outcome:
        deaths = queued.deaths + 1
        if deaths >= MOST_DEATHS:
            return Outcome(status="failed", error=f"its worker died {deaths} times; the last time {text}")
        self._again(evolve(queued, deaths=deaths))
        return Outcome(status="interrupted", error=text)

    def _again(self, queued: QueuedJob[T]) -> None:
        self.waiting = sorted([*self.waiting, queued], key=lambda one: one.number)
