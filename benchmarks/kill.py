"""Kills runs at random moments, resumes them, and compares them with runs that nobody killed.

    python benchmarks/kill.py
    python benchmarks/kill.py --kills 5 --only xnas

Each mix is run once undisturbed. Then it is begun in a process of its own, which gets a SIGKILL at a random
moment of its work, and is resumed by `nascore resume`, until a process ends by itself; this is repeated until
there were so many kills. A checkpoint is written after each step, so that many kills hit the writing: the
column `writing` counts kills that left a file half written. Every file must be equal, times aside; a run that
cannot be resumed is lost. Exits with 1 where one differs or is lost.

    python benchmarks/kill.py --share

prints the share of a search's time that checkpoints take at the default interval.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import TemporaryDirectory, TemporaryFile
from time import perf_counter, sleep
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from attrs import Factory, define
from resumed_runs import differences

import nascore
from nascore.engine.checkpoint import Checkpoints
from nascore.run import CHECKPOINT_EVERY, COMPARISON, ENVIRONMENT, GIVEN, RECIPE, RESULT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SMALL = ["--dataset", "synthetic", "--scale", "mini", "--set", "dataset.count=256"]
SEARCH = [
    "search", "--space", "tiny", *SMALL,
    "--set", "trainer.epochs=6", "--set", "trainer.batch=8", "--set", "ranking.epochs=4",
    "--set", "ranking.batch=8",
]  # fmt: skip
GROWTH = ["search", "--space", "tiny", *SMALL, "--set", "trainer.batch=8", "--set", "ranking.batch=8"]
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
    "petridish + xnas, two processes": [
        *GROWTH, "--updater", "xnas", "--growth", "petridish", *GROWN, "--executor", "processes",
        "--set", "executor.workers=2",
    ],
    "random": [*GROWTH, "--growth", "random", "--set", "growth.count=4", "--set", "ranking.epochs=3"],
    "evolution": [
        *GROWTH, "--growth", "evolution", "--set", "growth.count=6", "--set", "growth.population=3",
        "--set", "ranking.epochs=2",
    ],
    "local search": [
        *GROWTH, "--growth", "local-search", "--set", "growth.count=6", "--set", "ranking.epochs=2",
    ],
    "several searches": [
        *SEARCH, "--updater", "darts,xnas", "--seeds", "0..1",
    ],
    "several, two processes": [
        *SEARCH, "--updater", "darts,xnas", "--seeds", "0..1", "--executor", "processes",
        "--set", "executor.workers=2",
    ],
    "evaluate": ["evaluate", "DARTS_V2", *SMALL, "--set", "training.epochs=3", "--set", "training.batch=16",
                 "--set", "training.channels=4", "--set", "training.cells=3"],
}  # fmt: skip
EVERY = ["--checkpoint-every", "0s"]


def command(*words: str) -> list[str]:
    """Return the command of some words."""
    return [sys.executable, "-m", "nascore", *words]


@define
class Kills:
    """What the kills of a mix did.

    Attributes:
        count: Number of kills.
        writing: Number of kills that left a half-written file.
        runs: Number of runs that were killed and resumed until they ended.
        different: Files that differ from those of the undisturbed run.
        errors: Last lines of the runs that could not be resumed.
    """

    count: int = 0
    writing: int = 0
    runs: int = 0
    different: list[str] = Factory(list)
    errors: list[str] = Factory(list)


def log_size(run: Path) -> int:
    """Return the size of the log of a run, which grows when a process begins its work."""
    log = run / "run.log"
    return log.stat().st_size if log.exists() else 0


def work(words: Sequence[str], run: Path, longest: float | None = None) -> tuple[float, int | None, str]:
    """Run a command, and kill it some seconds after its work began.

    Args:
        words: The command.
        run: The folder of the run.
        longest: The seconds. None: it is not killed.

    Returns:
        The seconds that it worked, its exit code (None if it was killed), and its last lines of stderr.
    """
    before = log_size(run)
    with TemporaryFile() as errors:
        # A session of its own, so that no signal of the terminal reaches it.
        with subprocess.Popen(  # noqa: S603 - ours
            command(*words), stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        ) as process:
            while log_size(run) == before and process.poll() is None:
                sleep(0.005)
            began = perf_counter()
            end = began + (inf if longest is None else longest)
            while perf_counter() < end and process.poll() is None:
                sleep(0.005)
            code = process.poll()
            process.kill()
        errors.seek(0)
        lines = errors.read().decode(errors="replace").splitlines()
    return perf_counter() - began, code, "\n".join(lines[-3:])


def half_written(run: Path) -> bool:
    """Return whether a kill left a temporary file of an atomic write."""
    names = (path.name for path in run.rglob(".*.*") if path.is_file())
    return any(name not in {".lock", ".reserve"} for name in names)


def has_begun(run: Path, command: str) -> bool:
    """Return whether a killed run can be resumed: it had written all that it begins with.

    Args:
        run: The folder of the run.
        command: The command that was killed.
    """
    begins = (COMPARISON,) if (run / COMPARISON).exists() else (RECIPE, ENVIRONMENT)
    needed = (*begins, GIVEN) if command == "evaluate" else begins
    return command == "resume" or all((run / name).exists() for name in needed)


def kill_and_resume(name: str, folder: Path, kills: int, random: Random) -> Kills:
    """Kill runs of a mix so often, resuming them each time, and compare each with an undisturbed run."""
    # Each in a folder of its own: an evaluation counts the earlier ones beside it.
    whole, result = folder / "whole" / "run", Kills()
    seconds, code, error = work([*MIXES[name], "--out", str(whole), *EVERY], whole)
    if code:
        result.errors.append(error)
    while result.count < kills and not result.errors:
        result.runs += 1
        run = folder / f"killed{result.runs}" / "run"
        kill_one(run, MIXES[name], result, partial(random.uniform, 0, 2 * seconds / kills), kills)
        if not result.errors:
            result.different += differences(whole, run)
    return result


def kill_one(run: Path, begin: Sequence[str], result: Kills, moment: Callable[[], float], kills: int) -> None:
    """Kill and resume a run until it is over, or there were enough kills.

    Args:
        run: Its folder, new.
        begin: The words of the command that begins it.
        result: Counts the kills, and has the error of a run that cannot be resumed.
        moment: Returns the seconds of work before the next kill.
        kills: Number of kills of all runs of the mix.
    """
    words = [*begin, "--out", str(run), *EVERY]
    while not (run / RESULT).exists():
        _, code, error = work(words, run, moment() if result.count < kills else None)
        if code:
            result.errors.append(error)
        if code is not None:
            return
        result.count += 1
        result.writing += half_written(run)
        if has_begun(run, words[0]):
            words = ["resume", str(run), *EVERY]
        elif run.exists():  # killed before it had written its recipe: it has to be begun again
            rmtree(run)
            words = [*begin, "--out", str(run), *EVERY]


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
        print(f"{'mix':<32}{'kills':>6}{'writing':>9}{'runs':>6}{'differences':>13}{'lost':>6}{'seconds':>9}")
        for name in MIXES if given.only is None else (given.only,):
            folder = Path(temporary) / name.replace(" ", "-")
            folder.mkdir()
            began = perf_counter()
            random = Random(f"{given.seed}/{name}")  # noqa: S311 - nothing secret
            found = kill_and_resume(name, folder, given.kills, random)
            bad += len(found.different) + len(found.errors)
            seconds = perf_counter() - began
            print(
                f"{name:<32}{found.count:>6}{found.writing:>9}{found.runs:>6}{len(found.different):>13}"
                f"{len(found.errors):>6}{seconds:>9.0f}",
                flush=True,
            )
            for line in (*found.different, *found.errors):
                print(f"    {line}", flush=True)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
