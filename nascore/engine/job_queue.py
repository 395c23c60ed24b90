"""Does the jobs of a comparison through an executor: which job is next, with which share of the budget."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define, evolve, frozen

from nascore.engine.comparison_jobs import Outcome
from nascore.errors import RunFolderError, error_line
from nascore.run import BudgetSpentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from nascore.comparison import Planned
    from nascore.contract import Executor, Job
    from nascore.run import Budget, RunControl

MOST_DEATHS: Final = 3
"""Times that the worker of a job may die before the job is recorded as failed."""


@frozen(kw_only=True)
class QueuedJob:
    """A job of a comparison that is not over.

    Attributes:
        number: Its number, from 1.
        planned: Its row of the plan.
        threads: CPU threads that it uses.
        deaths: How often its worker died.
        share: The part of the budget that it may use where it runs in another process; None: no limit.
    """

    number: int
    planned: Planned
    threads: int
    deaths: int = 0
    share: Budget | None = None


@define(kw_only=True)
class JobQueue:
    """The jobs of a comparison that are not over, and those that an executor does now.

    Attributes:
        executor: Does the jobs.
        control: Decides when the comparison stops; counts steps and jobs.
        waiting: Jobs that have not begun, in the order of the plan.
        make: Returns a queued job as the executor takes it.
        blocked: Returns whether a job has to wait for others. Called with the job and all that are not over.
        running: Jobs that are under way.
    """

    executor: Executor
    control: RunControl
    waiting: list[QueuedJob]
    make: Callable[[QueuedJob], Job]
    blocked: Callable[[Planned, list[Planned]], bool]
    running: dict[Future[dict[str, Any]], QueuedJob] = Factory(dict)

    def outcomes(self, began: Callable[[QueuedJob], None]) -> Iterator[tuple[QueuedJob, Outcome]]:
        """Do all jobs; yield each with its outcome when it is over, failed or its worker died.

        A job is yielded with the status `interrupted` where it will be done again: its worker died, or its
        share of the budget was spent while there was more.

        Args:
            began: Called when a job begins, before it is submitted.

        Raises:
            BudgetSpentError: The budget is spent, and no job is under way.
            RunFolderError: A folder cannot be used.
            KeyboardInterrupt: Somebody asked for a stop.
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
            done, _ = wait(self.running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda one: self.running[one].number):
                queued = self.running.pop(future)
                yield queued, self._outcome(queued, future)

    def drop(self, skipped: Callable[[Planned], bool]) -> list[Planned]:
        """Remove jobs that will not be done; returns them."""
        dropped = [queued.planned for queued in self.waiting if skipped(queued.planned)]
        self.waiting = [queued for queued in self.waiting if not skipped(queued.planned)]
        return dropped

    def _next(self) -> Iterator[QueuedJob]:
        """Yield the jobs that can begin now, with their shares of the budget."""
        while self.waiting and len(self.running) < self.executor.workers and not self.control.spent():
            left = [queued.planned for queued in (*self.running.values(), *self.waiting)]
            ready = next((one for one in self.waiting if not self.blocked(one.planned, left)), None)
            if ready is None:
                return
            share = self._share()
            if share is not None and share.amount <= 0:
                return
            self.waiting.remove(ready)
            yield evolve(ready, share=share)

    def _share(self) -> Budget | None:
        """Return the part of the budget for the next job; of steps and jobs, nobody else gets this part."""
        budget = self.control.budget
        if budget is None or self.executor.in_process:
            return None
        if budget.unit == "seconds":
            return evolve(budget, amount=self.control.began + budget.amount - monotonic())
        used = self.control.steps if budget.unit == "steps" else self.control.jobs
        left = budget.amount - used - sum(one.share.amount for one in self.running.values() if one.share)
        free = min(self.executor.workers - len(self.running), len(self.waiting))
        return evolve(budget, amount=-(-left // free))

    def _outcome(self, queued: QueuedJob, future: Future[dict[str, Any]]) -> Outcome:
        try:
            outcome = Outcome(**future.result())
        except BrokenExecutor as error:
            return self._died(queued, str(error))
        except RunFolderError:
            raise
        except Exception as error:  # noqa: BLE001 - of the executor
            return Outcome(status="failed", error=error_line(error))
        self.control.steps += outcome.steps
        self.control.jobs += outcome.jobs
        if outcome.status == "unusable":
            raise RunFolderError(outcome.error)
        if outcome.status == "interrupted":
            raise KeyboardInterrupt
        if outcome.status == "stopped":
            # Another job may have left a part of its share.
            self._again(queued)
        return outcome

    def _died(self, queued: QueuedJob, text: str) -> Outcome:
        deaths = queued.deaths + 1
        if deaths >= MOST_DEATHS:
            return Outcome(status="failed", error=f"its worker died {deaths} times; the last time {text}")
        self._again(evolve(queued, deaths=deaths))
        return Outcome(status="interrupted", error=text)

    def _again(self, queued: QueuedJob) -> None:
        self.waiting = sorted([*self.waiting, queued], key=lambda one: one.number)
