"""The folder of a run that is under way."""

from __future__ import annotations

import json
import os
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from attrs import frozen

from nascore.errors import RunFolderError
from nascore.run.atomic import write_json, write_text, writing
from nascore.run.cause import cause
from nascore.run.looking import is_file, is_folder
from nascore.run.names import CHANGES, JOBS, LOG, METRICS, RECIPE, RESULT

_ELSEWHERE = "Name another folder with --out, or another place for runs in NASCORE_RUNS."


@frozen
class RunFolder:
    """A run's folder.

    Attributes:
        path: Where it is.
    """

    path: Path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def text(self, name: str, text: str) -> None:
        """Write a text file, whole or not at all."""
        write_text(self.path / name, text)

    def json(self, name: str, value: object) -> None:
        """Write a JSON file, whole or not at all."""
        write_json(self.path / name, value)

    def metric(self, values: dict[str, Any]) -> None:
        """Add a line to `metrics.jsonl`."""
        _append(self.path / METRICS, json.dumps(values, allow_nan=False))

    def change(self, event: str, **details: object) -> None:
        """Add a line to `changes.jsonl`: something that happened once and cannot be undone."""
        line = {"event": event, "time": _now().isoformat(timespec="seconds"), **details}
        _append(self.path / CHANGES, json.dumps(line, allow_nan=False))

    def log(self, text: str) -> None:
        """Add a line to `run.log`, with the time."""
        _append(self.path / LOG, f"{_now():%Y-%m-%d %H:%M:%S} {text}")

    def job(self, number: int, kind: str, **facts: object) -> RunFolder:
        """Make the folder of a job, `jobs/0001-search`, with its `job.yaml`."""
        path = self.path / JOBS / f"{number:04d}-{kind}"
        with writing(path):
            path.mkdir(parents=True)
        lines = {"id": number, "kind": kind, **facts}
        # Scalars in JSON are scalars in YAML.
        write_text(
            path / "job.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items())
        )
        return RunFolder(path)

    def finish(self, result: dict[str, Any]) -> None:
        """Write `result.json`: afterwards the run is over, and nothing else is written."""
        self.json(RESULT, result)


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
    try:
        if out is not None:
            return RunFolder(_claimed(out))
        where.mkdir(parents=True, exist_ok=True)
        return RunFolder(_new_in(where, f"{_now():%Y-%m-%d_%H%M%S}_{name}"))
    except FileExistsError:
        text = f"{where} is a file, or another run took it just now: the run's folder cannot be made there."
        raise RunFolderError(f"{text} {_ELSEWHERE}") from None
    except OSError as error:
        raise RunFolderError(
            f"the run's folder cannot be made in {where}: {cause(error)}. {_ELSEWHERE}"
        ) from error


def default_root() -> Path:
    """Return where runs are kept: the variable NASCORE_RUNS, or `runs` in the working folder."""
    return Path(os.environ.get("NASCORE_RUNS", "runs"))


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


def _append(path: Path, line: str) -> None:
    with writing(path), path.open("a", encoding="utf-8", newline="\n", errors="backslashreplace") as file:
        file.write(line + "\n")


def _now() -> datetime:
    return datetime.now().astimezone()
