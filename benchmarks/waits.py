"""Counts how often a search waits for its device, and prints from where.

    python benchmarks/waits.py
    python benchmarks/waits.py --updater xnas --json

A search of a few steps in the space darts runs as on an accelerator, whose losses are read every ten steps.
Counted are the waits inside the steps, apart for both halves of the search, and those outside them: at logs
and at the ends of epochs. Copies to the device from memory that is not pinned wait as well; they are listed
too. See :mod:`counting` for the way in which a CPU shows all this.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from counting import Counts, counting
from nascore.builtin.alternating import Alternating
from nascore.engine.device import computing
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import LOG_EVERY
from searches import Size, executions, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.builtin.components import AlternatingSettings
    from nascore.engine.api import Phase, StepReport

UPDATERS = {"darts": {}, "xnas": {"trainer.sequence": "weights-first"}}
"""The updaters with the settings of their papers."""

EPOCHS = 4
STEPS = 12


class Noting(Alternating):
    """The trainer, which notes the counts of each step.

    Args:
        settings: Its settings.
        total: The counts of the whole search so far.
    """

    def __init__(self, settings: AlternatingSettings, total: Counts) -> None:
        super().__init__(settings)
        self.total = total
        self.steps: list[Counts] = []

    def start(self, phase: Phase) -> None:
        """Begin a phase."""
        super().start(phase)
        self.before = self.total.copied()

    def step(self) -> StepReport:
        """Make a step."""
        before = self.total.copied()
        report = super().step()
        self.steps.append(self.total.since(before))
        return report


def counted(updater: str, size: Size, execution: str) -> dict[str, Any]:
    """Return the waits and copies of a search by its parts, each by place."""
    with TemporaryDirectory() as folder, counting() as total:
        settings = UPDATERS[updater]
        setup = set_up(
            Path(folder, "run"),
            size,
            execution,
            updater=updater,
            epochs=EPOCHS,
            steps=STEPS,
            settings=settings,
        )
        trainer = Noting(setup.settings, total)
        setup.phase.log_every = LOG_EVERY
        run_phase(setup.phase, trainer, setup.context.observers)
        whole = total.since(trainer.before)
    middle = len(trainer.steps) // 2
    first, second = _sum(trainer.steps[1:middle]), _sum(trainer.steps[middle:])
    inside = _sum(trainer.steps)
    outside = Counts(reads=whole.reads - inside.reads, copies=whole.copies - inside.copies)
    return {
        "updater": updater,
        "execution": execution,
        "first step": _plain(trainer.steps[0], 1),
        "step, first half": _plain(first, middle - 1),
        "step, second half": _plain(second, len(trainer.steps) - middle),
        "epoch, outside of steps": _plain(outside, EPOCHS),
    }


def _sum(steps: list[Counts]) -> Counts:
    reads, copies = Counter[str](), Counter[str]()
    for step in steps:
        reads += step.reads
        copies += step.copies
    return Counts(reads=reads, copies=copies)


def _plain(counts: Counts, times: int) -> dict[str, Any]:
    """Return the waits and copies of one of several equal parts, by place."""
    return {
        "waits": {place: number / times for place, number in counts.reads.most_common()},
        "copies": {place: number / times for place, number in counts.copies.most_common()},
    }


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report."""
    yield f"{figures['updater']}, execution {figures['execution']}"
    for part, found in figures.items():
        if isinstance(found, dict):
            waits, copies = (sum(found[kind].values()) for kind in ("waits", "copies"))
            yield f"  {part}: {waits:.2f} waits, {copies:.2f} copies"
            for kind in ("waits", "copies"):
                for place, number in found[kind].items():
                    yield f"    {number:7.2f} {kind:6} {place}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Counts how often a search waits for its device.")
    parser.add_argument("--updater", choices=UPDATERS, help="default: each of them")
    parser.add_argument("--execution", default="fused", help="of the network (default fused)")
    parser.add_argument("--cells", type=int, default=3, help="of the network (default 3)")
    parser.add_argument("--nodes", type=int, default=4, help="of a cell (default 4)")
    parser.add_argument("--json", action="store_true", help="print plain values instead of a report")
    options = parser.parse_args(arguments)
    size = Size(channels=2, cells=options.cells, nodes=options.nodes, batch=4, size=8)
    (execution,) = executions(options.execution)
    with computing(1):
        names = [options.updater] if options.updater else list(UPDATERS)
        found = [counted(updater, size, execution) for updater in names]
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for figures in found:
        for line in lines(figures):
            print(line)


if __name__ == "__main__":
    main()
