"""Writes the folder of a run in progress."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.errors import RunFolderError
from nascore.files import Checksum, ChecksumWriter, DamagedError, given_path, with_digest
from nascore.run.atomic import json_text, replacing, sweep, sweep_run, write_bytes, writing
from nascore.run.errors import cause
from nascore.run.layout import CHANGES, JOBS, LOG, METRICS, RECIPE, RESULT, is_file, is_folder, lines_of
from nascore.run.lock import RunLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_REMEDY = "Name a different folder with --out, or set NASCORE_RUNS to a different folder for runs."


@frozen
class RunFolder:
    """Writes the files of a run's folder, or of the folder of a job in it.

    Attributes:
        path: The folder.
        checksums: The list of the run's files.
        place: Path of a job's folder within the run's folder, with a slash at the end; empty for the run
            itself.
        resumed: Whether the run was stopped before and is resumed now.
        lock: Held while this process does the run; None in the folder of a job.
    """

    path: Path
    checksums: ChecksumWriter
    place: str = ""
    resumed: bool = False
    lock: RunLock | None = None

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def text(self, name: str, text: str) -> None:
        """Write a text file atomically."""
        self.bytes(name, text.encode())

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
        entry = {f"{self.place}{name}": Checksum.of(content)}
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

        def announce(fresh: Path) -> None:
            files = sorted(path for path in fresh.rglob("*") if path.is_file())
            for path in files:
                relative = path.relative_to(fresh).as_posix()
                entries[f"{self.place}{name}/{relative}"] = Checksum.of_file(path)
            self.checksums.announce(entries)

        with replacing(self.path / name, filled=announce) as fresh:
            yield fresh
        self.checksums.placed(entries)

    def metric(self, values: dict[str, Any]) -> None:
        """Append a line to `metrics.jsonl`."""
        self._append(METRICS, json.dumps(values, allow_nan=False))

    def change(self, event: str, **details: object) -> None:
        """Append a line to `changes.jsonl`: an event that happens once and cannot be undone."""
        line = {"event": event, "time": _now().isoformat(timespec="seconds"), **details}
        self._append(CHANGES, json.dumps(line, allow_nan=False))

    def log(self, text: str) -> None:
        """Append a line with the time to `run.log`."""
        self._append(LOG, f"{_now():%Y-%m-%d %H:%M:%S} {text}")

    def job(self, number: int, kind: str, **facts: object) -> RunFolder:
        """Return the folder of a job, `jobs/0001-search`, with its `job.yaml`.

        In a resumed run it may exist: the job was started before.
        """
        name = f"{JOBS}/{number:04d}-{kind}"
        path = self.path / name
        with writing(path):
            path.mkdir(parents=True, exist_ok=self.resumed)
        lines = {"id": number, "kind": kind, **facts}
        folder = RunFolder(path, self.checksums, f"{name}/", resumed=self.resumed)
        # JSON scalars are valid YAML.
        folder.text("job.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items()))
        return folder

    def keep_metrics(self, kept: Callable[[dict[str, Any]], bool]) -> None:
        """Leave out lines of `metrics.jsonl`: those of epochs that a resumed run repeats.

        Raises:
            RunFolderError: The file cannot be read or written.
        """
        file = self.path / METRICS
        lines = [line for line in lines_of(file) if kept(line)]
        write_bytes(file, "".join(f"{json.dumps(line, allow_nan=False)}\n" for line in lines).encode())
        with writing(file):
            self.checksums.regrown(METRICS)

    def finish(self, result: dict[str, Any]) -> None:
        """Write `result.json`, the last file of a job or a run."""
        if self.place:
            self.json(RESULT, result)
            return
        content = json_text(result).encode()
        with writing(self.path / RESULT):
            self.checksums.end({RESULT: Checksum.of(content)})
        write_bytes(self.path / RESULT, content)

    def close(self) -> None:
        """Let other processes go on with the run."""
        if self.lock is not None:
            self.lock.free()

    def _append(self, name: str, line: str) -> None:
        """Append a line to a file; if it cannot be written completely, none of it stays."""
        content = f"{line}\n".encode(errors="backslashreplace")
        with writing(self.path / name), (self.path / name).open("ab") as file:
            size = file.tell()
            try:
                file.write(content)
                file.flush()
            except OSError:
                file.truncate(size)
                raise
        self.checksums.grown(f"{self.place}{name}", content)


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
            return _begun(_claimed(out).absolute())
        where.mkdir(parents=True, exist_ok=True)
        return _begun(_new_in(where, f"{_now():%Y-%m-%d_%H%M%S}_{name}").absolute())
    except FileExistsError:
        text = f"the run's folder cannot be made at {where}: it is a file, or another run has just taken it."
        raise RunFolderError(f"{text} {_REMEDY}") from None
    except OSError as error:
        raise RunFolderError(
            f"the run's folder cannot be made in {where}: {cause(error)}. {_REMEDY}"
        ) from error


def reopen(path: Path) -> RunFolder:
    """Return the folder of a run that was stopped, to go on in it; its `result.json` is gone afterwards.

    Raises:
        RunFolderError: A file of it is damaged, or it cannot be written to.
    """
    lock = RunLock(path)
    lock.take()
    checksums = ChecksumWriter(path)
    try:
        checksums.resume()
    except DamagedError as error:
        lock.free()
        raise RunFolderError(f"{error.strerror}.") from error
    except OSError as error:
        lock.free()
        raise RunFolderError(f"{path} cannot be resumed: {cause(error)}.") from error
    sweep_run(path)
    return RunFolder(path, checksums, resumed=True, lock=lock)


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
    lock = RunLock(path)
    lock.take()
    checksums = ChecksumWriter(path)
    checksums.begin()
    return RunFolder(path, checksums, lock=lock)


def _now() -> datetime:
    return datetime.now().astimezone()
