"""Damages the files of three runs, and asks whatever reads them. Exits with 1 where an answer is bad.

A search, an evaluation and a comparison are made; each of their files that a verb reads is cut off at every
byte (or at `--prefixes` of them) and changed by one bit at random places. Each reader of the file is asked
what it answers: right is what it answered before, refused is an error of nascore or the status `unreadable`;
a different answer, a traceback and an answer that does not come are bad. Then, in copies without checksums,
as earlier versions left them, each value of each JSON file is replaced by values of other types and out of
bounds: tracebacks and hangs are bad, and so is a run beside it that is not listed any more.

    python benchmarks/tamper.py
    python benchmarks/tamper.py --prefixes 300 --flips 1000
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

import nascore

# What the tests do is done here, only more of it.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from tampered import Tampering, flips, one_registry, prefixes, unlisted, values_of

SMALL = {
    "dataset.count": 64,
    "dataset.size": 8,
    "training.batch": 8,
    "training.epochs": 1,
    "training.channels": 2,
}
SHOWN = 20


def made(folder: Path) -> list[Path]:
    """Make the three runs, each alone in a folder."""
    search, evaluation, comparison = (folder / name / "run" for name in ("search", "evaluate", "compare"))
    quick = {**SMALL, "training.cells": 1}
    searching = {**quick, "trainer.batch": 8, "trainer.epochs": 2, "space.channels": 2}
    named = {"space": "tiny", "dataset": "synthetic", "scale": "mini"}
    nascore.search(**named, updater="darts", settings=searching, out=search)
    nascore.evaluate(search, settings={**quick, "training.channels": 2}, out=evaluation)
    nascore.search_several(
        **named, updater=["sgd", "uniform"], seeds=[0, 1], settings=searching, out=comparison
    )
    return [search, evaluation, comparison]


def damaged(run: Path, most: int, count: int) -> Tampering:
    """Cut off and change the files of a run; the bits are spread over the files by chance."""
    tampering = Tampering(run)
    random = Random(0)  # noqa: S311 - mutations
    files = tampering.files()
    for path in files:
        content, names = path.read_bytes(), tampering.reading(path)
        for changed, what in prefixes(content, most, random):
            tampering.tried(path, changed, names, what)
        for changed, what in flips(content, count // len(files) + 1, random):
            tampering.tried(path, changed, names, what)
    return tampering


def revalued(run: Path) -> Tampering:
    """Replace the values of the JSON files of a run of an earlier version."""
    tampering = Tampering(run)
    for path in tampering.files():
        if path.suffix in {".json", ".jsonl"}:
            names = tampering.reading(path)
            for changed, what in values_of(path):
                tampering.tried(path, changed, names, what)
    return tampering


def main() -> int:
    """Damage the runs; print how many answers were of which kind, and the bad ones."""
    parser = argparse.ArgumentParser(description="Files of runs, cut off and changed, and what is answered.")
    parser.add_argument(
        "--prefixes", type=int, default=1 << 60, metavar="N", help="Of each file; all by default."
    )
    parser.add_argument("--flips", type=int, default=10_000, metavar="N", help="Of all files of all runs.")
    given = parser.parse_args()
    began, bad = perf_counter(), []
    with TemporaryDirectory() as folder, one_registry():
        found = made(Path(folder))
        done = [damaged(run, given.prefixes, given.flips // len(found)) for run in found]
        whole = sum((Counter(one.answers) for one in done), Counter())
        print(f"cut off or one bit changed: {dict(whole)}")
        bad += [text for one in done for text in one.found]
        old = [revalued(unlisted(run, Path(folder) / "old" / run.parent.name)) for run in found]
        values = sum((Counter(one.answers) for one in old), Counter())
        print(f"one value replaced, without checksums: {dict(values)}")
        bad += [text for one in old for text in one.found if not text.startswith("wrong")]
    print("\n".join(bad[:SHOWN]))
    print(f"{perf_counter() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
