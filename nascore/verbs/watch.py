"""Reads the progress of a run from its folder alone, whichever process or machine does the run."""

from __future__ import annotations

import json
import os
from collections import Counter
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.comparison import is_comparison, read_plan
from nascore.errors import RunFolderError
from nascore.files import given_path
from nascore.gallery import ACCURACY, metric_of
from nascore.run import (
    JOB,
    JOBS,
    METRICS,
    RECIPE,
    RESULT,
    RUNNING,
    comparison_record,
    is_file,
    read,
    read_result,
)
from nascore.run.lock import age_of
from nascore.verbs.runs import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from nascore.comparison import Planned
    from nascore.gallery import Metric
    from nascore.run import Record

WAITING: Final = "waiting"
"""The status of a job of a comparison that has not begun."""

PERIOD: Final = 1.0
"""Seconds between two readings of the folder."""

RETRIES: Final = 3
"""Readings in a row that may fail while the run replaces its files."""

TAIL: Final = 1 << 16
"""Bytes at the end of `metrics.jsonl` that are read: more than a line has."""


@frozen(kw_only=True)
class Progress:
    """The progress of a run, or of a comparison and its jobs.

    Attributes:
        path: The folder of the run.
        status: `running`, `done`, `failed`, `interrupted`, `stopped`, or `killed`; for a job of a comparison
            also `waiting`.
        by_age: Whether `running` or `killed` is judged by the age of the last line, since the run is on
            another machine or its lock cannot be tested.
        job: Number of the job with the latest epoch; None before the first epoch, and for a comparison.
        phase: Its phase; empty before the first epoch.
        epoch: Number of epochs of the phase that are done.
        epochs: Number of epochs of the phase.
        loss: Mean loss of the last epoch; None before the first epoch.
        accuracy: Accuracy of the last epoch on validation images, or else on training images; with another
            metric its value.
        gallery: Number of architectures found.
        best: Score of the best of them on validation images; None: there is none.
        under_way: Numbers of the jobs of a run that have begun and are not over.
        age: Seconds since the last line of `metrics.jsonl`, or since the run began; never negative.
        error: The error of a run that failed.
        jobs: The searches and evaluations of a comparison in their order; empty for a single run.
        metric: The metric of `accuracy` and `best`.
    """

    path: Path
    status: str
    by_age: bool = False
    job: int | None = None
    phase: str = ""
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    accuracy: float | None = None
    gallery: int = 0
    best: float | None = None
    under_way: tuple[int, ...] = ()
    age: float = 0.0
    error: str = ""
    jobs: tuple[Progress, ...] = ()
    metric: Metric = ACCURACY

    @property
    def ended(self) -> bool:
        """Whether no process does the run any more."""
        return self.status != RUNNING

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of jobs of a comparison by status."""
        return Counter(job.status for job in self.jobs)


def watch(run: str | Path | Run, *, period: float = PERIOD) -> Iterator[Progress]:
    """Yield the progress of a run or a comparison now and after each change, until it ends.

    Only its folder is read, so the run may belong to another process or another machine.

    Args:
        run: The run, or its folder.
        period: Seconds between two readings of the folder.

    Raises:
        RunFolderError: The folder is not a run, or several readings in a row failed.
    """
    path = run.path if isinstance(run, Run) else given_path(run)
    before, failed = None, 0
    while True:
        try:
            now = progress_of(path)
        except RunFolderError:
            failed += 1
            if before is None or failed == RETRIES:
                raise
            sleep(period)
            continue
        failed = 0
        if before is None or _without_ages(now) != _without_ages(before):
            yield now
        before = now
        if now.ended:
            return
        sleep(period)


def _without_ages(progress: Progress) -> Progress:
    return evolve(progress, age=0.0, jobs=tuple(map(_without_ages, progress.jobs)))


def progress_of(path: Path) -> Progress:
    """Return the present progress of a run or a comparison.

    Raises:
        RunFolderError: The folder is not a run, or one of its files cannot be read.
    """
    if not is_comparison(path):
        return _of_run(read(path))
    record = comparison_record(path)
    jobs = tuple(_of_job(path, job) for job in read_plan(path).jobs)
    return evolve(_of_record(record), age=age_of(path), jobs=jobs)


def _of_job(path: Path, job: Planned) -> Progress:
    """Return the progress of a job of a comparison; a finished job has no figures but its score."""
    folder = path / job.folder
    if not is_file(folder / RECIPE):
        return Progress(path=folder, status=WAITING)
    result = read_result(folder)
    if result is None:
        return _of_run(read(folder))
    metric = metric_of(result)
    keys = (metric.key("test"), metric.key("validation"))
    return Progress(
        path=folder,
        status=str(result.get("status", "done")),
        metric=metric,
        accuracy=next((result[name] for name in keys if name in result), None),
        error=str(result.get("error", "")),
    )


def _of_run(record: Record) -> Progress:
    over = record.result is not None
    under_way = [] if over else _under_way(record.path)
    # A run that is over has a checksum of its lines; of one under way the last whole line counts.
    last = next(reversed(record.metrics()), {}) if over else _last_epoch(record.path, under_way)
    gallery, metric = record.gallery, metric_of(last)
    keys = (metric.key("validation"), metric.name)
    return evolve(
        _of_record(record),
        job=last.get("job"),
        phase=last.get("phase", ""),
        epoch=last.get("epoch", -1) + 1,
        epochs=last.get("epochs", 0),
        loss=last.get("loss"),
        metric=metric,
        accuracy=next((last[name] for name in keys if last.get(name) is not None), None),
        gallery=len(gallery),
        best=gallery.best.score if gallery else None,
        under_way=tuple(int(job.name.partition("-")[0]) for job in under_way),
        age=age_of(record.path),
    )


def _of_record(record: Record) -> Progress:
    return Progress(
        path=record.path,
        status=record.status,
        by_age=record.activity is not None and record.activity.by_age,
        error=str((record.result or {}).get("error", "")),
    )


def _under_way(path: Path) -> list[Path]:
    """Return the folders of the jobs that have begun and are not over, in their order."""
    try:
        jobs = sorted((path / JOBS).iterdir())
    except OSError:
        return []
    return [job for job in jobs if is_file(job / JOB) and not is_file(job / RESULT)]


def _last_epoch(path: Path, under_way: Iterable[Path]) -> Mapping[str, Any]:
    """Return the latest whole line of a run's metrics, or of the jobs that are under way; empty if none.

    The lines of jobs that other processes do are added to those of the run when the jobs are over.
    """
    files = sorted((job / METRICS for job in under_way), key=_written, reverse=True)
    return next(filter(None, map(_last_line, (*files, path / METRICS))), {})


def _last_line(file: Path) -> Mapping[str, Any]:
    """Return the last whole line of a file; empty if there is none."""
    try:
        with file.open("rb") as lines:
            lines.seek(max(0, lines.seek(0, os.SEEK_END) - TAIL))
            whole = lines.read().split(b"\n")[:-1]
        last: dict[str, Any] = json.loads(whole[-1]) if whole else {}
    except (OSError, ValueError):
        return {}
    return last


def _written(file: Path) -> float:
    """Return the time at which a file was written last; 0 if it is missing."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
