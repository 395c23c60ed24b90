"""The executor: submits jobs to Slurm, and waits for each in a thread."""

from __future__ import annotations

import signal
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor, wait
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from nascore_slurm.submission import Submission

if TYPE_CHECKING:
    from nascore.api import Job
    from nascore_slurm.settings import SlurmSettings

LOGS: Final = "slurm"
"""Folder for logs in that of the run."""


class Slurm:
    """Does each job as a job of Slurm.

    The answer of a job comes back as a file of JSON; nothing that a job wrote is unpickled.
    """

    in_process = False

    def __init__(self, settings: SlurmSettings) -> None:
        self.workers = settings.workers
        self._settings = settings
        self._threads = ThreadPoolExecutor(
            max_workers=self.workers, thread_name_prefix="nascore-slurm", initializer=_block_interrupts
        )
        self._lock = Lock()
        self._submissions: list[Submission] = []
        self._futures: set[Future[dict[str, Any]]] = set()
        self._closed = False

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Submit a job to Slurm, or queue it until one of those in Slurm's queue is over."""
        future = self._threads.submit(self._do, job)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def close(self) -> None:
        """Cancel the jobs in Slurm's queue, and wait until those under way are saved."""
        with self._lock:
            self._closed = True
            submissions = tuple(self._submissions)
        for submission in submissions:
            submission.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)
        wait(tuple(self._futures), timeout=self._settings.grace)
        for submission in tuple(self._submissions):
            submission.kill()
        self._threads.shutdown(wait=True)

    def _do(self, job: Job) -> dict[str, Any]:
        with self._lock:
            if self._closed:
                raise BrokenExecutor("the executor is closed")
            submission = Submission.begin(job, self._settings, self._logs(job))
            self._submissions.append(submission)
        try:
            answer = submission.wait()
        finally:
            with self._lock:
                self._submissions.remove(submission)
        if answer is None:
            raise BrokenExecutor(submission.death())
        submission.remove()
        return job.result(answer, closed=self._closed)

    def _logs(self, job: Job) -> Path:
        """Return the folder for logs of a job."""
        if self._settings.logs is not None:
            return self._settings.logs.absolute()
        folder = Path(job.folder)
        return folder / LOGS if folder.is_dir() else Path(mkdtemp(prefix="nascore-slurm-"))


def _block_interrupts() -> None:
    """Block SIGINT in this thread and in the processes that it starts: Ctrl-C is for the driver alone."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
