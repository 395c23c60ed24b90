"""Search and evaluation on digits, end to end: a floor for the plumbing, from which nothing is concluded.

    python benchmarks/digits.py [--seeds 5]

For each seed and updater it searches and then trains the architecture from scratch, at the scale `mini` and
on one thread, and prints the test accuracy. It exits with 1 where the mean of DARTS is below 98.5 % or one of
its runs is below 97.5 %. The control `uniform` has the same budget and no bar.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

import nascore

UPDATERS = ("darts", "uniform")
MEAN_BAR, RUN_BAR = 0.985, 0.975


def accuracy(updater: str, seed: int, folder: Path) -> tuple[float, float]:
    """Return the test accuracy of what a search finds, and the seconds that search and evaluation took."""
    began = time.perf_counter()
    run = nascore.search(
        space="darts", updater=updater, dataset="digits", scale="mini", seed=seed, out=folder / "search"
    )
    done = nascore.evaluate(run, seed=seed, out=folder / "evaluate")
    return float(done.result["test_accuracy"]), time.perf_counter() - began


def main() -> int:
    """Run all seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    found: dict[str, list[float]] = {}
    for updater in UPDATERS:
        found[updater] = []
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                share, seconds = accuracy(updater, seed, Path(folder))
            found[updater].append(share)
            print(f"{updater:8} seed {seed}: {share:.2%} of the test images, {seconds:.0f} s", flush=True)
        print(f"{updater:8} mean {mean(found[updater]):.2%}, lowest {min(found[updater]):.2%}", flush=True)
    missed = mean(found["darts"]) < MEAN_BAR or min(found["darts"]) < RUN_BAR
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
