"""Reads the progress of a run from its folder alone, whichever process or machine does the run."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.run import (
    COMPARISON,
    JOBS,
    METRICS,
    RECIPE,
    RESULT,
    RUNNING,
    Record,
    comparison_record,
    is_file,
    read,
)
from nascore.run.lock import age_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TAIL: Final = 1 << 16
"""Bytes at the end of `metrics.jsonl` that are read: more than a line has."""

_FIGURES: Final = ("validation_accuracy", "accuracy")


@frozen(kw_only=True)
class Progress:
    """The progress of a run.

    Attributes:
        path: The folder of the run.
        status: `running`, `done`, `failed`, `interrupted`, `stopped`, or `killed`.
        by_age: Whether `running` or `killed` is judged by the age of the last line, since the run is on
            another machine or its lock cannot be tested.
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
    by_age: bool = False
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
    whole = record if current == path else comparison_record(path)
    # A run that is over has a checksum of its lines; of one under way the last whole line counts.
    last = _last_epoch(current) if record.result is None else next(reversed(record.metrics()), {})
    gallery = record.gallery
    return Progress(
        path=current,
        status=whole.status,
        by_age=whole.activity is not None and whole.activity.by_age,
        job=last.get("job"),
        phase=last.get("phase", ""),
        epoch=last.get("epoch", -1) + 1,
        epochs=last.get("epochs", 0),
        loss=last.get("loss"),
        accuracy=next((last[name] for name in _FIGURES if last.get(name) is not None), None),
        gallery=len(gallery),
        best=gallery.best.accuracy if gallery else None,
        age=age_of(current),
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
    return comparison_record(path) if is_file(path / COMPARISON) else read(path)


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
