"""All mixes of what is installed: how many there are, what is said of them, and whether they run.

    python benchmarks/mixes.py
    python benchmarks/mixes.py --all

A mix is one filling of each slot that has a say, and each form of a part that others can tell. The array
of the tests holds every three fillings that go together in some mix that is not refused; each of its rows is
a small search. With `--all` every mix that is not refused is searched with, on one core. Exits with 1 where a
run is at fault.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from time import process_time
from typing import TYPE_CHECKING

import torch

from nascore.plugin import discover
from nascore.recipe.advice.all_mixes import VERDICTS, mixes
from nascore.testing.mixes import covering_mixes, faults_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.plugin import Registry
    from nascore.recipe.advice.all_mixes import Mix


def searched(rows: Sequence[Mix], registry: Registry) -> int:
    """Search with each mix; print what is wrong with any, and return with how many something is."""
    faulty = 0
    for number, mix in enumerate(rows, start=1):
        said = faults_of(mix, registry)
        faulty += bool(said)
        for fault in said:
            print(f"{mix.flags}: {fault}")
        if number % 100 == 0:
            print(f"{number:,} of {len(rows):,}", file=sys.stderr)
    return faulty


def main() -> int:
    """Print the counts, run the array or everything, and print how long each took."""
    parser = argparse.ArgumentParser(description="What mixes with what, and does it run?")
    parser.add_argument("--all", action="store_true", dest="every", help="every mix, not the array")
    every = parser.parse_args().every
    torch.set_num_threads(1)
    registry = discover()

    began = process_time()
    judged = list(mixes(registry))
    counts = Counter(mix.verdict for mix in judged)
    print(f"{len(judged):,} combinations: {', '.join(f'{counts[one]:,} {one}' for one in VERDICTS)}")
    print(f"judged in {process_time() - began:.0f} s")

    began = process_time()
    accepted = [mix for mix in judged if mix.verdict != "refused"]
    rows = accepted if every else covering_mixes(accepted)
    print(f"{len(rows):,} rows{'' if every else ' hold all triples'}, made in {process_time() - began:.0f} s")

    began = process_time()
    faulty = searched(rows, registry)
    print(f"{len(rows):,} searched, {faulty:,} at fault, in {process_time() - began:.0f} s of one core")
    return int(faulty > 0)


if __name__ == "__main__":
    sys.exit(main())
