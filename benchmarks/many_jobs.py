"""Runs thousands of jobs that do almost nothing, and lists thousands of runs.

    python benchmarks/many_jobs.py
    python benchmarks/many_jobs.py --jobs 1000 --runs 0

The run draws architectures at random and trains each on one batch of 8 images. Printed are the processor time
of a job and the memory of the process after a tenth of the jobs and at the end, as means over a tenth of all
jobs. Then the folder of a small run is copied, and `nascore runs` lists all copies.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import nascore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SETTINGS = {
    "dataset.count": 16, "ranking.epochs": 1, "ranking.batch": 8, "space.cells": 1, "space.channels": 2,
}  # fmt: skip


class Meter:
    """An observer that notes processor time and memory after each job."""

    def __init__(self) -> None:
        self.times = [process_time()]
        self.memory: list[float] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a callback that does nothing, for all other events of an observer."""
        return lambda *_: None

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Note the processor time, and the memory in MB."""
        del name, result
        self.times.append(process_time())
        self.memory.append(memory())


def memory() -> float:
    """Return the memory that this process uses now, in MB."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def search(jobs: int, out: Path, observers: Sequence[object] = ()) -> None:
    """Search among so many random architectures."""
    nascore.search(
        space="nb201",
        dataset="synthetic",
        growth="random",
        scale="mini",
        settings={**SETTINGS, "growth.count": jobs},
        observers=observers,  # type: ignore[arg-type]
        out=out,
    )


def measure_jobs(jobs: int, folder: Path) -> None:
    """Print the time and the memory of a job, early and late."""
    meter, began = Meter(), perf_counter()
    search(jobs, folder / "run", [meter])
    each = [after - before for before, after in zip(meter.times, meter.times[1:], strict=False)]
    tenth = len(each) // 10
    print(f"{len(each)} jobs in {perf_counter() - began:.0f} s")
    for name, part in (("early", slice(tenth // 2, tenth * 3 // 2)), ("late", slice(-tenth, None))):
        last = list(range(len(each)))[part][-1] + 1
        print(
            f"{name:<6} to job {last:>5}: {mean(each[part]) * 1000:6.1f} ms of processor time a job, "
            f"{mean(meter.memory[part]):6.1f} MB"
        )


def measure_runs(runs: int, folder: Path) -> None:
    """Print the seconds in which `nascore runs` lists so many runs."""
    search(1, folder / "one")
    root = folder / "runs"
    for number in range(runs):
        copytree(folder / "one", root / f"{number:05d}")
    command = [sys.executable, "-m", "nascore", "runs", str(root)]
    began = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    print(
        f"nascore runs: {len(done.stdout.splitlines())} lines of {runs} runs, {perf_counter() - began:.1f} s"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Runs many jobs, and lists many runs.")
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=5000)
    given = parser.parse_args()
    with TemporaryDirectory() as temporary:
        if given.jobs:
            measure_jobs(given.jobs, Path(temporary))
        if given.runs:
            measure_runs(given.runs, Path(temporary))


if __name__ == "__main__":
    main()
