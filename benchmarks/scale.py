"""How the cost of a step grows with each size of a search in the space darts, by one execution.

    python benchmarks/scale.py
    python benchmarks/scale.py --execution plain --axes cells,channels --json

One size varies at a time: cells, nodes, channels, batch, the operations that are alive on each edge, and the
uses of a cell whose mixture differs for each use and image, as XNAS's rewards require. All values of an axis
take turns, on one thread; counted is the median time of the processor. The slope is that of the logarithms:
1 means that the cost is proportional, 0 that the size costs nothing.
"""

from __future__ import annotations

import argparse
import json
from math import log
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import evolve

from nascore.engine.device import computing
from searches import LAPTOP, executions, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from searches import Setup

BASE: Final = evolve(LAPTOP, batch=16)
AXES: Final[Mapping[str, tuple[int, ...]]] = {
    "cells": (3, 6, 12),
    "nodes": (1, 2, 4),
    "channels": (4, 8, 16),
    "batch": (8, 16, 32),
    "operations": (1, 2, 4, 8),
    "uses": (1, 3, 5),
}
"""The values of each size."""

REDUCING = 2
"""Number of cells that reduce; the others use the normal cell."""

STEPS: Final = ("weights", "first")


def built(axis: str, value: int, execution: str, folder: Path) -> Setup:
    """Return the search in which one size has a value."""
    if axis == "operations":
        setup = set_up(folder, BASE, execution)
        keep(setup, value)
        return setup
    if axis == "uses":
        settings = {"updater.granularity": "sample", "updater.wipe_out": "false", "updater.eta": "1e-6"}
        size = evolve(BASE, cells=value + REDUCING)
        return set_up(folder, size, execution, updater="xnas", settings=settings)
    return set_up(folder, evolve(BASE, **{axis: value}), execution)


def keep(setup: Setup, count: int) -> None:
    """Leave so many operations alive on each edge, at random but always the same."""
    search = setup.phase.search
    assert search is not None
    generator = torch.Generator().manual_seed(0)
    for alive in search.state.alive.values():
        chosen = torch.zeros_like(alive)
        for row in chosen:
            row[torch.randperm(len(row), generator=generator)[:count]] = True
        alive.copy_(chosen)


def measure(axis: str, values: Sequence[int], execution: str, repetitions: int) -> dict[str, Any]:
    """Return the seconds of each step for each value of an axis, and the slopes."""
    with TemporaryDirectory() as folder:
        setups = {value: built(axis, value, execution, Path(folder, str(value))) for value in values}
        trainers = {value: setup.trainers(STEPS) for value, setup in setups.items()}
        ways = {(value, step): trainers[value][step].step for value in values for step in STEPS}
        taken: dict[tuple[int, str], list[float]] = {way: [] for way in ways}
        for turn in range(repetitions + 1):
            for way, run in ways.items():
                began = process_time()
                run()
                if turn:
                    taken[way].append(process_time() - began)
    costs = {step: [median(taken[value, step]) for value in values] for step in STEPS}
    return {"axis": axis, "values": list(values), "seconds": costs, "slope": _slopes(values, costs)}


def _slopes(values: Sequence[int], costs: Mapping[str, Sequence[float]]) -> dict[str, float]:
    logs = [log(value) for value in values]
    return {step: linear_regression(logs, [log(cost) for cost in each]).slope for step, each in costs.items()}


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of an axis."""
    costs, slopes = figures["seconds"], figures["slope"]
    for place, value in enumerate(figures["values"]):
        name = figures["axis"] if not place else ""
        yield f"{name:12} {value:5} " + " ".join(f"{1000 * costs[step][place]:12.1f}" for step in STEPS)
    yield f"{'':12} slope " + " ".join(f"{slopes[step]:12.2f}" for step in STEPS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="How the cost of a step grows with each size.")
    parser.add_argument("--execution", default="fused", help="of the networks (default fused)")
    parser.add_argument("--axes", default=",".join(AXES), help="names with commas (default: all)")
    parser.add_argument("--repetitions", type=int, default=5, help="timed turns (default 5)")
    parser.add_argument("--json", action="store_true", help="print plain values instead of a table")
    options = parser.parse_args(arguments)
    (execution,) = executions(options.execution)
    if not options.json:
        print(
            f"{BASE} unless it varies, execution {execution}, ms\n{'':18} "
            + " ".join(f"{s:>12}" for s in STEPS)
        )
    found = []
    with computing(1):
        for axis in options.axes.split(","):
            found.append(measure(axis, AXES[axis], execution, options.repetitions))
            if not options.json:
                print("\n".join(lines(found[-1])), flush=True)
    if options.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
