"""Compares the executors `serial` and `processes`: a comparison of four searches, and jobs that do nothing.

    python benchmarks/executors.py
    python benchmarks/executors.py --epochs 20 --repeats 3

Both executors run by turns, several times, and each ratio is of times of one round, so that other load on the
machine weighs less; on a machine that is shared, it still weighs. The first job of `processes` starts the
process, and is timed apart.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import nascore
from nascore.api import Job
from nascore.builtin.components import ProcessesSettings
from nascore.builtin.executors import Processes, Serial
from nascore.config import NoSettings

SETTINGS = {"dataset.count": 512, "trainer.batch": 32, "training.batch": 32, "trainer.warm_up": 0}
NOTHING = 200


def compare(out: Path, executor: str, epochs: int, workers: int) -> float:
    """Return the seconds of a comparison of four searches."""
    settings = {**SETTINGS, "trainer.epochs": epochs, "training.epochs": epochs}
    if executor == "processes":
        settings["executor.workers"] = workers
    began = perf_counter()
    nascore.search_several(
        space="tiny",
        updater=["sgd", "uniform"],
        seeds=[0, 1],
        dataset="synthetic",
        scale="mini",
        settings=settings,
        executor=executor,
        out=out,
    )
    return perf_counter() - began


def overhead(executor: Serial | Processes) -> tuple[float, float]:
    """Return the seconds of the first job that does nothing, and of each further one."""
    job = Job(function="nascore.contract.jobs:echo", folder=str(Path.cwd()), number=1)
    began = perf_counter()
    executor.submit(job).result()
    first = perf_counter() - began
    began = perf_counter()
    for _ in range(NOTHING):
        executor.submit(job).result()
    further = (perf_counter() - began) / NOTHING
    executor.close()
    return first, further


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Compares executors.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(f"cores: {os.cpu_count()}, load: {os.getloadavg()[0]:.1f}")
    for name, executor in (
        ("serial", Serial(NoSettings())),
        ("processes", Processes(ProcessesSettings(workers=1))),
    ):
        first, further = overhead(executor)
        print(f"{name}: a job that does nothing {further * 1000:.2f} ms, the first {first * 1000:.0f} ms")
    ratios = []
    with TemporaryDirectory() as folder:
        compare(Path(folder) / "warm", "serial", 1, given.workers)  # imports torch
        for number in range(given.repeats):
            times = {
                executor: compare(Path(folder) / f"{executor}{number}", executor, given.epochs, given.workers)
                for executor in ("serial", "processes")
            }
            ratios.append(times["serial"] / times["processes"])
            print("  ".join(f"{name} {seconds:.1f} s" for name, seconds in times.items()), flush=True)
    print(f"speed-up of {given.workers} processes for four searches: {median(ratios):.2f} (median)")


if __name__ == "__main__":
    main()
