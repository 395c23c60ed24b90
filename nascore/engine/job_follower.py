"""Tells observers of the jobs that other processes do, from the jobs' own files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attrs import define, field

from nascore.contract import EpochReport
from nascore.run import METRICS, is_file, whole_lines

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.engine.observers import Observers


@define
class JobFollower:
    """Follows one job after the other; observers get the events of a job together, without its steps.

    Attributes:
        observers: The observers of the run.
        name: Name of the folder of the job that is followed; empty: none is.
    """

    observers: Observers
    name: str = ""
    _file: Path | None = field(default=None, init=False)
    _size: int = field(default=0, init=False)
    _reported: int = field(default=0, init=False)
    _phase: str = field(default="", init=False)

    def begin(self, folder: Path, number: int, jobs: int) -> None:
        """Report the beginning of a job, unless it is followed already.

        Args:
            folder: The folder of the job.
            number: Its number, from 1.
            jobs: Number of jobs of the run; 0: unknown.
        """
        if folder.name != self.name:
            self.name, self._file, self._size, self._reported, self._phase = (
                folder.name,
                folder / METRICS,
                0,
                0,
                "",
            )
            self.observers.notify("job_started", self.name, number, jobs)

    def poll(self) -> None:
        """Report the epochs that were added to `metrics.jsonl` of the job.

        Epochs that are done again, after a worker died, are reported once.
        """
        if self._file is None or not is_file(self._file):
            return
        try:
            size = self._file.stat().st_size
        except FileNotFoundError:  # an executor replaces the folder at this moment
            return
        lines = [] if size == self._size else whole_lines(self._file)
        if lines:
            self._size = size
        for line in lines[self._reported :]:
            self._report(line)
        self._reported = max(self._reported, len(lines))

    def _report(self, line: str) -> None:
        values = json.loads(line)
        del values["job"]
        report = EpochReport(**values)
        if report.phase != self._phase:
            self._phase = report.phase
            per_epoch = report.step // (report.epoch + 1)
            self.observers.notify("phase_started", report.phase, per_epoch * report.epochs, per_epoch)
        self.observers.notify("epoch_finished", report)
