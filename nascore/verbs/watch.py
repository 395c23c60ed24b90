"""Reads the progress of a run from its folder alone, whichever process or machine does the run."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from time import time
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.run import COMPARISON, JOBS, LOG, METRICS, RECIPE, RESULT, Record, is_file, read, read_result
from nascore.run.lock import LOCK, is_held

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUNNING: Final = "running"

FRESH: Final = 120.0
"""Age in seconds below which the last line shows that a process does the run."""

TAIL: Final = 1 << 16
"""Bytes at the end of `metrics.jsonl` that are read: more than a line has."""

_FIGURES: Final = ("validation_accuracy", "accuracy")


@frozen(kw_only=True)
class Progress:
    """The progress of a run.

    Attributes:
        path: The folder of the run.
        status: `running`, or the status of the run: `done`, `failed`, `interrupted`, `stopped`, or
            `unfinished` if it was killed.
        job: Number of the current job; None before the first epoch.
        phase: Its phase; empty before the first epoch.
        epoch: Number of epochs of the phase that are done.
        epochs: Number of epochs of the phase.
        loss: Mean loss of the last epoch; None before the first epoch.
        accuracy: Accuracy of the last epoch on validation images, or else on training images.
        gallery: Number of architectures found.
        best: Validation accuracy of the best of them; None: there is none.
        age: Seconds since the last line of `metrics.jsonl`, or since the run began; never negative.
        error: The error of a run that failed.
    """

    path: Path
    status: str
    job: int | None = None
    phase: str = ""
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    accuracy: float | None = None
    gallery: int = 0
    best: float | None = None
    age: float = 0.0
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether no process does the run any more."""
        return self.status != RUNNING


def progress_of(path: Path) -> Progress:
    """Return the progress of a run; of a comparison, that of its current run.

    Raises:
        RunFolderError: The folder is not a run, or one of its files cannot be read.
    """
    current = _current(path)
    record = _record(current)
    status = _status(path, record if current == path else Record(path=path, result=read_result(path)))
    # A run that is over has a checksum of its lines; of one under way the last whole line counts.
    last = _last_epoch(current) if record.result is None else next(reversed(record.metrics()), {})
    gallery = record.gallery
    return Progress(
        path=current,
        status=status,
        job=last.get("job"),
        phase=last.get("phase", ""),
        epoch=last.get("epoch", -1) + 1,
        epochs=last.get("epochs", 0),
        loss=last.get("loss"),
        accuracy=next((last[name] for name in _FIGURES if last.get(name) is not None), None),
        gallery=len(gallery),
        best=gallery.best.accuracy if gallery else None,
        age=_age(current),
        error=str((record.result or {}).get("error", "")),
    )


def _current(path: Path) -> Path:
    """Return the run of a comparison that is under way, or its last one; a single run itself."""
    if not is_file(path / COMPARISON):
        return path
    runs = sorted(run.parent for run in (path / JOBS).glob(f"*/{RECIPE}"))
    under_way = [run for run in runs if not is_file(run / RESULT)]
    return next(iter((*under_way, *reversed(runs))), path)


def _record(path: Path) -> Record:
    """Return a run; a comparison whose first run has not begun has no figures yet."""
    return Record(path=path, result=read_result(path)) if is_file(path / COMPARISON) else read(path)


def _status(path: Path, record: Record) -> str:
    if record.result is not None:
        return record.status
    # Of a process on another machine this one may not see the lock: then a fresh line counts.
    there = (path / LOCK).exists() and _age(path) < FRESH
    return RUNNING if there or is_held(path) else record.status


def _last_epoch(path: Path) -> Mapping[str, Any]:
    """Return the last whole line of `metrics.jsonl`; empty if there is none."""
    try:
        with (path / METRICS).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().split(b"\n")[:-1]
        last: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    except (OSError, ValueError):
        return {}
    return last


def _age(path: Path) -> float:
    """Return the seconds since a run wrote its last line; 0 if the clocks of two machines disagree."""
    times = []
    for name in (METRICS, LOG, COMPARISON):
        with suppress(OSError):
            times.append((path / name).stat().st_mtime)
    return max(0.0, time() - max(times, default=time()))
