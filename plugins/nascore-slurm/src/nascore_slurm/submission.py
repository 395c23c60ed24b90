"""One job in the queue of Slurm, submitted and watched through submitit."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from math import ceil
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from attrs import define, field

from nascore_slurm.task import do_task

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.api import Job
    from nascore_slurm.settings import SlurmSettings

FIRST_POLL: Final = 0.02
LONGEST_POLL: Final = 1.0
ASK_EVERY: Final = 30.0
"""Seconds between two polls of the state of a job."""

PATIENCE: Final = 15.0
"""Seconds after the end of a job in which its answer may appear on a network file system."""

SUBMITTED: Final = "_submitted.pkl"
"""End of the name of submitit's file of a job."""

LAST_LINES: Final = 3
"""Lines of stderr that the error of a job that died quotes."""


@define
class Submission:
    """A job in the queue of Slurm.

    Attributes:
        local: Whether it runs in processes of this machine instead.
    """

    local: bool
    _logs: Path
    _answer: Path
    _job: Any
    _asked: float = field(factory=monotonic)

    @classmethod
    def begin(cls, job: Job, settings: SlurmSettings, logs: Path) -> Submission:
        """Submit a job.

        Args:
            job: The job.
            settings: The settings of the executor.
            logs: Folder for the files of submitit.
        """
        os.environ.setdefault("SUBMITIT_LOG_LEVEL", "ERROR")
        import submitit  # noqa: PLC0415 - its import takes time, and the executor may not be used

        local = settings.cluster == "local"
        answer = logs / f"{uuid4().hex}.json"
        executor = submitit.AutoExecutor(folder=logs, cluster=settings.cluster)
        executor.update_parameters(**parameters(settings, job))
        submitted = executor.submit(do_task, job.plain(), str(answer), os.getpid() if local else None)
        return cls(local, logs, answer, submitted)

    def wait(self) -> dict[str, Any] | None:
        """Wait for the end of the job; returns its answer, or None if it died."""
        pause = FIRST_POLL
        while not self._answer.exists() and not self._is_over():
            sleep(pause)
            pause = min(1.5 * pause, LONGEST_POLL)
        if not self._appears(self._answer):
            return None
        self._appears(self._job.paths.result_pickle)  # the last file that the job writes
        while self.local and not self._job.done():
            sleep(FIRST_POLL)
        answer: dict[str, Any] = json.loads(self._answer.read_text(encoding="utf-8"))
        return answer

    def stop(self) -> None:
        """Ask the job to save itself and to end."""
        if self.local:
            self._signal(signal.SIGTERM)
        else:
            self._job.cancel(check=False)

    def kill(self) -> None:
        """End the job at once; Slurm itself kills a job that it was told to cancel."""
        if self.local:
            self._signal(signal.SIGKILL)

    def remove(self) -> None:
        """Remove the files of a job that is over, and the folder for logs if it is empty."""
        for path in (*self._logs.glob(f"{self._job.job_id}_*"), self._answer):
            path.unlink(missing_ok=True)
        for link in self._logs.glob(".submission_file_*"):  # to the file that sbatch got
            if not link.exists():
                link.unlink()
        with suppress(OSError):
            self._logs.rmdir()

    def death(self) -> str:
        """Return a sentence about the end of a job that died, with its last words; its logs stay."""
        self._job.paths.submitted_pickle.unlink(missing_ok=True)
        state = "" if self.local else f" with the state {self._job.state}"
        lines = (self._job.stderr() or "").strip().splitlines()[-LAST_LINES:]
        return "; ".join([f"its job {self._job.job_id} ended{state}", *map(str.strip, lines)])

    def _appears(self, file: Path) -> bool:
        """Return whether a file is there, after waiting for a network file system that is late."""
        end = monotonic() + PATIENCE
        while not file.exists() and not (self.local and self._job.done()) and monotonic() < end:
            sleep(FIRST_POLL)
        return file.exists()

    def _is_over(self) -> bool:
        if self.local:
            return bool(self._job.done())
        ask = monotonic() - self._asked > ASK_EVERY
        if ask:
            self._asked = monotonic()
        return bool(self._job.watcher.is_done(self._job.job_id, mode="force" if ask else "standard"))

    def _signal(self, number: int) -> None:
        """Signal the process of submitit that controls a local job; it passes SIGTERM on."""
        if not self._job.done():
            os.kill(int(self._job.job_id), number)


def cancel_left(logs: Path, patience: float) -> None:
    """Cancel the jobs that an earlier driver, which was killed, left in the queue of Slurm.

    Args:
        logs: The folder for logs, where a job that is not over has a file.
        patience: Seconds to wait for their ends.
    """
    import submitit  # noqa: PLC0415 - as above

    jobs = [submitit.SlurmJob(logs, path.name.removesuffix(SUBMITTED)) for path in logs.glob(f"*{SUBMITTED}")]
    for job in jobs:
        job.cancel(check=False)
    end = monotonic() + patience
    while jobs and monotonic() < end:
        jobs = [job for job in jobs if not job.watcher.is_done(job.job_id, mode="force")]
        sleep(LONGEST_POLL if jobs else 0)
    for path in logs.glob(f"*{SUBMITTED}"):
        path.unlink(missing_ok=True)


def parameters(settings: SlurmSettings, job: Job) -> dict[str, Any]:
    """Return the parameters of submitit for a job."""
    options = dict(_option(text) for text in settings.options)
    return {
        "name": f"nascore-{job.number}",
        "timeout_min": ceil(settings.time / 60),
        "cpus_per_task": settings.cpus or job.threads,
        "gpus_per_node": settings.gpus or None,
        "mem_gb": settings.memory,
        "slurm_partition": settings.partition,
        # The engine decides whether a job is done again.
        "slurm_additional_parameters": {"no-requeue": True, **options},
    }


def _option(text: str) -> tuple[str, str | bool]:
    name, equals, value = text.partition("=")
    return name.strip().removeprefix("--"), value.strip() if equals else True
