"""Searches in two threads, beside a network that answers and a thread that draws.

    python benchmarks/threads.py [REPETITIONS]

Prints how many of the searches found other weights than alone, how many raised, how often the network failed,
and how many draws of the other thread had come before.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter

import torch
from torch import nn

import nascore

SETTINGS = {
    "dataset.count": 32,
    "dataset.size": 4,
    "trainer.epochs": 1,
    "trainer.batch": 8,
    "trainer.warm_up": 0,
    "ranking.epochs": 1,
    "ranking.batch": 8,
    "ranking.drop_path": 0.3,
}
SEEDS = (1, 2)


class Beside:
    """What two other threads see while searches run."""

    def __init__(self) -> None:
        self.stop = False
        self.calls, self.draws, self.repeated = 0, 0, 0
        self.failed: Counter[str] = Counter()

    def answer(self) -> None:
        """Let a network answer until it is told to stop."""
        network = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)).eval()
        while not self.stop:
            self.calls += 1
            try:
                network(torch.zeros(1, 8))
            except Exception as error:  # noqa: BLE001 - whatever is raised there is what is looked for
                self.failed[repr(error)] += 1

    def draw(self) -> None:
        """Draw from torch's global generator until it is told to stop."""
        seen: set[tuple[float, ...]] = set()
        while not self.stop:
            value = tuple(torch.rand(4).tolist())
            self.draws += 1
            self.repeated += value in seen
            seen.add(value)


def weights(seed: int, folder: Path) -> bytes:
    """Search, and return the weights that were found."""
    run = nascore.search(
        space="tiny",
        updater="sgd",
        dataset="synthetic",
        scale="mini",
        seed=seed,
        settings=SETTINGS,
        out=folder,
    )
    return (run.path / "best" / "weights.safetensors").read_bytes()


def main(repetitions: int) -> None:
    """Search alone, then repeat in two threads at once."""
    other, raised, began = 0, Counter[str](), perf_counter()
    with TemporaryDirectory() as root:
        alone = {seed: weights(seed, Path(root) / f"alone{seed}") for seed in SEEDS}
        beside = Beside()
        watching = [Thread(target=beside.answer), Thread(target=beside.draw)]
        for thread in watching:
            thread.start()
        for number in range(repetitions):
            found: dict[int, bytes] = {}

            def work(seed: int, number: int = number, found: dict[int, bytes] = found) -> None:
                try:
                    found[seed] = weights(seed, Path(root) / f"{number}-{seed}")
                except Exception as error:  # noqa: BLE001 - counted
                    raised[repr(error)] += 1

            threads = [Thread(target=work, args=(seed,)) for seed in SEEDS]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            other += sum(one != alone[seed] for seed, one in found.items())
        beside.stop = True
        for thread in watching:
            thread.join()
    print(f"{repetitions * len(SEEDS)} searches: {other} other than alone, raised {dict(raised)}")
    print(f"network: {beside.calls} calls, failed {dict(beside.failed)}")
    print(f"draws: {beside.draws}, of which {beside.repeated} had come before")
    print(f"{perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
