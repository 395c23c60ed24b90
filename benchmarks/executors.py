"""Compares executors: jobs that do nothing, and a growth run of ten jobs.

    python benchmarks/executors.py
    python benchmarks/executors.py --epochs 20 --repeats 3 --only processes

All executors run by turns, several times, and each ratio is of times of one round, so that other load on the
machine weighs less; on a machine that is shared, it still weighs. The times of a growth run include the start
of the workers. The first job that does nothing starts a worker, and is timed apart. `slurm` runs without
Slurm, in processes of this machine; like Slurm, it starts a new one for each job.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import nascore
from nascore.api import Job
from nascore.engine.executors import build_executor
from nascore.plugin import Selection, discover
from nascore.recipe import Request
from nascore.recipe.settling.request import resolved

if TYPE_CHECKING:
    from nascore.api import Executor

SEARCH: dict[str, Any] = {"space": "tiny", "growth": "random", "dataset": "synthetic", "scale": "mini"}
SETTINGS = {"dataset.count": 512, "ranking.batch": 32, "growth.count": 10}
EXECUTORS: dict[str, dict[str, object]] = {
    "serial": {},
    "processes": {"executor.workers": 2},
    "ray": {"executor.workers": 2},
    "slurm": {"executor.workers": 2, "executor.cluster": "local"},
}
NOTHING = {"serial": 200, "processes": 200, "ray": 200, "slurm": 5}
"""Jobs that do nothing, after the first."""


def grow(out: Path, executor: str, epochs: int) -> float:
    """Return the seconds of a growth run of ten jobs."""
    settings = {**SETTINGS, **EXECUTORS[executor], "ranking.epochs": epochs}
    began = perf_counter()
    nascore.search(**SEARCH, settings=settings, executor=executor, out=out)
    return perf_counter() - began


def built(name: str) -> Executor:
    """Return an executor."""
    request = Request(names={"executor": [name]}, settings=EXECUTORS[name], from_python=True)
    return build_executor(resolved(request, discover(Selection())))


def overhead(name: str) -> tuple[float, float]:
    """Return the seconds of the first job that does nothing, and of each further one."""
    executor = built(name)
    job = Job(function="nascore.contract.jobs:echo", folder=str(Path.cwd()), number=1)
    began = perf_counter()
    executor.submit(job).result()
    first = perf_counter() - began
    began = perf_counter()
    for _ in range(NOTHING[name]):
        executor.submit(job).result()
    further = (perf_counter() - began) / NOTHING[name]
    executor.close()
    return first, further


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Compares executors.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=[name for name in EXECUTORS if name != "serial"])
    given = parser.parse_args()
    names = ["serial", *([given.only] if given.only else [name for name in EXECUTORS if name != "serial"])]
    print(f"cores: {os.cpu_count()}, load: {os.getloadavg()[0]:.1f}")
    for name in names:
        first, further = overhead(name)
        print(f"{name}: a job that does nothing {further * 1000:.2f} ms, the first {first * 1000:.0f} ms")
    ratios: dict[str, list[float]] = {name: [] for name in names}
    with TemporaryDirectory() as folder:
        grow(Path(folder) / "warm", "serial", 1)  # imports torch
        for number in range(given.repeats):
            times = {name: grow(Path(folder) / f"{name}{number}", name, given.epochs) for name in names}
            for name, seconds in times.items():
                ratios[name].append(times["serial"] / seconds)
            print("  ".join(f"{name} {seconds:.1f} s" for name, seconds in times.items()), flush=True)
    print("speed-up of two workers for ten growth jobs (median):")
    print("  ".join(f"{name} {median(ratios[name]):.2f}" for name in names[1:]))


if __name__ == "__main__":
    main()
