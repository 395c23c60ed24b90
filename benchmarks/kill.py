"""Kills runs at random moments, resumes them, and compares them with runs that nobody killed.

    python benchmarks/kill.py
    python benchmarks/kill.py --kills 5 --only xnas

Each mix is run once undisturbed. Then it is begun in a process of its own, which gets a SIGKILL after a
random share of the time that the run takes, and is resumed by `nascore resume`, until it has been killed so
often; the last process may end. A checkpoint is written after each step, so that many kills hit the writing.
Every file must be equal, times aside; a run that cannot be resumed is lost. Exits with 1 where one differs or
is lost.

    python benchmarks/kill.py --share

prints the share of a search's time that checkpoints take at the default interval.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from resumed_runs import differences

import nascore
from nascore.engine.checkpoint import Checkpoints
from nascore.run import CHECKPOINT_EVERY

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = ["--dataset", "synthetic", "--scale", "mini", "--set", "dataset.count=256"]
SEARCH = [
    "search", "--space", "tiny", *SMALL,
    "--set", "trainer.epochs=6", "--set", "trainer.batch=8", "--set", "training.epochs=4",
    "--set", "training.batch=8",
]  # fmt: skip
GROWTH = ["search", "--space", "tiny", *SMALL, "--set", "trainer.batch=8", "--set", "training.batch=8"]
GROWN = [
    "--set", "growth.count=4", "--set", "growth.seed_epochs=2", "--set", "growth.child_epochs=2",
    "--set", "trainer.epochs=2", "--set", "trainer.warm_up=0",
]  # fmt: skip
MIXES = {
    "darts first order": [*SEARCH, "--updater", "darts"],
    "darts unrolled": [*SEARCH, "--updater", "darts", "--set", "trainer.estimate=unrolled"],
    "xnas": [*SEARCH, "--updater", "xnas"],
    "data": [*SEARCH, "--updater", "data"],
    "petridish + xnas": [*GROWTH, "--updater", "xnas", "--growth", "petridish", *GROWN],
    "random": [*GROWTH, "--growth", "random", "--set", "growth.count=4", "--set", "training.epochs=3"],
    "evolution": [
        *GROWTH, "--growth", "evolution", "--set", "growth.count=6", "--set", "growth.population=3",
        "--set", "training.epochs=2",
    ],
    "evaluate": ["evaluate", "DARTS_V2", *SMALL, "--set", "training.epochs=3", "--set", "training.batch=16",
                 "--set", "training.channels=4", "--set", "training.cells=3"],
}  # fmt: skip
EVERY = ["--checkpoint-every", "0s"]


def command(*words: str) -> list[str]:
    """Return the command of some words."""
    return [sys.executable, "-m", "nascore", *words]


def finish(words: Sequence[str]) -> tuple[int, str]:
    """Run a command to its end; returns its exit code and what it printed to stderr."""
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False)  # noqa: S603 - ours
    return done.returncode, done.stderr


def killed(words: Sequence[str], after: float) -> bool:
    """Run a command and kill it after some seconds; returns whether it was still running."""
    with subprocess.Popen(  # noqa: S603 - ours
        command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    ) as process:
        end = perf_counter() + after
        while perf_counter() < end and process.poll() is None:
            sleep(0.01)
        running = process.poll() is None
        process.kill()
    return running


def kill_and_resume(name: str, folder: Path, kills: int, random: Random) -> tuple[int, list[str], str]:
    """Kill a run so often, resuming it each time; returns the kills, the files that differ, and the error."""
    whole, run = folder / "whole", folder / "run"
    began = perf_counter()
    code, error = finish([*MIXES[name], "--out", str(whole)])
    if code:
        return 0, [], error
    longest = (perf_counter() - began) * 1.5
    words, count = [*MIXES[name], "--out", str(run), *EVERY], 0
    while count < kills and killed(words, random.uniform(0.3, 1) * longest):
        count += 1
        if (run / "recipe.yaml").exists() and (run / "environment.json").exists():
            words = ["resume", str(run), *EVERY]
        else:  # killed before it was written what it is: it is begun again
            words = [*MIXES[name], "--out", str(folder / f"run{count}"), *EVERY]
            run = folder / f"run{count}"
    if not (run / "result.json").exists():
        code, error = finish(words)
        if code:
            return count, [], error
    return count, differences(whole, run), ""


def measure_share(folder: Path) -> None:
    """Print the share of the time of a search that its checkpoints take at the default interval."""
    times: list[float] = []
    save = Checkpoints.save

    def timed(self: Checkpoints, checkpoint: object) -> None:
        start = perf_counter()
        save(self, checkpoint)  # type: ignore[arg-type]
        times.append(perf_counter() - start)

    Checkpoints.save = timed  # type: ignore[method-assign,assignment]
    began = perf_counter()
    settings = {"trainer.epochs": 2}
    out = folder / "run"
    nascore.search(space="darts", updater="darts", settings=settings, out=out, checkpoint_every="1s")
    taken = perf_counter() - began
    each = sum(times) / len(times)
    print(f"{len(times)} checkpoints in {taken:.1f} s, {each * 1000:.0f} ms each")
    print(f"share at the default interval of {CHECKPOINT_EVERY:.0f} s: {each / CHECKPOINT_EVERY:.3%}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Kills and resumes runs.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", choices=MIXES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", action="store_true")
    given = parser.parse_args()
    bad = 0
    with TemporaryDirectory() as temporary:
        if given.share:
            measure_share(Path(temporary))
            return 0
        print(f"{'mix':<20}{'kills':>6}{'differences':>13}{'lost':>6}{'seconds':>9}")
        for name in MIXES if given.only is None else (given.only,):
            folder = Path(temporary) / name.replace(" ", "-")
            folder.mkdir()
            began = perf_counter()
            random = Random(f"{given.seed}/{name}")  # noqa: S311 - nothing secret
            kills, different, error = kill_and_resume(name, folder, given.kills, random)
            bad += bool(different) + bool(error)
            seconds = perf_counter() - began
            print(f"{name:<20}{kills:>6}{len(different):>13}{bool(error):>6}{seconds:>9.0f}", flush=True)
            for line in (*different, *error.splitlines()[-3:]):
                print(f"    {line}", flush=True)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
