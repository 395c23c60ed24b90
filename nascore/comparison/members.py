"""The runs that a comparison speaks of: those that were named, and those inside a comparison's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from nascore.comparison.plan import SEARCH, read_plan
from nascore.comparison.sample import sample_of
from nascore.run import CHANGE_SCHEMA, CHANGES, COMPARISON, RECIPE, checked, is_file, lines_of, refuse_newer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nascore.comparison.flat import Flat
    from nascore.comparison.sample import Sample


@frozen(kw_only=True)
class Gathered:
    """What was found where somebody pointed.

    Attributes:
        samples: The runs.
        slots: The slots that were meant to be compared; empty where that is not known.
        missing: Jobs of comparisons that were never begun.
    """

    samples: tuple[Sample, ...]
    slots: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


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
    )


def is_comparison(path: Path) -> bool:
    """Say whether a folder is that of a comparison."""
    return is_file(path / COMPARISON)


def _one(path: Path) -> Gathered:
    return Gathered(samples=(sample_of(path, name=str(path)),))


def _inside(path: Path, prefix: str) -> Gathered:
    refuse_newer(path)
    plan = read_plan(path)
    evaluations = {job.of: job.folder for job in plan.jobs if job.of is not None}
    begun = [job for job in plan.jobs if is_file(path / job.folder / RECIPE)]
    tested = {
        job.folder: sample_of(path / job.folder, name=f"{prefix}{job.folder}")
        for job in begun
        if job.kind != SEARCH
    }
    training = _training(tested.values())
    failures = _failures(path)
    samples = [
        _evaluated(
            sample_of(path / job.folder, name=f"{prefix}{job.folder}"),
            tested.get(evaluations.get(job.folder, "")),
            training,
            failure=failures.get(evaluations.get(job.folder, "")),
            planned=job.folder in evaluations,
        )
        for job in begun
        if job.kind == SEARCH
    ]
    missing = tuple(
        f"{prefix}{job.folder}" for job in plan.jobs if job not in begun and job.folder not in failures
    )
    return Gathered(samples=tuple(samples), slots=plan.slots, missing=missing)


def _training(evaluations: Iterable[Sample]) -> Flat:
    """Return how the evaluations of one comparison train: by one recipe, so that one of them says it.

    It belongs to searches too whose evaluation failed or has not begun: they are still of the same row.
    """
    first = next(iter(evaluations), None)
    recipe = {} if first is None else first.recipe
    return {f"evaluate.{at}": value for at, value in recipe.items() if at.startswith("training.")}


def _failures(path: Path) -> dict[str, str]:
    """Return why jobs of a comparison failed, by their folder; one may have failed before it had any file."""
    file, found = path / CHANGES, {}
    for number, line in enumerate(lines_of(file) if is_file(file) else (), start=1):
        checked(line, CHANGE_SCHEMA, f"{file}, line {number}", ("event",))
        if line["event"] == "job failed":
            found[line.get("job", "")] = line.get("error", "")
    return found


def _evaluated(
    sample: Sample, evaluation: Sample | None, training: Flat, *, planned: bool, failure: str | None
) -> Sample:
    """Add to a search what the evaluation of its architecture says, and how it trained."""
    sample = evolve(sample, recipe={**sample.recipe, **training}, evaluation="missing" if planned else "")
    if failure is not None:
        return evolve(sample, error=sample.error or failure, evaluation="failed")
    if evaluation is None:
        return sample
    return evolve(
        sample,
        measured={**sample.measured, **evaluation.measured},
        error=sample.error or evaluation.error,
        evaluation=evaluation.status,
    )
