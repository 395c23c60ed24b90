"""The folder of a job: all that a process needs to do the job, and all that the job writes."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.errors import RunFolderError, cause
from nascore.files import CHECKSUMS, ChecksumWriter, DamagedError, with_digest
from nascore.run.atomic import write_bytes, writing
from nascore.run.folder import RunFolder
from nascore.run.layout import CHANGES, JOB, JOBS, LOG, METRICS, RESULT, is_file, text_of
from nascore.run.lock import LOCK, OWNER, RunLock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATIENCE: Final = 10.0
"""Seconds that a job waits for the lock of a process that is about to end: its run was killed."""


@frozen
class JobFolder(RunFolder):
    """Writes the files of a job's folder.

    Attributes:
        live: The folder of the run if this process does the run: the run's metrics, changes and log get each
            line of the job at once. None: another process does the run, and collects the lines.
        start: Size of the run's `metrics.jsonl` before the lines of this job.
    """

    live: RunFolder | None = None
    start: int = 0

    @property
    def run(self) -> Path:
        """The folder of the whole run."""
        return self.path.parents[1]

    @property
    def finished(self) -> bool:
        """Whether the job is over."""
        return is_file(self.path / RESULT)

    def text_once(self, name: str, text: str) -> None:
        """Write a text file, unless it is there with the same text: the job was begun before."""
        file = self.path / name
        if not is_file(file) or text_of(file) != text:
            self.text(name, text)

    def metric(self, values: dict[str, Any]) -> None:
        """Append a line to `metrics.jsonl` of the job, and of the run if this process does it."""
        if self.live is not None:
            self.live.metric(values)
        super().metric(values)

    def add_change(self, line: str) -> None:
        """Append a line to `changes.jsonl` of the job, and of the run if this process does it."""
        super().add_change(line)
        if self.live is not None:
            self.live.add_change(line)

    def add_log(self, line: str) -> None:
        """Append a line to `run.log` of the run, or of the job if another process does the run."""
        if self.live is not None:
            self.live.add_log(line)
        else:
            super().add_log(line)

    def write_waiting(self) -> None:
        """Write the lines that wait in memory."""
        if self.live is not None:
            self.live.write_waiting()
        super().write_waiting()

    def keep_metrics(self, count: int) -> None:
        """Remove all lines but the first of `metrics.jsonl`: those of epochs that are done again.

        Args:
            count: Number of lines to keep.

        Raises:
            RunFolderError: The file cannot be read or written.
        """
        self.write_waiting()
        file = self.path / METRICS
        lines = whole_lines(file)
        content = "".join(f"{line}\n" for line in lines[:count]).encode()
        if is_file(file) and file.stat().st_size != len(content):
            write_bytes(file, content)
            with writing(file):
                self.checksums.regrown(METRICS)
        if self.live is not None:
            self.live.replace_metrics(self.start, lines[:count])

    def close(self) -> None:
        """Let other processes do the job."""
        super().close()
        if self.live is not None and self in self.live.jobs:
            self.live.jobs.remove(self)


def begin_job(
    run: RunFolder,
    number: int,
    kind: str,
    facts: Mapping[str, object],
    documents: Mapping[str, str] | None = None,
) -> JobFolder:
    """Return the folder of a job, `jobs/0001-search`, with all that a process needs to do the job.

    If it exists, the job was begun before. If its `result.json` is there, the job is over.

    Args:
        run: The folder of the run, which this process does.
        number: Number of the job, from 1.
        kind: `search`, `train` or `grow`.
        facts: Further entries of `job.yaml`.
        documents: Texts of descriptions by file name.

    Raises:
        RunFolderError: The folder cannot be written to, or another process does the job.
    """
    run.refuse_gone()
    folder = open_job(job_path(run.path, number, kind), live=run)
    if not folder.finished:
        for name, text in (documents or {}).items():
            folder.text_once(name, with_digest(text))
        # JSON scalars are valid YAML.
        lines = {"id": number, "kind": kind, **facts}
        folder.text_once(JOB, "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items()))
    return folder


def job_path(run: Path, number: int, kind: str) -> Path:
    """Return the path of the folder of a job."""
    return run / JOBS / f"{number:04d}-{kind}"


def open_job(path: Path, *, live: RunFolder | None = None) -> JobFolder:
    """Return the folder of a job, which no other process does then; it is created if it is missing.

    Args:
        path: The folder. If its `result.json` is there, only a lock that was left behind is removed.
        live: The folder of the run if this process does the run.

    Raises:
        RunFolderError: A file in it is damaged, it cannot be written to, or another process does the job.
    """
    over = JobFolder(path, ChecksumWriter(path), resumed=True, live=live)
    if over.finished:
        for name in (OWNER, LOCK):  # a process that was killed right after the result left them
            with suppress(OSError):
                (path / name).unlink(missing_ok=True)
        return over
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    lock = RunLock(path)
    lock.take(PATIENCE)
    try:
        if over.finished:  # by the process that had the lock
            lock.free()
            return over
        checksums, resumed = _list_of(path)
    except BaseException:
        lock.free()
        raise
    start = 0 if live is None else live.size(METRICS)
    folder = JobFolder(path, checksums, resumed=resumed, lock=lock, live=live, start=start)
    if live is not None:
        live.jobs.append(folder)
    return folder


def _list_of(path: Path) -> tuple[ChecksumWriter, bool]:
    """Return the list of a job's files, and whether it was begun before; a kill may leave an empty one.

    Raises:
        RunFolderError: A file is damaged, or the list cannot be written.
    """
    checksums, file = ChecksumWriter(path), path / CHECKSUMS
    try:
        with writing(file):
            resumed = file.exists() and b"\n" in file.read_bytes()
            if resumed:
                checksums.resume()
            else:
                checksums.begin(of_job=True)
    except DamagedError as error:
        raise RunFolderError(f"{error.strerror}.") from error
    return checksums, resumed


def collect(run: RunFolder, job: JobFolder) -> None:
    """Add the lines of a job that another process did to the files of its run.

    Raises:
        RunFolderError: A file cannot be read or written.
    """
    run.add_metrics(whole_lines(job / METRICS))
    changes = whole_lines(job / CHANGES)
    known = {*whole_lines(run / CHANGES)} if changes else set()
    for line in changes:
        if line not in known:
            run.add_change(line)
    for line in whole_lines(job / LOG):
        run.add_log(line)


def whole_lines(path: Path) -> list[str]:
    """Return the lines of a file without a last one that is cut off; none if the file is missing.

    Raises:
        RunFolderError: The file cannot be read.
    """
    if not is_file(path):
        return []
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {cause(error)}.") from error
    except UnicodeDecodeError as error:
        raise RunFolderError(f"{path} cannot be read: it is not UTF-8 text.") from error
