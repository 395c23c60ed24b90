"""The gap between a supernet and the network that is derived from it: DATA against DARTS, over several seeds.

    python benchmarks/gap.py
    python benchmarks/gap.py --seeds 1

DATA's claim (Chang et al., NeurIPS 2019, their poster): a supernet that is trained on drawn codes is worth as
much as the network that it becomes, while DARTS's mixture is not. Four accuracies are measured, all on the
images that the architecture was fitted to and the weights were not:

- supernet: with the expected mixture, as a search reports it at its end;
- drawn: with drawn mixtures, as the weights were trained, the mean of ten; DARTS draws nothing;
- derived: the network that is derived, with the supernet's weights and no training;
- trained: the same architecture trained from scratch as a search at this scale does it.

The gap is drawn minus derived. Settings are those of the scale `mini` on the data set digits. In all but the
last, the norms of candidates take their statistics from the batch, those of the frame from training.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from attrs import frozen

from nascore.description import derive
from nascore.engine.build import build_search
from nascore.engine.derive import picks_of, prepared
from nascore.engine.device import computing
from nascore.engine.forward import measure
from nascore.engine.jobs import open_job
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import build_network, inherit_all, search_phase
from nascore.engine.training import train_network
from nascore.nn.operations.normalization import set_running_statistics
from nascore.recipe import Request, settled
from nascore.verbs.resolution import found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.contract import ImageSource, Phase, Search
    from nascore.description import Description
    from nascore.engine.run_context import RunContext
    from nascore.engine.streams import Streams
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

DRAWS = 10


@frozen(kw_only=True)
class Method:
    """What is searched with.

    Attributes:
        name: How it is called in the table.
        names: What fills a slot, besides the space.
        sets: Settings, as they are typed after ``--set``.
    """

    name: str
    names: dict[str, list[str]]
    sets: tuple[str, ...] = ()


METHODS = (
    Method(name="darts", names={"updater": ["darts"]}),
    Method(name="data", names={"updater": ["data"]}),
    Method(
        name="data, l1",
        names={"updater": ["data"], "regularizer": ["l1"]},
        sets=("regularizer.l1.target=code", "regularizer.l1.weight=0.1"),
    ),
    Method(name="data, one draw", names={"updater": ["data"]}, sets=("relaxation.draws=1",)),
)


@frozen(kw_only=True)
class Outcome:
    """What one search gave: accuracies from 0 to 1, operations of the derived cells, and seconds."""

    supernet: float
    drawn: float
    derived: float
    trained: float
    operations: int
    seconds: float

    @property
    def gap(self) -> float:
        """What is lost from the supernet to the network."""
        return self.drawn - self.derived


def recipe_of(method: Method, seed: int, registry: Registry) -> Recipe:
    """Return the recipe of one search."""
    names = {"space": ["darts"], **method.names}
    request = Request(names=names, scale="mini", run={"seed": seed, "device": "cpu"}, sets=method.sets)
    return settled(request, registry)


def run(method: Method, seed: int, registry: Registry) -> Outcome:
    """Search once, derive, and measure."""
    recipe = recipe_of(method, seed, registry)
    began = perf_counter()
    with computing(recipe.run.threads), TemporaryDirectory() as folder:
        live, parts = build_search(recipe, registry, out=Path(folder) / "run", observers=())
        phase = search_phase(live, parts, live.streams(1))
        run_phase(phase, parts.trainer, live.observers)
        search, (fit, held) = phase.search, live.halves()
        assert search is not None
        picks = picks_of(parts.description, search)
        closed = derive(parts.description, picks)
        return Outcome(
            supernet=accuracy(live, phase.network, held, phase.streams, search.expected()),
            drawn=drawn(live, phase, search, held),
            derived=inherited(live, closed, phase, held),
            trained=from_scratch(live, prepared(closed, recipe.training, live.facts), fit, held),
            operations=sum(map(len, picks.values())),
            seconds=perf_counter() - began,
        )


def accuracy(
    live: RunContext,
    network: torch.nn.Module,
    held: ImageSource,
    streams: Streams,
    mixture: Mapping[str, torch.Tensor] | None = None,
) -> float:
    """Return the share of the images that a network classifies correctly."""
    return measure(network, held, live.facts, streams, mixture, task=live.task)[0].value


def drawn(live: RunContext, phase: Phase, search: Search, held: ImageSource) -> float:
    """Return the mean accuracy of the supernet with mixtures as they are drawn in training."""
    state, generator = search.state, torch.Generator().manual_seed(0)
    found = []
    for _ in range(DRAWS):
        mixture = {
            name: search.annealed()
            .mixture(theta.detach(), state.segments(name), state.groups[name], generator=generator)
            .weights
            for name, theta in sorted(state.theta.items())
        }
        found.append(accuracy(live, phase.network, held, phase.streams, mixture))
    return mean(found)


def inherited(live: RunContext, closed: Description, phase: Phase, held: ImageSource) -> float:
    """Return the accuracy of the derived network with the supernet's own weights."""
    network, there = build_network(live, closed, phase.streams), phase.network.state_dict()
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            set_running_statistics(module, keep=f"{name}.running_mean" in there)
    own = network.state_dict().keys()
    weights = {name: value for name, value in there.items() if name in own}
    missing = own - weights.keys()
    assert not missing, f"the supernet has no {', '.join(sorted(missing))}"
    inherit_all(network, weights, weights)
    return accuracy(live, network, held, phase.streams)


def from_scratch(live: RunContext, ready: Description, fit: ImageSource, held: ImageSource) -> float:
    """Return the accuracy of the architecture trained anew, as a search trains what it has found."""
    done = train_network(live, ready, fit, job=open_job(live, 2, "train", jobs=2))
    return accuracy(live, done.network, held, done.streams)


def row(method: Method, outcomes: list[Outcome]) -> str:
    """Return a line of the table: means, and the range in brackets."""
    columns = ("supernet", "drawn", "derived", "trained", "gap")
    figures = [[100 * float(getattr(one, column)) for one in outcomes] for column in columns]
    told = "  ".join(f"{mean(each):5.1f} ({min(each):5.1f} to {max(each):5.1f})" for each in figures)
    operations = mean(one.operations for one in outcomes)
    return f"{method.name:15} {told} {operations:6.1f} {mean(one.seconds for one in outcomes):6.1f}"


HEAD = f"{'updater':15} " + "  ".join(
    f"{name + ' %':22}" for name in ("supernet", "drawn", "derived", "trained", "gap")
) + f" {'ops':>6} {'s':>6}"  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What is lost from the supernet to the derived network?")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (default 3)")
    asked, registry = parser.parse_args(), found()
    print(HEAD, flush=True)
    for method in METHODS:
        print(row(method, [run(method, seed, registry) for seed in range(asked.seeds)]), flush=True)


if __name__ == "__main__":
    main()
