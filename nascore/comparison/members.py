"""The runs that a comparison speaks of: those that were named, and those inside a comparison's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.comparison.plan import SEARCH, read_plan
from nascore.comparison.sample import sample_of
from nascore.run import COMPARISON, RECIPE, is_file, refuse_newer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.comparison.plan import Planned
    from nascore.comparison.sample import Sample


@frozen(kw_only=True)
class Gathered:
    """What was found where somebody pointed.

    Attributes:
        samples: The runs.
        slots: The slots that were meant to be compared; empty where that is not known.
        missing: Jobs of comparisons that were never begun.
        unfinished: Comparisons that were stopped, or are still under way.
    """

    samples: tuple[Sample, ...]
    slots: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()


def gathered(paths: Sequence[Path]) -> Gathered:
    """Read the runs at some paths.

    Args:
        paths: Folders of runs, and of comparisons, which stand for all runs in them.

    Raises:
        RunFolderError: One of them is no run, or cannot be read.
    """
    alone = len(paths) == 1
    found = [
        _inside(path, "" if alone else f"{path}/") if is_comparison(path) else _one(path) for path in paths
    ]
    return Gathered(
        samples=tuple(sample for one in found for sample in one.samples),
        slots=tuple(dict.fromkeys(slot for one in found for slot in one.slots)),
        missing=tuple(name for one in found for name in one.missing),
        unfinished=tuple(name for one in found for name in one.unfinished),
    )


def is_comparison(path: Path) -> bool:
    """Say whether a folder is that of a comparison."""
    return is_file(path / COMPARISON)


def _one(path: Path) -> Gathered:
    return Gathered(samples=(sample_of(path, name=str(path)),))


def _inside(path: Path, prefix: str) -> Gathered:
    refuse_newer(path)
    plan = read_plan(path)
    evaluations = {job.of: job for job in plan.jobs if job.of is not None}
    samples: list[Sample] = []
    missing: list[str] = []
    for job in plan.jobs:
        if not is_file(path / job.folder / RECIPE):
            missing.append(f"{prefix}{job.folder}")
        elif job.kind == SEARCH:
            sample = sample_of(path / job.folder, name=f"{prefix}{job.folder}")
            samples.append(_evaluated(sample, path, evaluations.get(job.folder), prefix))
    stopped = (str(path),) if missing else ()
    return Gathered(samples=tuple(samples), slots=plan.slots, missing=tuple(missing), unfinished=stopped)


def _evaluated(sample: Sample, path: Path, job: Planned | None, prefix: str) -> Sample:
    """Add what the evaluation of a search's architecture says, and by which recipe it was made."""
    if job is None or not is_file(path / job.folder / RECIPE):
        return sample
    found = sample_of(path / job.folder, name=f"{prefix}{job.folder}")
    training = {
        f"evaluate.{at}": value
        for at, value in found.recipe.items()
        if at.startswith(("training.", "dataset"))
    }
    return evolve(
        sample,
        recipe={**sample.recipe, **training},
        measured={**sample.measured, **found.measured},
        error=sample.error or found.error,
    )
