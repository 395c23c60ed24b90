"""A small Ray on this machine, and comparisons whose files are compared."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from comparison_runs import SMALL, TINY
from resumed_runs import differences

import nascore
from nascore_ray.executor import begin_session
from nascore_ray.settings import RaySettings

GIVEN = {**TINY, "updater": ["uniform", "sgd"], "seeds": [0]}
STORE = 80_000_000


@contextmanager
def local_ray():
    """Start a Ray with two CPUs, which the executors inside use."""
    session = begin_session(RaySettings(object_store_memory=STORE), 1)
    try:
        yield session
    finally:
        session.end()


def by_ray(out, settings=None, executor=None, between=lambda: None, **given):
    """Return a comparison by the executor `ray`, and the files that differ from those of `serial`.

    Args:
        out: The folder of both.
        settings: Settings beside the small ones.
        executor: Settings of the executor.
        between: Called after `serial` and before `ray`.
        given: Further arguments of both searches.
    """
    settings = {**SMALL, **(settings or {})}
    serial = by_serial(out, settings, **given)
    between()
    of_executor = {f"executor.{name}": value for name, value in (executor or {}).items()}
    given = {**GIVEN, **given, "settings": {**settings, **of_executor}}
    found = nascore.search_several(**given, executor="ray", out=out)
    return found, different(serial, out)


def by_serial(out, settings, **given):
    """Make a comparison by the executor `serial` in a folder, then move it away; returns its new folder.

    Some warnings have the folder; and beside the other comparison its evaluations would be counted there.
    """
    nascore.search_several(**{**GIVEN, **given}, settings=settings, out=out)
    moved = out.parent / "away" / "serial"
    moved.parent.mkdir()
    return out.rename(moved)


def different(serial, out):
    """Return the files that are not the same in both comparisons, times and executors aside."""
    return [name for name in differences(serial, out) if name != "environment.json"]


def events(run, name):
    """Return the events of a run that have a name."""
    file = run / "changes.jsonl"
    lines = map(json.loads, file.read_text().splitlines() if file.exists() else ())
    return [line for line in lines if line["event"] == name]


def until(holds, seconds=120):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def under_way(run):
    """Return whether a job of a comparison has saved a checkpoint and is not over."""
    over = finished(run)
    return any(any(job.rglob("checkpoint-*.pt")) for job in (run / "jobs").glob("*") if job.name not in over)


def finished(run):
    """Return the results of the jobs that are over, each with the inode and the time of its file."""
    found = {}
    for file in (run / "jobs").glob("*/result.json"):
        if json.loads(file.read_text())["status"] == "done":
            facts = file.stat()
            found[file.parent.name] = (facts.st_ino, facts.st_mtime_ns)
    return found


def works(node, run):
    """Return whether a worker of a node has a file of a job open."""
    (raylet,) = node.all_processes["raylet"]
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
            files = (str(file.readlink()) for file in (path / "fd").iterdir())
            if int(parent) == raylet.process.pid and any(name.startswith(f"{run}/jobs/") for name in files):
                return True
    return False


AGENTS = (b"ray::DashboardAgent", b"ray::RuntimeEnvAgent")
"""Processes of Ray that look for their raylet for a minute after its death. They do no jobs."""


def ray_processes(folder):
    """Return the processes of Ray whose working folder is one, without agents."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (path / "cmdline").read_bytes()
            mine = int(path.name) != os.getpid() and (path / "cwd").readlink() == folder
            if mine and b"ray" in words and not words.startswith(AGENTS):
                found.append(int(path.name))
    return found
