"""Small searches of combinations of parts, and the faults of these searches.

A search has no fault if theta changes exactly when the updater learns, weights change, all values stay
finite, and every resulting architecture can be built from its files and gives logits.

Most faults between parts come from two or three of them. Combinations that cover every triple of parts find
these faults in a small part of the time of all combinations (Kuhn, Wallace, Gallo 2004, IEEE TSE 30(6): at
least 90 % of the failures that they examined came from three values or fewer).
"""

from __future__ import annotations

import json
from heapq import heapify, heappop, heappush
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import torch
from attrs import Factory, define, evolve
from safetensors.torch import load_file

from nascore.description import load
from nascore.errors import NascoreError, error_line
from nascore.recipe.advice.all_mixes import mixes
from nascore.recipe.settling.request import settled
from nascore.run import RESULT
from nascore.testing.choices import generator
from nascore.testing.harness import initial_network, search
from nascore.testing.planted import CLASSES, DATASET, smallest

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Demand, StepReport, Trainer
    from nascore.nn import Network
    from nascore.plugin import Registry
    from nascore.recipe import Recipe
    from nascore.recipe.advice.all_mixes import Mix
    from nascore.testing.harness import Phase

    Tensors = dict[str, Tensor]
    Values: TypeAlias = frozenset[tuple[int, Hashable]]


IMAGES: Final = 2
SEARCH: Final = "search"
TRAIN: Final = "train"


def faults_of(mix: Mix, registry: Registry) -> list[str]:
    """Run the smallest possible search with a mix, and return its faults, one sentence each.

    Args:
        mix: A combination that is not refused.
        registry: The installed plugins.
    """
    request = evolve(
        mix.request, names={**mix.request.names, "dataset": (DATASET,)}, run={"device": "cpu", "seed": 0}
    )
    seen = _Seen()
    with TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        try:
            sets = smallest(settled(request, registry), registry)
            recipe = settled(evolve(request, sets=(*request.sets, *sets)), registry)
            search(_watched(recipe, seen), registry, out=run)
        except NascoreError as error:
            return [f"stopped: {error}"]
        except Exception as error:  # noqa: BLE001 - a part may raise anything
            return [f"raised: {error_line(error)}"]
        return [*_of_search(recipe, seen), *_of_jobs(run, registry, recipe)]


@define(kw_only=True)
class _Seen:
    """Observations of the phases that search.

    Attributes:
        phases: Number of phases that ended.
        begun: Each phase with its initial theta. It is compared after deriving, since an updater must not
            change theta when it computes the strength.
        weights: Number of phases in which the weights changed.
        wrong: Names of values that were not finite.
    """

    phases: int = 0
    begun: list[tuple[Phase, Tensors]] = Factory(list)
    weights: int = 0
    wrong: set[str] = Factory(set)

    @property
    def theta(self) -> int:
        """Number of phases in which theta changed."""
        return sum(_moved(before, _theta(phase)) for phase, before in self.begun)


class _Watching:
    """A wrapper around a trainer that records the phase before the first and after the last step."""

    def __init__(self, trainer: Trainer, seen: _Seen) -> None:
        self.trainer = trainer
        self.seen = seen

    @property
    def demand(self) -> Demand:
        return self.trainer.demand

    def start(self, phase: Phase) -> None:
        self.phase = phase
        self.done = 0
        self.theta, self.weights = _theta(phase), _weights(phase.network)
        self.trainer.start(phase)

    def step(self) -> StepReport:
        report = self.trainer.step()
        self.done += 1
        if self.done == self.phase.steps:
            theta, weights = _theta(self.phase), _weights(self.phase.network)
            self.seen.phases += 1
            self.seen.begun.append((self.phase, self.theta))
            self.seen.weights += _moved(self.weights, weights)
            self.seen.wrong.update(_wrong({**theta, **weights}))
        return report

    def state_dict(self) -> dict[str, Any]:
        return self.trainer.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.trainer.load_state_dict(state)


def _watched(recipe: Recipe, seen: _Seen) -> Recipe:
    part = recipe.part("trainer")
    build = part.component.builder()
    component = evolve(part.component, asks=(), build=lambda settings: _Watching(build(settings), seen))
    return evolve(recipe, parts={**recipe.parts, "trainer": (evolve(part, component=component),)})


def _of_search(recipe: Recipe, seen: _Seen) -> Iterator[str]:
    """Yield the faults of the phases that search."""
    if not recipe.part("growth").provides & {"supernet", "grows", "searches"}:
        return
    updater = recipe.part("updater")
    if not seen.phases:
        yield "no search phase ended"
    elif seen.weights < seen.phases:
        yield f"the weights did not change in {seen.phases - seen.weights} of {seen.phases} searches"
    if "learns" in updater.provides and seen.theta < seen.phases:
        yield f"theta did not change in {seen.phases - seen.theta} of {seen.phases} searches"
    if "learns" not in updater.provides and seen.theta:
        yield f"theta changed, but {updater.name} does not declare learns"
    if seen.wrong:
        yield f"not finite after the search: {', '.join(sorted(seen.wrong))}"


def _of_jobs(run: Path, registry: Registry, recipe: Recipe) -> Iterator[str]:
    """Yield the faults of the architectures that were trained."""
    jobs = [one for one in sorted((run / "jobs").iterdir()) if not one.name.endswith(f"-{SEARCH}")]
    if not jobs:
        yield "no architecture was trained"
    for job in jobs:
        try:
            yield from _of_job(job, registry, recipe)
        except NascoreError as error:
            yield f"the architecture of job {job.name} cannot be built: {error}"
        except Exception as error:  # noqa: BLE001 - an operation may raise anything
            yield f"the architecture of job {job.name} cannot run: {error_line(error)}"


def _of_job(job: Path, registry: Registry, recipe: Recipe) -> Iterator[str]:
    result = json.loads((job / RESULT).read_text(encoding="utf-8"))
    if result.get("status") == "failed":
        yield f"job {job.name} failed: {result['error']}"
        return
    number, _, kind = job.name.partition("-")
    description = load(
        (job / "description.yaml").read_text(encoding="utf-8"), catalogue=registry.operations()
    )
    # The initial weights that the job drew, without those that a child inherits.
    network = initial_network(recipe, int(number), description, registry.operations())
    before = _weights(network)
    network.load_state_dict(load_file(job / "weights.safetensors"))
    after = _weights(network)
    if kind == TRAIN and not _moved(before, after):
        yield f"the weights did not change in job {job.name}"
    size = recipe.setting("dataset.size")
    images = torch.rand(IMAGES, recipe.setting("dataset.channels"), size, size, generator=generator(0))
    with torch.no_grad():
        logits = network.eval()(images)
    if tuple(logits.shape) != (IMAGES, CLASSES):
        yield f"the network of job {job.name} gives logits of shape {tuple(logits.shape)}"
    wrong = _wrong({**after, "logits": logits})
    if wrong:
        yield f"not finite after job {job.name}: {', '.join(wrong)}"


def _theta(phase: Phase) -> Tensors:
    assert phase.search is not None
    return {f"theta of {name}": one.detach().clone() for name, one in phase.search.state.theta.items()}


def _weights(network: Network | torch.nn.Module) -> Tensors:
    """Return a copy of the parameters, without buffers, which change without a gradient."""
    return {name: one.detach().clone() for name, one in network.named_parameters()}


def _moved(before: Tensors, after: Tensors) -> bool:
    return any(not torch.equal(before[name], after[name]) for name in before)


def _wrong(values: Tensors) -> list[str]:
    return sorted(name for name, value in values.items() if not bool(torch.isfinite(value).all()))


Row = TypeVar("Row", bound="Sequence[Hashable]")
TRIPLES = 3


def covering(rows: Sequence[Row], *, strength: int = TRIPLES) -> list[Row]:
    """Return rows that cover every combination of `strength` values that occurs in some row.

    Greedy: each time the row that covers most of the missing combinations, of equals the first. So the
    result depends only on the rows and their order.

    Args:
        rows: All allowed rows, of the same length.
        strength: Number of values in a combination; with 1, every value is covered.
    """
    missing = {values for row in rows for values in combined(row, strength)}
    # The number that a row newly covers only falls, so the best row is found without examining all others.
    queue = [(-len(combined(row, strength)), place) for place, row in enumerate(rows)]
    heapify(queue)
    chosen = []
    while missing:
        _, place = heappop(queue)
        new = combined(rows[place], strength) & missing
        if queue and (-len(new), place) > queue[0]:
            heappush(queue, (-len(new), place))
            continue
        chosen.append(rows[place])
        missing -= new
    return chosen


def combined(row: Sequence[Hashable], strength: int = TRIPLES) -> set[Values]:
    """Return every set of `strength` values of a row, each with its column; all values of a shorter row."""
    return {frozenset(values) for values in combinations(enumerate(row), min(strength, len(row)))}


def accepted_mixes(registry: Registry, names: Mapping[str, Sequence[str]] | None = None) -> list[Mix]:
    """Return all combinations that the fit check does not refuse.

    Args:
        registry: The installed plugins.
        names: The components of a slot, by slot; other slots take all components.
    """
    return [mix for mix in mixes(registry, names=names) if mix.verdict != "refused"]


def covering_mixes(found: Iterable[Mix], *, strength: int = TRIPLES) -> list[Mix]:
    """Return combinations that together cover every triple of parts that occurs in the given ones.

    Args:
        found: Combinations that are not refused.
        strength: Number of parts to cover together; 3 covers triples.
    """
    by_texts = {tuple(mix.texts.values()): mix for mix in found}
    return [by_texts[texts] for texts in covering(list(by_texts), strength=strength)]
