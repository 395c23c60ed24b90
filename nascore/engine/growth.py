"""A growth run: the outer loop over closed architectures, each trained and measured by a job.

Jobs come in waves. The policy proposes each wave from the gallery at the end of the wave before. The jobs of
a wave do not depend on each other, so an executor may do several at once; their results enter the gallery in
the order of the jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define

from nascore.contract import History
from nascore.description import fingerprint
from nascore.engine.derive import ZERO, prepared, zero_graphs
from nascore.engine.executors import build_executor
from nascore.engine.growth_jobs import description_of
from nascore.engine.jobs import Job, figures_of, record_job, result_of
from nascore.engine.proposals import FIRST_WAVE, growth_remark, space_with, wave_proposals
from nascore.engine.wave_jobs import WaveJobs
from nascore.errors import PluginError, Problem, RecipeError, RunFailed
from nascore.gallery import Entry, Gallery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.contract import Proposal
    from nascore.description import Description
    from nascore.engine.factory import SearchParts
    from nascore.engine.run_context import RunContext
    from nascore.engine.wave_jobs import EndedJob


FRUITLESS: Final = 5
"""Number of consecutive waves without a new architecture after which a run ends."""


def grow(context: RunContext, parts: SearchParts) -> Iterator[dict[str, Any]]:
    """Run a growth run to its end; yields the result so far after each job.

    Nothing is trained on the validation images. A job that fails is recorded, and the run continues.

    Raises:
        RunFailed: Every job failed, or every job that grows a parent.
        PluginError: The policy raised an error, returned wrong proposals, or proposed an architecture that
            cannot be trained.
    """
    executor = build_executor(context.recipe)
    try:
        run = _GrowthRun(context=context, parts=parts, doer=WaveJobs.of(context, parts.growth, executor))
        yield from _waves(run)
    finally:
        executor.close()


def _waves(run: _GrowthRun) -> Iterator[dict[str, Any]]:
    context, parts = run.context, run.parts
    run.log_beginning()
    wave, fruitless, proposals = FIRST_WAVE, 0, parts.first
    while proposals:
        before = len(run.gallery)
        yield from run.wave(run.jobs_for(proposals, wave))
        if not run.gallery:
            raise run.nothing(f"all {run.jobs} architectures failed; the first of them:")
        fruitless = fruitless + 1 if len(run.gallery) == before else 0
        if fruitless == FRUITLESS:
            context.folder.log(f"the run ends here: {FRUITLESS} waves in a row made no architecture")
            break
        wave += 1
        proposals = run.proposals(wave)
    if parts.grows and run.failed and all(entry.parent is None for entry in run.gallery):
        text = f"nothing grew: {run.failed} of {run.jobs} jobs failed; the first of them:"
        raise run.nothing(text)


@define(kw_only=True)
class _GrowthRun:
    """A growth run in progress.

    Attributes:
        context: The run.
        parts: Its components.
        doer: Does the jobs of a wave.
        gallery: The architectures so far.
        jobs: Number of jobs that were started.
        failed: Number of jobs that failed.
        failures: Errors of the failed jobs, by name of the job.
        first: Problems of the first failed job.
        marks: Fingerprints of the closed descriptions of all jobs.
    """

    context: RunContext
    parts: SearchParts
    doer: WaveJobs
    gallery: Gallery = Factory(Gallery)
    jobs: int = 0
    failed: int = 0
    failures: dict[str, str] = Factory(dict)
    first: tuple[Problem, ...] = ()
    marks: set[str] = Factory(set)

    def log_beginning(self) -> None:
        """Write the initial architectures, with the policy's remark and warnings, to the log."""
        context, seeds = self.context, self.parts.seeds
        name = context.recipe.part("growth").name
        context.folder.log(f"{name}: initial architectures: {len(seeds)}")
        if remark := growth_remark(context.recipe, self.parts.growth, seeds):
            context.folder.log(f"{name}: {remark}")
        for number, seed in enumerate(seeds, start=1):
            for graph in zero_graphs(seed):
                context.warn(f"architecture {number}: {graph}: {ZERO}")
        auxiliary = context.recipe.training.auxiliary
        if self.parts.grows and auxiliary and all(seed.auxiliary is None for seed in seeds):
            context.folder.log("ranking.auxiliary has no effect: the architectures have no auxiliary head")

    def proposals(self, wave: int) -> tuple[Proposal, ...]:
        """Return the proposals of a later wave; none if the run is over."""
        context, parts = self.context, self.parts
        history = History(
            gallery=self.gallery,
            catalogue=context.catalogue,
            read=lambda entry: description_of(context, _job_folder(entry)),
            holds=lambda description: fingerprint(self._as_trained(description)) in self.marks,
            describe=space_with(context.recipe, context.catalogue, context.facts),
        )
        try:
            return wave_proposals(context.recipe, parts.growth, parts.description, history, wave)
        except PluginError:
            raise
        except RecipeError as error:
            context.folder.log(f"the run ends here: {error}")
            return ()

    def jobs_for(self, proposals: Sequence[Proposal], wave: int) -> list[Job]:
        """Return the jobs of the proposals of a wave."""
        jobs = [
            Job(
                number=number,
                jobs=max(self.jobs + len(proposals), self.planned) if wave == FIRST_WAVE else self.planned,
                entry=number,
                description=self._as_trained(proposal.description),
                wave=wave,
                parent=None if proposal.parent is None else proposal.parent.id,
                parent_folder=None if proposal.parent is None else _job_folder(proposal.parent),
                kind="grow" if proposal.description.is_open else "train",
                epochs=proposal.epochs,
                inherits=proposal.inherits,
                values=dict(proposal.values) or None,
            )
            for number, proposal in enumerate(proposals, start=self.jobs + 1)
        ]
        self.marks |= {fingerprint(job.description) for job in jobs if job.kind == "train"}
        return jobs

    def _as_trained(self, description: Description) -> Description:
        """Return a proposed description in the form in which it is trained; an open one is searched first."""
        # A child inherits the weights of its parent, so that all keep the size of the space.
        if self.parts.grows or description.is_open:
            return description
        return prepared(description, self.context.recipe.training, self.context.facts)

    @property
    def planned(self) -> int:
        """Number of architectures of a run of several waves, by the setting `count`; 0: unknown.

        If jobs fail, the run may have more jobs.
        """
        count = getattr(self.context.recipe.part("growth").settings, "count", None)
        return count if self.parts.second and isinstance(count, int) and count > self.jobs else 0

    def nothing(self, text: str) -> RunFailed:
        """Return the error of a run without a result, with the problems of its first failed job."""
        return RunFailed([Problem(path="", text=text), *self.first])

    def wave(self, jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
        """Do the jobs of a wave; yields the result so far after each, in the order of the jobs."""
        for job, ended in self.doer.do_all(jobs):
            self.jobs += 1
            self._record(job, ended)
            del ended  # its network must not stay in memory during the next job
            if self.gallery:
                done = {"done": len(self.gallery), "failed": self.failed}
                failures = {"failures": self.failures} if self.failures else {}
                yield {**result_of(self.gallery), "jobs": done, **failures}

    def _record(self, job: Job, ended: EndedJob) -> None:
        """Add the result of a job to the gallery, or count its failure."""
        progress = ended.progress
        result: dict[str, Any] = progress.result or {}
        for text in result.get("warnings", ()):
            self.context.warn(f"job {progress.name}: {text}")
        if "entry" in result:
            self.gallery = record_job(self.context, progress, self.gallery, ended.network)
            figures = figures_of(Entry.of(result["entry"]))
        else:
            self._count_failed(job, progress.name, result["error"])
            figures = result
        if ended.new:
            self.context.observers.notify("job_finished", progress.name, figures)

    def _count_failed(self, job: Job, name: str, error: str) -> None:
        """Count a failed job, and the failure of its parent in the gallery."""
        self.failed += 1
        self.first = self.first or (Problem(path="", text=error),)
        self.failures[name] = error
        self.doer.report_failed(name, error)
        if job.parent is not None:
            self.gallery = self.gallery.failed(job.parent)
            self.context.gallery.failed(self.gallery, job.parent)


def _job_folder(entry: Entry) -> str:
    """Return the folder of the job that trained an entry, within the folder of the run."""
    return str(entry.weights).rpartition("/")[0]
