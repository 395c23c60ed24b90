"""What XNAS's rewards cost, and what its wipe-out saves. Exits with 1 where rewards cost more than 15 %.

An architecture step with rewards for each use and image (a mixture [K, B, E, O]) is timed against the same
step with a mixture that all share ([E, O]); and a whole step, of weights and architecture, with few
operations alive against one with all of them. Space darts, data digits, batch 32, one thread, the execution
of a search. Both kinds take turns in one process, and of each the least time counts: time of the processor,
since other processes may be busy.

    python benchmarks/xnas_step.py
    python benchmarks/xnas_step.py --repetitions 40
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING

import torch
from attrs import frozen

import nascore.builtin
import nascore_darts
import nascore_xnas
from nascore.engine.api import Criterion, Passes, draw, first, pull_back
from nascore.engine.build import build_search
from nascore.engine.device import computing
from nascore.engine.phase_factory import search_phase
from nascore.plugin import Registry
from nascore.recipe import Request, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nascore.engine.api import Phase, Search
    from nascore.engine.factory import SearchParts
    from nascore.engine.run_context import RunContext

BAR = 1.15
SIZES = ((4, 3), (8, 5))
"""Channels and cells: of the scale mini, and a little larger."""


@frozen(kw_only=True)
class Setup:
    """A search that is about to begin.

    Attributes:
        phase: Its phase.
        parts: Its parts; the trainer is started.
    """

    phase: Phase
    parts: SearchParts

    @property
    def search(self) -> Search:
        """The architecture parameters of the phase, and the parts that change them."""
        assert self.phase.search is not None
        return self.phase.search

    def architecture(self) -> None:
        """Make an architecture step, as the trainer does."""
        phase, search = self.phase, self.search
        batch = phase.batches["architecture"].next()
        drawn = draw(search, phase.streams, len(batch[1]))
        passes = Passes(network=phase.network, streams=phase.streams, criterion=Criterion(), runs=drawn.runs)
        weights = dict(phase.network.named_parameters())
        found = first(passes.loss(batch), weights, drawn.leaf)
        search.updater.step(search.state, pull_back(phase, drawn, found.mixture))

    def keep(self, share: float) -> None:
        """Leave so much of what each edge offers, `none` apart, at random but always alike; 0: one of it."""
        generator = torch.Generator().manual_seed(0)
        for name, group in self.search.state.groups.items():
            offered = torch.tensor([op.name != "none" for op in group.ops])
            alive = torch.zeros_like(self.search.state.alive[name])
            for row in alive:
                mixed = torch.randperm(int(offered.sum()), generator=generator)
                row[torch.nonzero(offered).flatten()[mixed[: max(1, round(share * len(mixed)))]]] = True
            self.search.state.alive[name].copy_(alive)


def set_up(folder: Path, size: tuple[int, int], **settings: str) -> Setup:
    """Build a search with xnas in the space darts."""
    sets = [f"space.channels={size[0]}", f"space.cells={size[1]}", "trainer.batch=32", "trainer.warm_up=0"]
    sets += [f"updater.{name}={value}" for name, value in settings.items()]
    registry = Registry.of(builtin=nascore.builtin, darts=nascore_darts, xnas=nascore_xnas)
    names = {"space": ["darts"], "updater": ["xnas"]}
    recipe = settled(Request(names=names, sets=sets, run={"device": "cpu"}), registry)
    live: RunContext
    live, parts = build_search(recipe, registry, out=folder, observers=())
    phase = search_phase(live, parts, live.streams(1))
    parts.trainer.start(phase)
    return Setup(phase=phase, parts=parts)


def least(ways: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Return the least seconds of each way; they take turns, and the first turn does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repetitions + 1):
        for name, way in ways.items():
            began = process_time()
            way()
            if turn:
                seconds[name].append(process_time() - began)
    return {name: min(taken) for name, taken in seconds.items()}


def rewards(folder: Path, size: tuple[int, int], repetitions: int) -> Iterator[tuple[str, float, float]]:
    """Yield the row of an architecture step: its name, seconds, and times those of the shared mixture."""
    ways = {
        granularity: set_up(folder / granularity, size, granularity=granularity).architecture
        for granularity in ("batch", "sample")
    }
    found = least(ways, repetitions)
    yield "architecture step, shared mixture", found["batch"], 1.0
    yield "architecture step, rewards", found["sample"], found["sample"] / found["batch"]


def wipe_out(folder: Path, size: tuple[int, int], repetitions: int) -> Iterator[tuple[str, float, float]]:
    """Yield the rows of a whole step with all, half and one of an edge's operations alive."""
    shares = {"all": 1.0, "half": 0.5, "one": 0.0}
    ways: dict[str, Callable[[], object]] = {}
    for name, share in shares.items():
        made = set_up(folder / name, size, wipe_out="false", eta="1e-6")
        made.keep(share)
        ways[name] = made.parts.trainer.step
    found = least(ways, repetitions)
    for name, seconds in found.items():
        yield f"whole step, {name} alive on each edge", seconds, seconds / found["all"]


def main() -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description="What XNAS's rewards cost, and what its wipe-out saves.")
    parser.add_argument("--repetitions", type=int, default=20, help="of each kind (default 20)")
    asked = parser.parse_args()
    print(f"{'size':8} {'what':38} {'ms':>8} {'ratio':>6}")
    missed: Sequence[str] = []
    for size in SIZES:
        label = f"C{size[0]} L{size[1]}"
        with computing(1), TemporaryDirectory() as folder:
            rows = [
                *rewards(Path(folder), size, asked.repetitions),
                *wipe_out(Path(folder), size, asked.repetitions),
            ]
        for what, seconds, ratio in rows:
            print(f"{label:8} {what:38} {1000 * seconds:8.1f} {ratio:6.3f}", flush=True)
        missed = [*missed, *(label for what, _, ratio in rows if "rewards" in what and ratio > BAR)]
    print(f"rewards cost more than {BAR - 1:.0%}: {', '.join(missed)}" if missed else "the bar is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
