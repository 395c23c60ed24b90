"""The executor: submits jobs to Ray, and waits for each in a thread."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor, wait
from pathlib import Path
from shutil import rmtree
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from nascore_ray.files import Carried

if TYPE_CHECKING:
    from nascore.api import Job
    from nascore_ray.session import Session, Task
    from nascore_ray.settings import RaySettings


QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray hides all GPUs from a task that reserves none; the executor must not decide on the device of a job.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Deaths of workers reach the run as errors; Ray would also print them to stdout.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
"""Environment variables that Ray reads when it is imported."""


def begin_session(settings: RaySettings, threads: int) -> Session:
    """Connect this process to Ray, unless it is connected already; returns the session.

    Args:
        settings: The settings of the executor.
        threads: Threads of a job.

    Raises:
        RecipeError: There is no Ray cluster at the address, or no node has the resources of a job.
    """
    os.environ.update(QUIET)
    from nascore_ray.session import Session  # noqa: PLC0415 - Ray reads the variables when it is imported

    return Session.begin(settings, threads)


class Ray:
    """Does jobs as tasks of Ray, which is started or joined by the first job.

    The worker of a job is asked to stop by a SIGTERM, on which the job saves itself. (`ray.cancel` raises
    KeyboardInterrupt there, but does not wake a worker that sleeps, and loses what the job returns.)
    """

    in_process = False

    def __init__(self, settings: RaySettings) -> None:
        self.workers = settings.workers
        self._settings = settings
        self._threads = ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="nascore-ray")
        self._lock = Lock()
        self._session: Session | None = None
        self._tasks: list[Task] = []
        self._futures: set[Future[dict[str, Any]]] = set()
        self._swept: set[str] = set()
        self._closed = False

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Submit a job to Ray, or queue it until one of the jobs under way is over.

        Raises:
            RecipeError: There is no Ray cluster at the address, or none of its nodes has the resources.
        """
        if self._session is None:
            self._session = begin_session(self._settings, job.threads)
        self._sweep(job)
        future = self._threads.submit(self._do, job, self._session)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def close(self) -> None:
        """Stop the jobs under way, wait until they are saved, and disconnect from Ray."""
        with self._lock:
            self._closed = True
            tasks = tuple(self._tasks)
        for task in tasks:
            task.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)
        wait(tuple(self._futures), timeout=self._settings.grace)
        for task in tuple(self._tasks):
            task.kill()
        self._threads.shutdown(wait=True)
        if self._session is not None:
            self._session.end()
            self._session = None

    def _sweep(self, job: Job) -> None:
        """Remove the remains of an earlier driver that was killed while files arrived."""
        if job.folder not in self._swept:
            self._swept.add(job.folder)
            for path in Path(job.folder).glob(".returned.*"):
                rmtree(path, ignore_errors=True)

    def _do(self, job: Job, session: Session) -> dict[str, Any]:
        for _ in range(self._settings.retries):
            try:
                return self._do_once(job, session)
            except BrokenExecutor:
                if self._closed:
                    raise
        return self._do_once(job, session)

    def _do_once(self, job: Job, session: Session) -> dict[str, Any]:
        there = Path(job.folder).is_dir()
        carried = Carried(job) if there and self._settings.files == "return" else None
        archive = None if carried is None else carried.read()
        task = self._begin(job, session, there=there, archive=archive)
        try:
            answer, files = task.wait()
        finally:
            with self._lock:
                self._tasks.remove(task)
        if carried is not None:
            carried.place(files)
        return job.result(answer, closed=self._closed)

    def _begin(self, job: Job, session: Session, *, there: bool, archive: bytes | None) -> Task:
        with self._lock:
            if self._closed:
                raise BrokenExecutor("the executor is closed")
            task = session.submit(job, there=there, archive=archive)
            self._tasks.append(task)
            return task
