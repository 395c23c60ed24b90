"""Reopens the folder of a run that was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.errors import RunFolderError, cause
from nascore.files import CHECKSUMS, Checksum, ChecksumWriter, DamagedError, checksums_of
from nascore.run.atomic import sweep_run, write_bytes, writing
from nascore.run.folder import RunFolder
from nascore.run.job_folder import whole_lines
from nascore.run.layout import JOB, JOBS, METRICS, RESULT, is_file, is_folder, lines_of
from nascore.run.lock import PATIENCE, RunLock
from nascore.run.reserve import keep_reserve

if TYPE_CHECKING:
    from pathlib import Path


def reopen(path: Path, *, patience: float = PATIENCE) -> RunFolder:
    """Return the folder of a run that was stopped, to go on in it; its `result.json` is gone afterwards.

    Its `metrics.jsonl` then has the lines of the first jobs, up to the first that is not over.

    Args:
        path: The folder.
        patience: Seconds to wait for another process that works on the run.

    Raises:
        RunFolderError: A file of it is damaged, or it cannot be written to.
    """
    lock = RunLock(path)
    lock.take(patience)
    try:
        checksums = _checked_list(path)
        sweep_run(path)
        jobs = _jobs_of(path)
        _complete_old_jobs(path, jobs)
        collected = _collect_metrics(path, jobs)
        with writing(path / METRICS):
            checksums.regrown(METRICS)
    except BaseException:
        lock.free()
        raise
    keep_reserve(path)
    return RunFolder(path, checksums, resumed=True, lock=lock, collected=collected)


def _checked_list(path: Path) -> ChecksumWriter:
    """Return the list of a run's files, after comparing the files of the run and of its finished jobs."""
    checksums = ChecksumWriter(path)
    try:
        checksums.resume()
        of_run = checksums_of(path)
        for job in _jobs_of(path):
            found = checksums_of(job)
            if found is None and of_run is not None:
                of_run.refuse_without_list(job.name)
            elif found is not None and is_file(job / RESULT):
                found.check_present()
    except DamagedError as error:
        raise RunFolderError(f"{error.strerror}.") from error
    except OSError as error:
        raise RunFolderError(f"{path} cannot be resumed: {cause(error)}.") from error
    return checksums


def _jobs_of(path: Path) -> list[Path]:
    """Return the folders of a run's jobs in their order; none of a comparison, whose jobs are runs."""
    if not is_folder(path / JOBS):
        return []
    return sorted((job for job in (path / JOBS).iterdir() if is_file(job / JOB)), key=_number)


def _number(job: Path) -> int:
    return int(job.name.partition("-")[0])


def _complete_old_jobs(path: Path, jobs: list[Path]) -> None:
    """Give unfinished jobs of earlier versions a list of their files, and their lines of `metrics.jsonl`.

    Raises:
        RunFolderError: A file cannot be read or written.
    """
    for job in jobs:
        if is_file(job / RESULT) or is_file(job / CHECKSUMS):
            continue
        if lines := _lines_of_job(path, _number(job)):
            write_bytes(job / METRICS, lines)
        files = [file for file in sorted(job.iterdir()) if file.suffix in {".yaml", ".json", ".safetensors"}]
        checksums = ChecksumWriter(job)
        with writing(job / CHECKSUMS):
            checksums.begin(of_job=True)
            checksums.announce({file.name: Checksum.of_file(file) for file in files})


def _lines_of_job(path: Path, number: int) -> bytes:
    file = path / METRICS
    pairs = zip(whole_lines(file), lines_of(file), strict=True)
    return "".join(f"{line}\n" for line, values in pairs if values["job"] == number).encode()


def _collect_metrics(path: Path, jobs: list[Path]) -> int:
    """Write the lines of all jobs before the first that is not over; returns the number of these jobs.

    Raises:
        RunFolderError: A file cannot be read or written.
    """
    content, collected = b"", 0
    for job in jobs:
        if _number(job) != collected + 1 or not is_file(job / RESULT):
            break
        if is_file(job / CHECKSUMS):
            content += "".join(f"{line}\n" for line in whole_lines(job / METRICS)).encode()
        else:  # an earlier version
            content += _lines_of_job(path, collected + 1)
        collected += 1
    file = path / METRICS
    if content != (file.read_bytes() if is_file(file) else b""):
        write_bytes(file, content)
    return collected
