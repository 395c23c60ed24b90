"""Times the steps of a search in the space darts by each execution, against :mod:`classic`.

    python benchmarks/search_step.py
    python benchmarks/search_step.py --laptop --executions fused --repetitions 10
    python benchmarks/search_step.py --json > steps.json

The steps are those of the trainer `alternating`: a weights step, an architecture step of first order, an
unrolled one, and a whole step of first order. All networks take turns in one process, on one thread; counted
is time of the processor, since other processes may be busy, and the first turn does not count. Peak memory is
that of a fresh process above its size before the first step. Dispatched operations, those of them that
compute ("launch": all but views and allocations; "share" is theirs), and waits for the device are exact
counts of the second step; see :mod:`counting`.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Any

import torch
from attrs import asdict

import classic
from counting import Counts, counting
from nascore.engine.device import computing
from searches import Images, Size, add_size, executions, set_up, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Steps = Mapping[str, Callable[[], object]]

CLASSIC = "classic"

STEPS = {
    "weights": "weights step",
    "first": "architecture step, first order",
    "unrolled": "architecture step, unrolled",
    "search": "whole step, first order",
}
"""The steps by name, with their titles."""


def steps_of(name: str, size: Size, folder: Path) -> Steps:
    """Return the steps of a network, by name.

    Args:
        name: `classic`, or an execution of nascore.
        size: The size of the search.
        folder: A folder for the run; must not exist.
    """
    if name != CLASSIC:
        return {step: trainer.step for step, trainer in set_up(folder, size, name).trainers().items()}
    device = torch.device("cpu")
    network = classic.Network(size.channels, size.cells, nodes=size.nodes).to(device)
    search = classic.Search(network)
    train, held = Images(size, device), Images(size, device)
    return {
        "weights": lambda: search.weights_step(train.next()),
        "first": lambda: search.first_order_step(held.next()),
        "unrolled": lambda: search.unrolled_step(train.next(), held.next()),
        "search": lambda: search.search_step(train.next(), held.next()),
    }


def seconds(
    names: Sequence[str], size: Size, repetitions: int, kinds: Sequence[str]
) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of each repetition, by network and step."""
    taken: dict[str, dict[str, list[float]]] = {name: {step: [] for step in kinds} for name in names}
    with TemporaryDirectory() as folder:
        networks = {name: steps_of(name, size, Path(folder, name)) for name in names}
        for turn in range(repetitions + 1):
            for step in kinds:
                for name, steps in networks.items():
                    began = process_time()
                    steps[step]()
                    if turn:
                        taken[name][step].append(process_time() - began)
    return taken


def counted(name: str, size: Size, kinds: Sequence[str]) -> dict[str, Counts]:
    """Return the counts of the second step of each kind, by step."""
    found = {}
    with TemporaryDirectory() as folder, counting() as total:
        steps = steps_of(name, size, Path(folder, name))
        for step in kinds:
            run = steps[step]
            run()
            before = total.copied()
            run()
            found[step] = total.since(before)
    return found


def peak(name: str, size: Size, step: str) -> float:
    """Return the peak memory of two steps of a new network above the memory before them, in MB."""
    with TemporaryDirectory() as folder:
        run = steps_of(name, size, Path(folder, name))[step]
        _forget_peak()
        base = _highest()
        run()
        run()
        return _highest() - base


def _forget_peak() -> None:
    """Give free memory back to the system, and make the present memory of the process its peak, on Linux."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU library
        if trim is not None:
            trim(0)
        clear.write_text("5", encoding="ascii")


def _highest() -> float:
    """Return the peak memory of this process in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (one for one in status.read_text(encoding="ascii").splitlines() if "VmHWM" in one)
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def peak_apart(name: str, size: Size, step: str) -> float:
    """Return :func:`peak` of a fresh process."""
    sizes = [f"--{field}={value}" for field, value in asdict(size).items()]
    command = [sys.executable, __file__, "--peak", name, step, *sizes]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this script
    return float(done.stdout)


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures of the benchmark, as plain values."""
    size, names = size_of(options), [CLASSIC, *executions(options.executions)]
    figures, steps = options.figures.split(","), options.steps.split(",")
    taken = seconds(names, size, options.repetitions, steps) if "times" in figures else {}
    counts = {name: counted(name, size, steps) for name in names} if "counts" in figures else {}
    rows = [
        {
            "network": name,
            "step": step,
            **_times(taken, name, step),
            **({"peak_mb": peak_apart(name, size, step)} if "memory" in figures else {}),
            **(_counts(counts[name][step]) if counts else {}),
        }
        for step in steps
        for name in names
    ]
    return {
        "size": asdict(size),
        "torch": torch.__version__,
        "repetitions": options.repetitions,
        "rows": rows,
    }


def _times(taken: Mapping[str, Mapping[str, Sequence[float]]], name: str, step: str) -> dict[str, float]:
    if not taken:
        return {}
    each, unit = taken[name][step], taken[CLASSIC][step]
    return {
        "seconds": median(each),
        "least": min(each),
        "most": max(each),
        "speed": median(unit) / median(each),
    }


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "operations": counts.operations,
        "launches": counts.launches,
        "operations_of_optimizers": counts.of_optimizers,
        "synchronisations": counts.synchronisations,
        "waits": dict(counts.reads),
        "copies": dict(counts.copies),
    }


def table(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield (
        f"{'step':32} {'network':10} {'ms':>9} {'spread':>7} {'speed':>6} {'MB':>7} {'memory':>6} "
        f"{'calls':>7} {'launch':>7} {'share':>6} {'waits':>5}"
    )
    unit: Mapping[str, Any] = {}
    for row in figures["rows"]:
        unit = row if row["network"] == CLASSIC else unit
        yield f"{STEPS[row['step']]:32} {row['network']:10} " + " ".join(_cells(row, unit))


def _cells(row: Mapping[str, Any], unit: Mapping[str, Any]) -> Iterator[str]:
    """Yield the figures of a row, or blanks for those that were not measured."""
    if "seconds" in row:
        spread = (row["most"] - row["least"]) / row["seconds"]
        yield f"{1000 * row['seconds']:9.1f} {spread:7.1%} {row['speed']:6.2f}"
    else:
        yield " " * 24
    yield f"{row['peak_mb']:7.0f} {row['peak_mb'] / unit['peak_mb']:6.2f}" if "peak_mb" in row else " " * 14
    if "operations" in row:
        share = row["launches"] / unit["launches"]
        yield f"{row['operations']:7} {row['launches']:7} {share:6.2f} {row['synchronisations']:5}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Times the steps of a search against a plain program.")
    add_size(parser)
    parser.add_argument(
        "--executions", default="", help="such as native,fused+recompute (default: those of the core)"
    )
    parser.add_argument("--steps", default=",".join(STEPS), help="names with commas (default: %(default)s)")
    parser.add_argument("--figures", default="times,memory,counts", help="default: %(default)s")
    parser.add_argument("--repetitions", type=int, default=5, help="timed turns (default 5)")
    parser.add_argument("--json", action="store_true", help="print plain values instead of a table")
    parser.add_argument("--peak", nargs=2, metavar=("NETWORK", "STEP"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    with computing(1):
        if options.peak:
            print(peak(options.peak[0], size_of(options), options.peak[1]))
            return
        figures = measured(options)
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"{size_of(options)}, torch {figures['torch']}, {options.repetitions} repetitions, one thread")
    for line in table(figures):
        print(line, flush=True)


if __name__ == "__main__":
    main()
