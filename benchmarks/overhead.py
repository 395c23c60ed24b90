"""What nascore adds: to a bare loop over the same network, to the start of Python, and to a job.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --steps 200 --repetitions 10 --json

A bare loop of forward pass, backward pass, clipping and SGD takes turns with an epoch of nascore's loop over
the same network, open and closed. Both read images from memory without augmentation; what an epoch of
nascore does at its end is included, so fewer steps show more of it. Counted is time of the processor, on
one thread.
"""

from __future__ import annotations

import argparse
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
from attrs import evolve
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

import executors
import many_jobs
from nascore.engine.device import computing
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import build_network, train_phase
from nascore.engine.training import supervised
from nascore_darts.genotype import from_genotype
from searches import LAPTOP, Images, WeightsSteps, set_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.nn import Network
    from searches import Setup

    Loops = tuple[Callable[[], object], Callable[[], object]]

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import nascore": ["-c", "import nascore"],
    "nascore list": ["-m", "nascore", "list"],
}
GROWTH_JOBS = 10


def bare(network: Network, mixture: Mapping[str, Tensor] | None, steps: int) -> Callable[[], None]:
    """Return a loop of so many weights steps over a network, without nascore around it."""
    weights = list(network.parameters())
    optimizer = torch.optim.SGD(weights, 0.025, momentum=0.9, weight_decay=3e-4)
    images = Images(LAPTOP, torch.device("cpu"), steps * LAPTOP.batch)

    def loop() -> None:
        for _ in range(steps):
            batch, labels = images.next()
            optimizer.zero_grad()
            cross_entropy(network(batch, mixture), labels).backward()  # type: ignore[no-untyped-call]
            clip_grad_norm_(weights, 5.0)
            optimizer.step()

    return loop


def open_loops(setup: Setup, steps: int) -> Loops:
    """Return the bare loop and that of nascore over weights steps of a supernet."""
    phase, trainer = setup.phase, WeightsSteps(setup.settings)
    assert phase.search is not None
    phase.steps = phase.steps_per_epoch = steps
    loop = bare(phase.network, phase.search.expected(), steps)  # type: ignore[arg-type]
    return loop, lambda: run_phase(phase, trainer, setup.context.observers)


def closed_loops(setup: Setup, steps: int) -> Loops:
    """Return the bare loop and that of nascore over the training of a derived network."""
    context = setup.context
    streams = context.streams(2)
    description = from_genotype("DARTS_V1", channels=LAPTOP.channels, cells=LAPTOP.cells)
    network = build_network(context, description, streams)
    trainer = supervised(evolve(context.recipe.training, epochs=1, batch=LAPTOP.batch))
    phase = train_phase(context, network, context.train(), streams, trainer)
    phase.steps = phase.steps_per_epoch = steps
    return bare(network, None, steps), lambda: run_phase(phase, trainer, context.observers)


def loop_rows(steps: int, repetitions: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the loops: milliseconds of a step, bare and by nascore."""
    with TemporaryDirectory() as folder, computing(1):
        setup = set_up(Path(folder, "run"), LAPTOP, steps=steps, epochs=1)
        for name, loops in {
            "weights step, open network": open_loops(setup, steps),
            "weights step, closed network": closed_loops(setup, steps),
        }.items():
            taken: tuple[list[float], ...] = ([], [])
            for turn in range(repetitions + 1):
                for loop, times in zip(loops, taken, strict=True):
                    began = process_time()
                    loop()
                    if turn:
                        times.append(process_time() - began)
            plain, nascore = (1000 * median(times) / steps for times in taken)
            added = median(own / base - 1 for base, own in zip(*taken, strict=True))
            yield {"name": name, "bare_ms": plain, "nascore_ms": nascore, "added": added}


def start_rows(repetitions: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of commands: milliseconds of a new process."""
    for name, arguments in COMMANDS.items():
        times = []
        for _ in range(repetitions):
            began = _children()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)  # noqa: S603 - ours
            times.append(_children() - began)
        yield {"name": name, "nascore_ms": 1000 * median(times)}


def _children() -> float:
    """Return the processor time of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def job_rows() -> Iterator[dict[str, Any]]:
    """Yield the rows of jobs: milliseconds of a job that does nothing, and of one that trains one batch."""
    _, further = executors.overhead("serial")
    yield {"name": "job that does nothing, in process", "nascore_ms": 1000 * further}
    meter = many_jobs.Meter()
    with TemporaryDirectory() as folder:
        many_jobs.search(GROWTH_JOBS, Path(folder, "run"), [meter])
    each = [after - before for before, after in zip(meter.times, meter.times[1:], strict=False)]
    yield {"name": "job of a growth run, 8 images", "nascore_ms": 1000 * median(each)}


def lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"{'':36} {'bare ms':>9} {'nascore ms':>10} {'added':>7}"
    for row in rows:
        base = f"{row['bare_ms']:9.3f}" if "bare_ms" in row else " " * 9
        added = f"{row['added']:7.1%}" if "added" in row else ""
        yield f"{row['name']:36} {base} {row['nascore_ms']:10.3f} {added}".rstrip()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="What nascore adds to a bare loop, a start and a job.")
    parser.add_argument("--steps", type=int, default=50, help="of an epoch (default 50)")
    parser.add_argument("--repetitions", type=int, default=5, help="timed turns (default 5)")
    parser.add_argument("--json", action="store_true", help="print plain values instead of a table")
    options = parser.parse_args(arguments)
    rows = [
        *loop_rows(options.steps, options.repetitions),
        *start_rows(options.repetitions),
        *job_rows(),
    ]
    print(json.dumps(rows, indent=1) if options.json else "\n".join(lines(rows)))


if __name__ == "__main__":
    main()
