"""The jobs of a wave: done through the executor of the run, and handed over in their order."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import Factory, asdict, define, frozen

from nascore.contract import Job as ExecutorJob
from nascore.description import dump
from nascore.engine.growth_jobs import DO_JOB, GrowthJobs
from nascore.engine.job_follower import JobFollower
from nascore.engine.job_queue import JobQueue, LocalJob, Outcome, QueuedJob
from nascore.engine.jobs import progress_of
from nascore.files import CHECKSUMS
from nascore.run import CHANGES, JOBS, RESULT, begin_job, collect, is_file, job_path, lines_of, open_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nascore.contract import Executor, GrowthPolicy
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.jobs import Job
    from nascore.engine.run_context import RunContext
    from nascore.nn import Network
    from nascore.run import JobFolder

FAILED = "job failed"
"""Name of the event in `changes.jsonl`."""


@frozen(kw_only=True)
class EndedJob:
    """A job that is over, whether it succeeded or failed.

    Attributes:
        progress: The job with its result.
        network: Its network if this process trained it; None: it is in the folder of the job.
        new: Whether it ended after the run began, or was resumed.
    """

    progress: JobProgress
    network: Network | None = None
    new: bool = True


@define(kw_only=True)
class WaveJobs:
    """Does the jobs of waves.

    Attributes:
        context: The run.
        executor: Does the jobs.
        local: Does the jobs of an executor that works in this process; None: other processes do them.
        follower: Tells observers of the jobs of other processes.
    """

    context: RunContext
    executor: Executor
    local: GrowthJobs | None
    follower: JobFollower
    _ended: dict[int, EndedJob] = Factory(dict)
    _failed: set[str] = Factory(set)

    @classmethod
    def of(cls, context: RunContext, policy: GrowthPolicy, executor: Executor) -> WaveJobs:
        """Return the object that runs the jobs of each wave of a run."""
        changes = lines_of(context.folder / CHANGES) if context.folder.resumed else ()
        return cls(
            context=context,
            executor=executor,
            local=GrowthJobs.of(context, policy) if executor.in_process else None,
            follower=JobFollower(context.observers),
            failed={str(line["job"]) for line in changes if line.get("event") == FAILED},
        )

    def do_all(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, EndedJob]]:
        """Do all jobs of a wave that are not over; yield each in order when all before it are over.

        Raises:
            BudgetSpentError: The budget is spent.
            KeyboardInterrupt: A stop was requested.
            NascoreError: The cause makes every job fail.
        """
        left = deque(jobs)
        queue = JobQueue(
            executor=self.executor,
            control=self.context.control,
            make=self._job,
            waiting=[self._queued(job) for job in jobs if not self._was_over(job)],
            follow=None if self.executor.in_process else lambda: self._follow(left),
        )
        yield from self._next_ended(left)
        for queued, outcome in queue.outcomes(self._begin):
            if outcome.status == "interrupted":
                self._record_death(queued.work, outcome)
            elif outcome.status != "stopped":
                self._end(queued.work, outcome)
                yield from self._next_ended(left)

    def report_failed(self, name: str, error: str) -> None:
        """Write the failure of a job to the log and the changes of the run, unless they have it."""
        if name not in self._failed:
            self._failed.add(name)
            self.context.folder.log(f"job {name} failed: {error}")
            self.context.folder.change(FAILED, job=name, error=error)

    def _queued(self, job: Job) -> QueuedJob[Job]:
        return QueuedJob(number=job.number, work=job, threads=self.context.recipe.run.threads, jobs=1)

    def _path(self, job: Job) -> Path:
        return job_path(self.context.folder.path, job.number, job.kind)

    def _was_over(self, job: Job) -> bool:
        """Return whether a job was over when the run was resumed; it is then among those that ended."""
        if not self.context.folder.resumed or not is_file(self._path(job) / RESULT):
            return False
        progress = progress_of(open_job(self._path(job)), job.number, self.context.control)
        self._ended[job.number] = EndedJob(progress=progress, new=False)
        return True

    def _begin(self, queued: QueuedJob[Job]) -> None:
        """Write all that another process needs for a job into its folder."""
        if self.local is None:
            self._folder(queued.work).close()

    def _folder(self, job: Job) -> JobFolder:
        """Return the folder of a job with its facts and its description."""
        facts, documents = job.facts(self.context.recipe), {job.document: dump(job.description)}
        return begin_job(self.context.folder, job.number, job.kind, facts, documents)

    def _job(self, queued: QueuedJob[Job]) -> ExecutorJob:
        """Return a job as the executor takes it."""
        path, control = str(self.context.folder.path), self.context.control
        if self.local is not None:
            do = partial(self._do, self.local, queued.work)
            return LocalJob(function="", folder=path, number=queued.number, do=do)
        return ExecutorJob(
            function=DO_JOB,
            folder=path,
            number=queued.number,
            threads=queued.threads,
            settings={
                "every": control.every,
                "budget": None if queued.share is None else asdict(queued.share),
                "on_nan": control.on_nan,
                "plugins": self.context.plugins.plain(),
                "accepted": list(self.context.accepted),
            },
            reads=queued.work.reads,
            writes=f"{JOBS}/{self._path(queued.work).name}",
        )

    def _do(self, local: GrowthJobs, job: Job) -> dict[str, Any]:
        """Do a job in this process."""
        progress = progress_of(self._folder(job), job.number, self.context.control)
        self.context.observers.notify("job_started", progress.name, job.number, job.jobs)
        network = local.do(job, progress)
        self._ended[job.number] = EndedJob(progress=progress, network=network)
        return asdict(Outcome(status="failed" if network is None else "done"))

    def _end(self, job: Job, outcome: Outcome) -> None:
        """Take over a job that is over: its folder has its result, unless its worker could not write it."""
        if job.number in self._ended:
            return  # it was done in this process
        progress = progress_of(open_job(self._path(job)), job.number, self.context.control)
        if progress.result is None:
            progress.finish({"status": "failed", "error": outcome.error})
        self._ended[job.number] = EndedJob(progress=progress)

    def _next_ended(self, left: deque[Job]) -> Iterator[tuple[Job, EndedJob]]:
        """Yield the jobs that are over, up to the first one that is not."""
        while left and left[0].number in self._ended:
            job = left.popleft()
            yield job, self._taken(job)  # not in a variable here: its network need not stay in memory

    def _taken(self, job: Job) -> EndedJob:
        """Return a job that is over, after its lines were added to the files of the run."""
        ended = self._ended.pop(job.number)
        if self.local is None and ended.new:
            self.follower.begin(self._path(job), job.number, job.jobs)
            self.follower.poll()
        if (self.local is None or not ended.new) and job.number > self.context.folder.collected:
            collect(self.context.folder, ended.progress.folder)
        return ended

    def _follow(self, left: deque[Job]) -> None:
        """Tell observers how far the first job is that is not recorded."""
        if left and is_file(self._path(left[0]) / CHECKSUMS):
            self.follower.begin(self._path(left[0]), left[0].number, left[0].jobs)
            self.follower.poll()

    def _record_death(self, job: Job, outcome: Outcome) -> None:
        name = self._path(job).name
        self.context.folder.log(f"job {name} is done again: {outcome.error}")
        self.context.folder.change("worker died", job=name, error=outcome.error)
