"""A growth run: an outer loop over closed architectures, each of which is trained and measured by a job.

It goes in waves. The first wave trains the seeds of the policy; the policies that there are so far end there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.engine.jobs import Job, result_of, train_job
from nascore.engine.seeds import remark_of
from nascore.errors import Problem, RunFailed
from nascore.gallery import Gallery
from nascore.run import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.engine.build import Live, Parts

FIRST_WAVE: Final = 1
"""The wave of the seeds."""


def grow(live: Live, parts: Parts) -> Iterator[dict[str, Any]]:
    """Run a growth run to its end; yields after each job what the run's result says so far.

    Nothing is trained on the images that architectures are measured on. A job that fails is recorded, and the
    run goes on without it.

    Raises:
        RunFailed: No job came to its end.
    """
    policy, seeds = live.recipe.part("growth").name, parts.seeds
    live.folder.log(f"{policy}: architectures to begin with: {len(seeds)}")
    if remark := remark_of(live.recipe, parts.growth, seeds):
        live.folder.log(f"{policy}: {remark}")
    jobs = [
        Job(number=number, jobs=len(seeds), entry=number, description=seed, wave=FIRST_WAVE)
        for number, seed in enumerate(seeds, start=1)
    ]
    yield from _wave(live, jobs)


def _wave(live: Live, jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
    fit, held = live.fit_and_validation()
    gallery, failures = Gallery(), list[RunFailed]()
    for job in jobs:
        try:
            gallery = train_job(live, job, gallery, fit=fit, held=held)
        except RunFailed as error:
            _record(live, job, error)
            failures.append(error)
        if gallery:
            yield {**result_of(gallery), "jobs": {"done": len(gallery), "failed": len(failures)}}
    if not gallery:
        text = f"all {len(jobs)} architectures failed; the first of them:"
        raise RunFailed([Problem(path="", text=text), *failures[0].problems])


def _record(live: Live, job: Job, error: RunFailed) -> None:
    """Write down that a job failed: in its folder, in the log, and among what cannot be undone."""
    live.folder.log(f"job {job.name} failed: {error}")
    live.folder.change("job failed", job=job.name, error=str(error))
    result = {"status": "failed", "error": str(error)}
    RunFolder(live.folder / f"jobs/{job.name}").finish(result)
    live.watch.tell("job_finished", job.name, result)
