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
from nascore.files import Checksum, ChecksumWriter, given_path, with_digest
from nascore.run.atomic import json_text, replacing, sweep, write_bytes, writing
from nascore.run.errors import cause
from nascore.run.layout import CHANGES, JOBS, LOG, METRICS, RECIPE, RESULT, is_file, is_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ELSEWHERE = "Name another folder with --out, or another place for runs in NASCORE_RUNS."


@frozen
class RunFolder:
    """A run's folder, or that of a job in it.

    Attributes:
        path: Where it is.
        checksums: The list of the run's files.
        place: Where it is in the run's folder, with a slash at the end; empty for the run's own.
    """

    path: Path
    checksums: ChecksumWriter
    place: str = ""

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def text(self, name: str, text: str) -> None:
        """Write a text file, whole or not at all."""
        self.bytes(name, text.encode())

    def document(self, name: str, text: str) -> None:
        """Write a recipe or a description, with a digest that shows wherever a part of it is read."""
        self.text(name, with_digest(text))

    def json(self, name: str, value: object) -> None:
        """Write a JSON file, whole or not at all.

        Raises:
            ValueError: The value holds a number that JSON cannot say (infinity, or none).
        """
        self.text(name, json_text(value))

    def bytes(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, and its checksum.

        Raises:
            RunFolderError: The file cannot be written; what was there before still is.
        """
        entry = {f"{self.place}{name}": Checksum.of(content)}
        with writing(self.path / name):
            self.checksums.announce(entry)
        write_bytes(self.path / name, content)
        self.checksums.placed(entry)

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Give an empty folder to fill, which then takes the place of one of this folder as a whole.

        Raises:
            RunFolderError: It cannot be made, filled or renamed.
        """
        entries: dict[str, Checksum] = {}

        def announce(fresh: Path) -> None:
            found = sorted(path for path in fresh.rglob("*") if path.is_file())
            for path in found:
                at = path.relative_to(fresh).as_posix()
                entries[f"{self.place}{name}/{at}"] = Checksum.of_file(path)
            self.checksums.announce(entries)

        with replacing(self.path / name, filled=announce) as fresh:
            yield fresh
        self.checksums.placed(entries)

    def metric(self, values: dict[str, Any]) -> None:
        """Add a line to `metrics.jsonl`."""
        self._append(METRICS, json.dumps(values, allow_nan=False))

    def change(self, event: str, **details: object) -> None:
        """Add a line to `changes.jsonl`: something that happened once and cannot be undone."""
        line = {"event": event, "time": _now().isoformat(timespec="seconds"), **details}
        self._append(CHANGES, json.dumps(line, allow_nan=False))

    def log(self, text: str) -> None:
        """Add a line to `run.log`, with the time."""
        self._append(LOG, f"{_now():%Y-%m-%d %H:%M:%S} {text}")

    def job(self, number: int, kind: str, **facts: object) -> RunFolder:
        """Make the folder of a job, `jobs/0001-search`, with its `job.yaml`."""
        name = f"{JOBS}/{number:04d}-{kind}"
        path = self.path / name
        with writing(path):
            path.mkdir(parents=True)
        lines = {"id": number, "kind": kind, **facts}
        folder = RunFolder(path, self.checksums, f"{name}/")
        # Scalars in JSON are scalars in YAML.
        folder.text("job.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items()))
        return folder

    def finish(self, result: dict[str, Any]) -> None:
        """Write `result.json`: afterwards the job or the run is over, and nothing else is written."""
        if self.place:
            self.json(RESULT, result)
            return
        content = json_text(result).encode()
        with writing(self.path / RESULT):
            self.checksums.end({RESULT: Checksum.of(content)})
        write_bytes(self.path / RESULT, content)

    def _append(self, name: str, line: str) -> None:
        """Add a line to a file, or nothing of it."""
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
    """Make the folder of a new run; a folder that is there is never used again.

    Args:
        name: What is run, such as `darts-darts_s0`; the time is put before it.
        root: Where runs are kept. None: :func:`default_root`.
        out: The folder itself, instead of one under `root`; it may exist if it is empty.

    Raises:
        RunFolderError: It cannot be made, or `out` holds something.
    """
    where = out if out is not None else root or default_root()
    sweep(where.parent if out is not None else where)
    try:
        if out is not None:
            return _begun(_claimed(out).absolute())
        where.mkdir(parents=True, exist_ok=True)
        return _begun(_new_in(where, f"{_now():%Y-%m-%d_%H%M%S}_{name}").absolute())
    except FileExistsError:
        text = f"{where} is a file, or another run took it just now: the run's folder cannot be made there."
        raise RunFolderError(f"{text} {_ELSEWHERE}") from None
    except OSError as error:
        raise RunFolderError(
            f"the run's folder cannot be made in {where}: {cause(error)}. {_ELSEWHERE}"
        ) from error


def default_root() -> Path:
    """Return where runs are kept: the variable NASCORE_RUNS, or `runs` in the working folder."""
    return given_path(os.environ.get("NASCORE_RUNS", "runs"))


def refuse_taken(out: Path) -> None:
    """Refuse a path at which no run can be kept, without making anything.

    Raises:
        RunFolderError: A file stands there, or a folder that holds something.
    """
    if is_file(out):
        raise RunFolderError(f"{out} is a file: the run's folder cannot be made there. {_ELSEWHERE}")
    if is_folder(out) and any(out.iterdir()):
        held = "holds a run already" if is_file(out / RECIPE) else "is not empty"
        raise RunFolderError(f"{out} {held}; a run never writes over another. {_ELSEWHERE}")


def _claimed(out: Path) -> Path:
    refuse_taken(out)
    out.mkdir(parents=True, exist_ok=True)
    # Exclusive: of two runs that are given one empty folder, the second fails.
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
    checksums = ChecksumWriter(path)
    checksums.begin()
    return RunFolder(path, checksums)


def _now() -> datetime:
    return datetime.now().astimezone()
