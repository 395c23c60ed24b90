"""The executor: submits jobs to Slurm, and waits for each in a thread."""

from __future__ import annotations

import signal
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor, wait
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from nascore_slurm.submission import Submission, cancel_left

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
        self._swept: set[Path] = set()
        self._apart: Path | None = None
        self._closed = False

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Submit a job to Slurm, or queue it until one of those in Slurm's queue is over."""
        logs = self._logs(job)
        if logs not in self._swept:
            self._swept.add(logs)
            if self._settings.cluster == "slurm":  # jobs on this machine end with their driver
                cancel_left(logs, self._settings.grace)
        future = self._threads.submit(self._do, job, logs)
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
        if self._apart is not None:
            rmtree(self._apart, ignore_errors=True)

    def _do(self, job: Job, logs: Path) -> dict[str, Any]:
        with self._lock:
            if self._closed:
                raise BrokenExecutor("the executor is closed")
            submission = Submission.begin(job, self._settings, logs)
            self._submissions.append(submission)
        try:
            answer = submission.wait()
        finally:
            with self._lock:
                self._submissions.remove(submission)
        if answer is None:
            raise BrokenExecutor(submission.death())
        with self._lock:  # no other job begins while the folder is removed
            submission.remove()
        return job.result(answer, closed=self._closed)

    def _logs(self, job: Job) -> Path:
        """Return the folder for logs of a job, which belongs to its run alone."""
        if not Path(job.folder).is_dir():  # a job that needs none
            self._apart = self._apart or Path(mkdtemp(prefix="nascore-slurm-"))
            return self._apart / LOGS
        if self._settings.logs is None:
            return Path(job.folder) / LOGS
        digest = sha256(job.folder.encode()).hexdigest()[:8]
        return self._settings.logs.absolute() / f"{Path(job.folder).name}-{digest}"


def _block_interrupts() -> None:
    """Block SIGINT in this thread and in the processes that it starts: Ctrl-C is for the driver alone."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
