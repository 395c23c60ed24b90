"""How long `nascore list` takes, as a command: the fastest and the median of some runs, in seconds.

python benchmarks/startup.py [RUNS]
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter

RUNS = 10


def seconds(command: list[str], runs: int) -> list[float]:
    """Return the wall time of each run of a command."""
    times = []
    for _ in range(runs):
        begin = perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        times.append(perf_counter() - begin)
    return times


def main() -> None:
    """Print the times, beside those of an interpreter that does nothing."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    for name, command in {
        "python -c pass": [sys.executable, "-c", "pass"],
        "nascore list": [sys.executable, "-m", "nascore", "list"],
    }.items():
        times = seconds(command, runs)
        print(f"{name:16} fastest {min(times):.3f} s, median {median(times):.3f} s, {runs} runs")


if __name__ == "__main__":
    main()
