"""Functions that Ray calls in the processes of its workers."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Any, Final

import ray
from attrs import evolve

from nascore.api import Job
from nascore_ray.files import Carried

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL: Final = 0.2
"""Seconds between two looks at whether the raylet still lives."""

PREFIX: Final = "NASCORE_"
"""Beginning of the environment variables that a job needs as they are in the driver."""

_watching = Lock()


def surroundings(*, paths: bool) -> dict[str, Any]:
    """Return what a job needs of this process: the working folder, variables, and the paths of modules.

    Args:
        paths: Whether the paths of modules are included; on another machine they would lead nowhere.
    """
    return {
        "folder": str(Path.cwd()),
        "variables": {name: value for name, value in os.environ.items() if name.startswith(PREFIX)},
        "paths": sys.path if paths else [],
    }


def do_task(plain: str, around: str, archive: bytes | None) -> Iterator[tuple[str, bytes]]:
    """Yield the place of this process as JSON, then the answer of a job as JSON with the files that it wrote.

    Args:
        plain: The job as JSON, with the key `there`: whether the driver sees its folder.
        around: The surroundings of the driver as JSON.
        archive: The files that the job reads; None: it finds them in its folder.
    """
    if _watching.acquire(blocking=False):
        Thread(target=_end_with_raylet, args=(os.getppid(),), daemon=True).start()
    node = ray.get_runtime_context().get_node_id()
    yield json.dumps({"node": node, "process": os.getpid()}), b""
    _take_over(json.loads(around))
    values = json.loads(plain)
    there = values.pop("there")
    job = Job(**values)
    if archive is not None:
        yield _do_apart(job, archive)
    elif there and not Path(job.folder).is_dir():
        text = f"node {node[:8]} has no folder {job.folder}: use a shared folder, or executor.files=return"
        yield json.dumps({"raised": text, "stopped": False}), b""
    else:
        yield json.dumps(job.answer()), b""


def _do_apart(job: Job, archive: bytes) -> tuple[str, bytes]:
    """Do a job in a copy of the files that it reads; returns its answer and the files that it wrote."""
    with Carried(job).unpacked(archive) as folder:
        # Without this, the runs in the usual folder of this node would be taken for those of the driver.
        os.environ["NASCORE_RUNS"] = str(folder.parent)
        apart = evolve(job, folder=str(folder))
        answer = apart.answer()
        return json.dumps(answer), Carried(apart).written()


def _take_over(around: dict[str, Any]) -> None:
    """Give this process the surroundings of the driver, as far as they exist here."""
    with suppress(OSError):
        os.chdir(around["folder"])
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(around["variables"])
    sys.path.extend(path for path in around["paths"] if path not in sys.path)


def _end_with_raylet(raylet: int) -> None:
    """End this process at once when its raylet is gone: another driver may go on with the run."""
    while os.getppid() == raylet:
        sleep(POLL)
    os._exit(1)


def send_signal(process: int, number: int) -> None:
    """Send a signal to a process of this node; one that is gone gets none."""
    with suppress(ProcessLookupError):
        os.kill(process, number)
