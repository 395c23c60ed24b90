"""The checks of executors."""

from __future__ import annotations

import os
import time
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from nascore.contract import Job
from nascore.testing.conformance import NotExaminedError
from nascore.testing.part import PartConformance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from torch import Tensor

    from nascore.contract import Executor

ECHO: Final = "nascore.contract.jobs:echo"
HERE: Final = "nascore.testing.executor"
PATIENCE: Final = 120.0
"""Seconds that a job of a check may take."""

MARK: Final = "the reason of the failure"


def fail(folder: str, number: int) -> dict[str, Any]:
    """Raise an exception of a class that needs two arguments, which only its own process can build."""
    del folder

    class OddError(Exception):
        def __init__(self, one: str, other: int) -> None:
            super().__init__(f"{one} {other}")

    raise OddError(MARK, number)


def die(folder: str, number: int) -> dict[str, Any]:
    """End the process of the job."""
    del folder
    os._exit(number)


def sleep(folder: str, number: int) -> dict[str, Any]:
    """Sleep for longer than any check waits."""
    time.sleep(10 * PATIENCE)
    return {"folder": folder, "number": number}


class ExecutorConformance(PartConformance):
    """The checks of an executor: it does every job, reports failures and deaths, and ends its workers."""

    slot: ClassVar[str] = "executor"

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Do a job."""
        with self._closing(part) as executor:
            self._result(executor.submit(_job(seed + 1)))
        return {}

    def test_states_how_it_does_jobs(self) -> None:
        """It states a number of workers of at least 1, and whether it does jobs in this process."""
        with self._closing(self.made()) as executor:
            workers: object = getattr(executor, "workers", None)
            sound = isinstance(workers, int) and workers >= 1
            self.hold(sound, f"has workers {workers!r}, not a number of at least 1")
            place: object = getattr(executor, "in_process", None)
            self.hold(isinstance(place, bool), f"has in_process {place!r}, not True or False")

    def test_does_every_job(self) -> None:
        """Each future has the result of its own job, even if there are more jobs than workers."""
        with self._closing(self.made()) as executor:
            count = min(executor.workers, 4) + 2
            jobs = [_job(number, said=[number, None, "ü"]) for number in range(1, count + 1)]
            futures = [executor.submit(job) for job in jobs]
            for job, future in zip(jobs, futures, strict=True):
                self.hold(self._result(future) == job(), f"has another result for job {job.number}")

    def test_reports_what_a_job_raises(self) -> None:
        """The future of a job that raises has an exception with its text, and other jobs are done."""
        with self._closing(self.made()) as executor:
            failing = executor.submit(_job(3, function=f"{HERE}:fail"))
            error = failing.exception(timeout=PATIENCE)
            self.hold(error is not None, "has a result for a job that raised an exception")
            known = f"{MARK} 3" in str(error)
            self.hold(known, f"reports {str(error)[:60]!r}, not the text of the exception of a job")
            self.hold(not isinstance(error, BrokenExecutor), "takes a job that raised for a dead worker")
            self.hold(
                self._result(executor.submit(_job(1))) == _job(1)(), "does no job after one that failed"
            )

    def test_reports_a_dead_worker(self) -> None:
        """The future of a job whose process died has a BrokenExecutor, and other jobs are done."""
        with self._closing(self.made()) as executor:
            self._only_outside(executor)
            error = executor.submit(_job(7, function=f"{HERE}:die")).exception(timeout=PATIENCE)
            text = f"reports {type(error).__name__} where the process of a job died, not a BrokenExecutor"
            self.hold(isinstance(error, BrokenExecutor), text)
            self.hold(self._result(executor.submit(_job(1))) == _job(1)(), "does no job after a worker died")

    def test_stops_jobs_when_it_is_closed(self) -> None:
        """It does not wait for the jobs under way when it is closed, nor begins those that wait."""
        executor = self.made()
        self._only_outside(executor)
        futures = [executor.submit(_job(1, function=f"{HERE}:sleep")) for _ in range(executor.workers + 1)]
        while not any(future.running() or future.done() for future in futures):
            time.sleep(0.01)
        began = time.monotonic()
        executor.close()
        self.hold(time.monotonic() - began < PATIENCE, "waits for its jobs when it is closed")
        self.hold(all(future.done() for future in futures), "leaves futures open when it is closed")

    def _only_outside(self, executor: Executor) -> None:
        if executor.in_process:
            executor.close()
            raise NotExaminedError("it does jobs in this process, which cannot die alone")

    @contextmanager
    def _closing(self, part: Any) -> Iterator[Executor]:  # noqa: ANN401 - a plugin's class
        try:
            yield part
        finally:
            part.close()

    def _result(self, future: Future[dict[str, Any]]) -> dict[str, Any]:
        error = future.exception(timeout=PATIENCE)
        self.hold(error is None, f"cannot do a job that does nothing: {str(error)[:200]}")
        return future.result()


def _job(number: int, *, function: str = ECHO, **settings: Any) -> Job:  # noqa: ANN401 - values for JSON
    return Job(function=function, folder="/nowhere", number=number, settings=settings)
