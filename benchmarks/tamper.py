"""Damages every file of three runs, and asks whatever reads them. Exits with 1 where an answer is bad.

A search, an evaluation and a comparison are made; each of their files that a verb reads is cut off at every
byte and changed by one bit at random places, and each reader of the file is asked what it answers. Right is
what it answered before; refused is an error of nascore, or the status `unreadable`; a different answer, a
traceback and an answer that does not come are bad. Then the same, with fewer changes,

- by command lines as users type them;
- in runs as a kill leaves them, in the middle of a search and of a growth. Their `metrics.jsonl` and
  `changes.jsonl` are listed when a run is over, and a `gallery.jsonl` that was cut off is that of a moment
  before: wrong answers from them are counted only;
- in copies without checksums, as earlier versions left them, where each value of each JSON file is also
  replaced by values of other types and out of bounds: tracebacks and hangs are bad there, and wrong answers
  are counted, since nothing tells them from right ones.

    python benchmarks/tamper.py --jobs 2
    python benchmarks/tamper.py --flips 100 --prefixes 100
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import Counter
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, gettempdir
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from attrs import define, frozen

import nascore
from nascore.contract import Observer
from nascore.files.checksums import GROWING

# What the tests do is done here, only more of it.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from damages import flips, prefixes, values_of
from tampered import ANSWERS, Tampering, one_registry, unlisted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SMALL = {
    "dataset.count": 64,
    "dataset.size": 8,
    "training.batch": 8,
    "training.epochs": 1,
    "training.channels": 2,
    "training.cells": 1,
}
RANKING = {path.replace("training.", "ranking."): value for path, value in SMALL.items()}
SEARCHING = {**RANKING, "trainer.batch": 8, "trainer.epochs": 2, "space.channels": 2}
NAMED: dict[str, Any] = {"dataset": "synthetic", "scale": "mini"}
GROWN = 19
"""Jobs of the growth that is killed: from the 17th on the gallery has a file of lines."""

SHOWN = 20


@define
class Killed(Observer):
    """Copies a run while it is under way, as a kill would leave it.

    Attributes:
        to: Where the copy goes.
        after: So many jobs are done by then.
    """

    to: Path
    after: int
    _folder: Path = Path()

    def run_started(self, folder: Path, recipe: object) -> None:
        """See where the run is."""
        del recipe
        self._folder = folder

    def job_finished(self, name: str, result: Mapping[str, Any]) -> None:
        """Copy the run's folder."""
        del name, result
        self.after -= 1
        if not self.after:
            shutil.copytree(self._folder, self.to)


def made(folder: Path) -> None:
    """Make the runs, each alone in a folder."""
    search, evaluation, comparison, killed, grown = (
        folder / name / "run" for name in ("search", "evaluate", "compare", "killed", "grown")
    )
    # With the architecture of nb201 every verb has an answer: a notation can say it.
    nb201 = {**SEARCHING, "ranking.cells": 3}
    nascore.search(
        **NAMED, space="nb201", updater="darts", settings=nb201, out=search, observers=[Killed(killed, 1)]
    )
    nascore.evaluate(search, settings={**SMALL, "training.cells": 3}, out=evaluation)
    nascore.search_several(
        **NAMED, space="tiny", updater=["sgd", "uniform"], settings=SEARCHING, out=comparison
    )
    growing = {**SEARCHING, "growth.count": GROWN + 1}
    nascore.search(
        **NAMED,
        space="tiny",
        growth="random",
        settings=growing,
        out=folder / "whole" / "run",
        observers=[Killed(grown, GROWN)],
    )
    shutil.rmtree(folder / "whole")


@frozen
class Task:
    """A file to damage.

    Attributes:
        kind: How the run is asked, of those in `asked`.
        run: Name of the folder in which it stands alone.
        file: Its path in the run.
        prefixes: How many; all where it has no more bytes.
        flips: How many.
        values: Whether values of JSON are replaced too.
    """

    kind: str
    run: str
    file: str
    prefixes: int
    flips: int
    values: bool = False


FUNCTIONS, TYPED, UNDER_WAY, OLD = KINDS = "functions", "typed", "killed", "old"
"""How runs are asked: by functions, by command lines; and what runs: killed ones, and without checksums."""


def tasks(folder: Path, whole: tuple[int, int], few: int, only: str | None) -> Iterator[Task]:
    """Yield what is to be done, each file alone."""
    for kind, names, numbers in (
        (FUNCTIONS, ("search", "evaluate", "compare"), whole),
        (TYPED, ("search", "evaluate", "compare"), (few // 10, few // 10)),
        (UNDER_WAY, ("killed", "grown"), (few, few)),
        (OLD, ("search", "evaluate", "compare"), (few, few)),
    ):
        for name in names if only in {None, kind} else ():
            tampering = asked(kind, name, folder)
            for path in tampering.files():
                at = path.relative_to(tampering.run).as_posix()
                values = kind == OLD and path.suffix in {".json", ".jsonl"}
                # Of 19 architectures that were grown two are enough.
                if (
                    name != "grown"
                    or not at.startswith("architectures/")
                    or at.endswith(("01.yaml", "18.yaml"))
                ):
                    yield Task(kind, name, at, *numbers, values)
            print(
                f"{kind}, {name}: {len(tampering.files())} files, {len(tampering.readers)} readers",
                flush=True,
            )


@cache
def asked(kind: str, name: str, folder: Path) -> Tampering:
    """Return a run of this process, ready to be damaged."""
    run = folder / name / "run"
    if kind == OLD:
        run = unlisted(run, folder / "old" / name)
    return Tampering(run, typing=kind == TYPED)


def own(made_in: Path) -> Path:
    """Return the folder of the copies of this process."""
    folder = made_in / f"of {os.getpid()}"
    if not folder.exists():
        for name in ("search", "evaluate", "compare", "killed", "grown"):
            shutil.copytree(made_in / name, folder / name)
    return folder


def _uncovered(task: Task, text: str) -> bool:
    """Return whether no checksum can tell what is in a file: of a killed run it may be an earlier state."""
    name = Path(task.file).name
    cut_off = name == "gallery.jsonl" and " cut off at " in text
    return task.kind == OLD or (task.kind == UNDER_WAY and (name in GROWING or cut_off))


def done(made_in: Path, task: Task) -> tuple[Task, Counter[str], list[str], int]:
    """Damage a file; return the task, the answers, the bad ones, and how many damages there were."""
    torch.set_num_threads(1)
    random = Random(f"{task.run} {task.file}")  # noqa: S311 - mutations
    with one_registry():
        tampering = asked(task.kind, task.run, own(made_in))
        tampering.answers, tampering.found, count = Counter(), [], 0
        path = tampering.run / task.file
        content = path.read_bytes()
        damages = [
            prefixes(content, task.prefixes, random),
            flips(content, task.flips, random),
            list(values_of(path)) if task.values else (),
        ]
        with tampering.damaging(path) as tried:
            for changed, what in (one for kind in damages for one in kind):
                tried(changed, what)
                count += 1
    return task, tampering.answers, tampering.found, count


def main() -> int:
    """Damage the runs; print how many answers were of which kind, and the bad ones."""
    parser = argparse.ArgumentParser(description="Files of runs, cut off and changed, and what is answered.")
    parser.add_argument(
        "--prefixes", type=int, default=1 << 60, metavar="N", help="Of each file; all by default."
    )
    parser.add_argument("--flips", type=int, default=10_000, metavar="N", help="Of each file.")
    parser.add_argument("--few", type=int, default=200, metavar="N", help="Of each, where there are fewer.")
    parser.add_argument("--only", choices=sorted(KINDS), default=None, help="Only what is asked in one way.")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="Processes.")
    given = parser.parse_args()
    began, answers, damages, bad = perf_counter(), {}, Counter[str](), []
    shared = Path("/dev/shm")  # noqa: S108 - memory, where there is some: a million files are written
    with TemporaryDirectory(dir=shared if shared.is_dir() else gettempdir()) as name:
        folder = Path(name)
        made(folder)
        with one_registry(), get_context("fork").Pool(given.jobs) as pool:
            todo = list(tasks(own(folder), (given.prefixes, given.flips), given.few, given.only))
            for task, found, texts, count in pool.imap_unordered(_Done(folder), todo):
                kind = task.kind
                answers[kind] = answers.get(kind, Counter()) + found
                damages[kind] += count
                bad += [text for text in texts if not (text.startswith("wrong") and _uncovered(task, text))]
    for kind, found in answers.items():
        figures = ", ".join(f"{found[word]:,} {word}" for word in ANSWERS)
        print(f"{kind}: {damages[kind]:,} damages: {figures}")
    print("\n".join(sorted(bad, key=lambda text: text.partition(":")[0] == "wrong")[:SHOWN]))
    print(f"{perf_counter() - began:.0f} s")
    return 1 if bad else 0


@frozen
class _Done:
    folder: Path

    def __call__(self, task: Task) -> tuple[Task, Counter[str], list[str], int]:
        return done(self.folder, task)


if __name__ == "__main__":
    sys.exit(main())
