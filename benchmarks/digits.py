"""Search and evaluation on digits, end to end: a floor for the plumbing, from which nothing is concluded.

    python benchmarks/digits.py [--seeds 5] [--updater darts ...]

For each seed and updater it runs `nascore search` and `nascore evaluate`, at the scale `mini` and on one
thread, and prints the test accuracy and the seconds of both commands together, start of Python included. It
exits with 1 where the mean of DARTS is below 98.5 %, one of its runs is below 97.5 %, or one took more than
150 s, for which the machine has to be idle. The control `uniform` has the same budget and no bar.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

UPDATERS = ("darts", "uniform")
MEAN_BAR, RUN_BAR, SECONDS_BAR = 0.985, 0.975, 150


def command(*words: str) -> None:
    """Run nascore with these words, in a process of its own."""
    line = [sys.executable, "-m", "nascore", *words]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words


def accuracy(updater: str, seed: int, folder: Path) -> tuple[float, float]:
    """Return the test accuracy of what a search finds, and the seconds that search and evaluation took."""
    found, trained = str(folder / "search"), str(folder / "evaluate")
    began = time.perf_counter()
    command("search", "--space", "darts", "--updater", updater, "--seed", str(seed), "--out", found)
    command("evaluate", found, "--seed", str(seed), "--out", trained)
    seconds = time.perf_counter() - began
    result = json.loads(Path(trained, "result.json").read_text("utf-8"))
    return float(result["test_accuracy"]), seconds


def table(updater: str, seeds: range) -> tuple[list[float], list[float]]:
    """Print a line for each seed, and return the accuracies and the seconds."""
    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(accuracy(updater, seed, Path(folder)))
        share, taken = rows[-1]
        print(f"{updater:8} seed {seed}: {share:.2%} of the test images, {taken:.0f} s", flush=True)
    shares, seconds = [share for share, _ in rows], [taken for _, taken in rows]
    print(f"{updater:8} mean {mean(shares):.2%}, lowest {min(shares):.2%}, at most {max(seconds):.0f} s")
    return shares, seconds


def main() -> int:
    """Run all seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--updater", nargs="+", choices=UPDATERS, default=UPDATERS)
    asked = parser.parse_args()
    found = {updater: table(updater, range(asked.seeds)) for updater in asked.updater}
    shares, seconds = found.get("darts", ([1.0], [0.0]))
    missed = mean(shares) < MEAN_BAR or min(shares) < RUN_BAR or max(seconds) > SECONDS_BAR
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
