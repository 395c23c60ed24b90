"""Writes the folder of a run in progress."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

from nascore.errors import Problem, RunFolderError, cause, mark
from nascore.files import CHECKSUMS, Checksum, ChecksumWriter, given_path, with_digest
from nascore.run.atomic import json_text, replacing, sweep, write_bytes, writing
from nascore.run.growing import GrowingFile
from nascore.run.layout import CHANGES, JOBS, LOG, METRICS, RECIPE, RESULT, is_file, is_folder
from nascore.run.lock import RunLock
from nascore.run.reserve import free_reserve, keep_reserve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_REMEDY = "Name a different folder with --out, or set NASCORE_RUNS to a different folder for runs."


@frozen
class RunFolder:
    """Writes the files of a run's folder.

    Attributes:
        path: The folder.
        checksums: The list of its files.
        resumed: Whether the run was stopped before and is resumed now.
        lock: Held while this process does the run.
        growing: The files that grow, by name.
        collected: Number of jobs, from the first, whose metrics a resumed run had collected before.
        jobs: The folders of the jobs that this process does now.
    """

    path: Path
    checksums: ChecksumWriter
    resumed: bool = False
    lock: RunLock | None = None
    growing: dict[str, GrowingFile] = Factory(dict)
    collected: int = 0
    jobs: list[RunFolder] = Factory(list)

    @property
    def run(self) -> Path:
        """The folder of the whole run."""
        return self.path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def text(self, name: str, text: str) -> None:
        """Write a text file atomically."""
        self.bytes(name, text.encode())

    def try_document(self, name: str, text: str) -> None:
        """Write a recipe or a description that the run can do without; a failure is a line of the log.

        Raises:
            RunFolderError: The run's folder is gone.
        """
        try:
            self.document(name, text)
        except RunFolderError as error:
            self.refuse_gone()
            self.log(str(error))

    def document(self, name: str, text: str) -> None:
        """Write a recipe or a description atomically, with a digest that reveals a truncated copy."""
        self.text(name, with_digest(text))

    def json(self, name: str, value: object) -> None:
        """Write a JSON file atomically.

        Raises:
            ValueError: The value holds an infinity or a NaN, which JSON cannot represent.
        """
        self.text(name, json_text(value))

    def bytes(self, name: str, content: bytes) -> None:
        """Write a file atomically, and its checksum.

        Raises:
            RunFolderError: The file cannot be written; the old file is unchanged.
        """
        entry = {name: Checksum.of(content)}
        self.refuse_gone()
        with writing(self.path / name):
            self.checksums.announce(entry)
        write_bytes(self.path / name, content)
        self.checksums.placed(entry)

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Yield an empty folder to fill, which then replaces the subfolder of this name as a whole.

        Raises:
            RunFolderError: The folder cannot be made, filled or renamed.
        """
        entries: dict[str, Checksum] = {}
        self.refuse_gone()

        def announce(fresh: Path) -> None:
            files = sorted(path for path in fresh.rglob("*") if path.is_file())
            for path in files:
                relative = path.relative_to(fresh).as_posix()
                entries[f"{name}/{relative}"] = Checksum.of_file(path)
            self.checksums.announce(entries)

        with replacing(self.path / name, filled=announce) as fresh:
            yield fresh
        self.checksums.placed(entries)

    def metric(self, values: dict[str, Any]) -> None:
        """Append a line to `metrics.jsonl`; see :meth:`add_metrics`."""
        self.add_metrics([json.dumps(values, allow_nan=False)])

    def add_metrics(self, lines: Sequence[str]) -> None:
        """Append whole lines to `metrics.jsonl`; if they cannot be written now, they wait in memory.

        Raises:
            RunFolderError: The run's folder is gone.
        """
        file = self._growing(METRICS)
        waited = bool(file.waiting)
        try:
            file.add(*lines)
        except RunFolderError as error:
            self.refuse_gone()
            if not waited:
                self.log(f"{error} Its lines wait in memory; the run goes on")

    def change(self, event: str, **details: object) -> None:
        """Append a line to `changes.jsonl`: an event that happens once and cannot be undone.

        Raises:
            RunFolderError: The line cannot be written.
        """
        line = {"event": event, "time": _now().isoformat(timespec="seconds"), **details}
        self.add_change(json.dumps(line, allow_nan=False))

    def add_change(self, line: str) -> None:
        """Append a whole line to `changes.jsonl`.

        Raises:
            RunFolderError: The line cannot be written.
        """
        self.refuse_gone()
        self._growing(CHANGES).add_at_once(line)

    def log(self, text: str) -> None:
        """Append a line with the time to `run.log`; if it cannot be written now, it waits in memory."""
        self.add_log(f"{_now():%Y-%m-%d %H:%M:%S} {text}")

    def add_log(self, line: str) -> None:
        """Append a whole line to `run.log`; if it cannot be written now, it waits in memory."""
        with suppress(RunFolderError):
            self._growing(LOG).add(line)

    def write_waiting(self) -> None:
        """Write the lines that wait in memory.

        Raises:
            RunFolderError: Lines of `metrics.jsonl` cannot be written.
        """
        self._growing(METRICS).flush()
        with suppress(RunFolderError):
            self._growing(LOG).flush()

    def refuse_gone(self) -> None:
        """Refuse to go on in a folder that somebody removed.

        Raises:
            RunFolderError: It is gone.
        """
        if not is_folder(self.path):
            text = "the folder of the run is gone: it was removed or renamed while the run was under way."
            raise RunFolderError([Problem(path=str(self.run), text=text)])

    def _growing(self, name: str) -> GrowingFile:
        def grown(content: bytes) -> None:
            self.checksums.grown(name, content)

        return self.growing.setdefault(name, GrowingFile(self.path / name, grown))

    def size(self, name: str) -> int:
        """Return the size of a file that grows, with the lines that wait in memory."""
        file = self.path / name
        return (file.stat().st_size if is_file(file) else 0) + len(self._growing(name).waiting)

    def replace_metrics(self, start: int, lines: Sequence[str]) -> None:
        """Replace the end of `metrics.jsonl`, from this byte on, by whole lines.

        Raises:
            RunFolderError: The file cannot be written.
        """
        self.write_waiting()
        file, content = self.path / METRICS, "".join(f"{line}\n" for line in lines).encode()
        with writing(file):
            if not content and (not file.exists() or file.stat().st_size <= start):
                return
            with file.open("ab") as grown:
                grown.truncate(start)
                grown.write(content)
            self.checksums.regrown(METRICS)

    def finish(self, result: dict[str, Any]) -> None:
        """Write `result.json`, the last file of a job or a run.

        Raises:
            RunFolderError: The file cannot be written; or, unless the run failed, a line of `metrics.jsonl`.
        """
        self.refuse_gone()
        with suppress(RunFolderError) if result.get("status", "done") == "failed" else nullcontext():
            self.write_waiting()
        self.make_room()
        content = json_text(result).encode()
        with writing(self.path / RESULT):
            self.checksums.end({RESULT: Checksum.of(content)})
        write_bytes(self.path / RESULT, content)

    def make_room(self) -> None:
        """Give up the reserve on the disk: the last files of the run are written now."""
        free_reserve(self.path)

    def close(self) -> None:
        """Let other processes go on with the run and its jobs."""
        self.make_room()
        for job in [*self.jobs]:
            job.close()
        if self.lock is not None:
            self.lock.free()


def create(name: str, *, root: Path | None = None, out: Path | None = None) -> RunFolder:
    """Make the folder of a new run; the folder of an earlier run is never reused.

    Args:
        name: The run's name, such as `darts-darts_s0`; the time is prepended.
        root: The folder of runs. None: :func:`default_root`.
        out: The run's folder itself, in place of a new one under `root`; it may exist if it is empty.

    Raises:
        RunFolderError: The folder cannot be made, or `out` is not empty.
    """
    where = out if out is not None else root or default_root()
    sweep(where.parent if out is not None else where)
    try:
        if out is not None:
            path = _claimed(out)
        else:
            where.mkdir(parents=True, exist_ok=True)
            path = _new_in(where, f"{_now():%Y-%m-%d_%H%M%S}_{name}")
    except FileExistsError:
        text = f"the run's folder cannot be made at {where}: it is a file, or another run has just taken it."
        raise RunFolderError(f"{text} {_REMEDY}") from None
    except OSError as error:
        raise RunFolderError(
            f"the run's folder cannot be made in {where}: {cause(error)}. {_REMEDY}"
        ) from error
    return _begun(path.absolute())


def default_root() -> Path:
    """Return the folder of runs: the variable NASCORE_RUNS, or `runs` in the working folder."""
    return given_path(os.environ.get("NASCORE_RUNS", "runs"))


def refuse_taken(out: Path) -> None:
    """Refuse a path that cannot become the folder of a new run; nothing is created.

    Raises:
        RunFolderError: The path is a file, or a folder that is not empty.
    """
    if is_file(out):
        raise RunFolderError(f"{out} is a file: the run's folder cannot be made there. {_REMEDY}")
    if is_folder(out) and any(out.iterdir()):
        content = "already holds a run" if is_file(out / RECIPE) else "is not empty"
        raise RunFolderError(f"{out} {content}; a run never overwrites files. {_REMEDY}")


def _claimed(out: Path) -> Path:
    refuse_taken(out)
    out.mkdir(parents=True, exist_ok=True)
    # Exclusive: if two runs are given the same empty folder, the second one fails here.
    (out / JOBS).mkdir()
    return out


def _new_in(parent: Path, name: str) -> Path:
    for number in count(1):
        path = parent / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError("there is always a next number")


def _begun(path: Path) -> RunFolder:
    """Return a new folder with its lock, its list of checksums and its reserve.

    Raises:
        RunFolderError: One of them cannot be written; the error names the folder.
    """
    lock = RunLock(path)
    checksums = ChecksumWriter(path)
    try:
        lock.take()
        with writing(path / CHECKSUMS):
            checksums.begin()
    except BaseException as error:
        lock.free()
        mark(error, path)
        raise
    keep_reserve(path)
    return RunFolder(path, checksums, lock=lock)


def _now() -> datetime:
    return datetime.now().astimezone()
