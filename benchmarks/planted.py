"""Planted choices: does a search choose at all? Exits with 1 where a bar is missed.

In the space `planted` one of four candidates is useful in each of three places. A search that chooses finds
it nearly always, chance in a quarter of the places. For each method and seed the space and the run are drawn
anew; of 20 seeds there are 60 places to find.

    python benchmarks/planted.py
    python benchmarks/planted.py --seeds 5 --form chain

Settings are those of the scale `mini` on the data set digits; the chain has no warm-up, as its bar is meant.
Images of the cell are not cropped at random: its classifier sees every place.
Of several operations that stand together on an edge only the strongest counts as found.
The form `nb201` is a cell with six edges: the three of its path count, the others offer nothing useful.
The form `residual` has a skip around each place. It is the form for relaxations that run one drawn operation
of each place (`one-hot`, Gumbel-softmax with hard samples): in the others they stay at chance, since one
wrong operation hides the images, and are left out.
The margin is the expected weight of the planted candidate, which is 0.25 where nothing was learned.
The forms `graft` and `fitted` are those of growth: see graft.py beside this file.
"""

from __future__ import annotations

import argparse
import sys
from math import ceil, floor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from nascore.api import Op
from nascore.engine.build import build_search
from nascore.engine.derive import picks_of
from nascore.engine.device import computing
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import search_phase
from nascore.recipe import Request, settled
from nascore.verbs.resolution import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.api import Pick
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

Form = Literal["chain", "cell", "nb201", "residual"]
USEFUL = Op("conv_3x3")
PLACES = 3
LEARNERS_AT_LEAST: dict[Form, float] = {
    "chain": 57 / 60,
    "cell": 54 / 60,
    "nb201": 54 / 60,
    "residual": 54 / 60,
}
CONTROL_AT_MOST = 25 / 60
SETS: dict[Form, tuple[str, ...]] = {
    "chain": ("trainer.epochs=4", "trainer.warm_up=0"),
    "cell": ("trainer.epochs=5", "trainer.warm_up=1", "trainer.augment=false"),
    "nb201": ("trainer.epochs=5", "trainer.warm_up=1"),
    "residual": ("trainer.epochs=8", "trainer.warm_up=0"),
}


@frozen(kw_only=True)
class Method:
    """An updater, the estimate of the gradient that it follows, and penalties.

    Attributes:
        name: How it is called in the table.
        updater: The updater.
        sets: Settings, as they are typed after ``--set``.
        penalties: The regularizers.
        learns: Whether it has to find what is useful; else it must not.
        relaxation: The relaxation; empty: what the updater wishes for.
        forms: The forms on which it is tried.
    """

    name: str
    updater: str
    sets: tuple[str, ...] = ()
    penalties: tuple[str, ...] = ()
    learns: bool = True
    relaxation: str = ""
    forms: tuple[Form, ...] = tuple(SETS)


METHODS = (
    Method(name="darts, first order", updater="darts", sets=("trainer.estimate=first",)),
    Method(name="darts, unrolled", updater="darts", sets=("trainer.estimate=unrolled",)),
    Method(name="darts, single-level", updater="darts", sets=("trainer.estimate=single-level",)),
    Method(name="uniform", updater="uniform", learns=False),
    Method(name="xnas", updater="xnas"),
    Method(name="geonas", updater="geonas"),
    Method(name="darts, l1", updater="darts", penalties=("l1",)),
    Method(name="darts, entropy", updater="darts", penalties=("entropy",)),
    Method(name="xnas, entropy", updater="xnas", penalties=("entropy",)),
    Method(name="geonas, entropy", updater="geonas", penalties=("entropy",)),
    Method(name="data", updater="data"),
    Method(name="darts, one-hot", updater="darts", relaxation="one-hot", forms=("residual",)),
    Method(name="sgd, one-hot", updater="sgd", relaxation="one-hot", forms=("residual",)),
)
"""The penalties have their default weights; l1 does not fit updaters that follow the mixture's gradient."""


@frozen(kw_only=True)
class Outcome:
    """What one search found.

    Attributes:
        found: In how many places the useful candidate is the strongest of what was chosen.
        weights: Expected weight of the useful candidate, by place.
        steps: Steps of the search.
        seconds: Wall time.
    """

    found: int
    weights: tuple[float, ...]
    steps: int
    seconds: float


@frozen(kw_only=True)
class Row:
    """What one method did on one form, over all seeds."""

    method: Method
    form: Form
    outcomes: tuple[Outcome, ...]

    @property
    def places(self) -> int:
        """How many useful candidates there were to find."""
        return PLACES * len(self.outcomes)

    @property
    def found(self) -> int:
        """How many were found."""
        return sum(outcome.found for outcome in self.outcomes)

    @property
    def least(self) -> int:
        """How many a learner must find."""
        return ceil(LEARNERS_AT_LEAST[self.form] * self.places)

    @property
    def bar(self) -> str:
        """What the row must show."""
        if self.method.learns:
            return f">= {self.least}"
        return f"<= {floor(CONTROL_AT_MOST * self.places)}"

    @property
    def holds(self) -> bool:
        """Whether it shows that."""
        if self.method.learns:
            return self.found >= self.least
        return self.found <= floor(CONTROL_AT_MOST * self.places)

    def __str__(self) -> str:
        weights = [weight for outcome in self.outcomes for weight in outcome.weights]
        every = sum(outcome.found == PLACES for outcome in self.outcomes)
        return (
            f"{self.form:8} {self.method.name:20} {self.outcomes[0].steps:5} "
            f"{self.found:4} of {self.places:<4} {self.bar:6} {every:3} of {len(self.outcomes):<4} "
            f"{min(weights):6.2f} {median(weights):6.2f} "
            f"{median(outcome.seconds for outcome in self.outcomes):6.2f}  {'' if self.holds else 'MISSED'}"
        ).rstrip()


HEAD = (
    f"{'form':8} {'method':20} {'steps':>5} {'places found':>12} {'bar':6} {'all three':>10} "
    f"{'min w':>6} {'med w':>6} {'s':>6}"
)


def recipe_of(method: Method, form: Form, seed: int, registry: Registry) -> Recipe:
    """Return the recipe of one search; the seed also places the useful candidates."""
    request = Request(
        names={
            "space": ["planted"],
            "updater": [method.updater],
            **({"relaxation": [method.relaxation]} if method.relaxation else {}),
            "regularizer": list(method.penalties) or ["none"],
        },
        run={"seed": seed, "device": "cpu"},
        sets=(f"space.form={form}", f"space.seed={seed}", *SETS[form], *method.sets),
    )
    return settled(request, registry)


def search(method: Method, form: Form, seed: int, registry: Registry) -> Outcome:
    """Search once and count the useful candidates that would be kept."""
    recipe = recipe_of(method, form, seed, registry)
    began = perf_counter()
    with computing(recipe.run.threads), TemporaryDirectory() as folder:
        live, parts = build_search(recipe, registry, out=Path(folder) / "run", observers=())
        phase = search_phase(live, parts, live.streams(1))
        steps = run_phase(phase, parts.trainer, live.observers)
        assert phase.search is not None
        picks, expected = picks_of(parts.description, phase.search), phase.search.expected()
    columns = {name: group.ops.index(USEFUL) for name, group in parts.description.groups.items()}
    return Outcome(
        found=sum(column == columns[name] for name, kept in picks.items() for column in strongest(kept)),
        # A row that does not offer the useful candidate is no place: the detours of the form nb201.
        weights=tuple(
            weight
            for name, column in columns.items()
            for weight, offered in zip(
                expected[name][:, column].tolist(), phase.search.state.groups[name].mask, strict=True
            )
            if offered[column]
        ),
        steps=steps,
        seconds=perf_counter() - began,
    )


def strongest(kept: Sequence[Pick]) -> Iterator[int]:
    """Yield the column of the first pick of each row: a code of everything has found nothing."""
    first = dict(reversed(kept))
    yield from first.values()


def rows(forms: Sequence[Form], seeds: Sequence[int], methods: Sequence[Method] = METHODS) -> Iterator[Row]:
    """Yield what each method does on each form; a method that is not installed is left out."""
    registry = found()
    there = [method for method in methods if registry.get("updater", method.updater) is not None]
    for form in forms:
        for method in (method for method in there if form in method.forms):
            yield Row(
                method=method,
                form=form,
                outcomes=tuple(search(method, form, seed, registry) for seed in seeds),
            )


def main() -> int:
    """Print the table; returns the exit code."""
    import graft  # noqa: PLC0415 - a test loads this file from elsewhere, where the other is not found

    parser = argparse.ArgumentParser(description="Does a search choose at all?")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds (default 20)")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--form", choices=(*SETS, *graft.LEAST), help="only this form")
    asked = parser.parse_args()
    forms = (asked.form,) if asked.form else (*SETS, *graft.LEAST)
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    missed = 0
    for head, table in (
        (HEAD, rows([form for form in SETS if form in forms], seeds)),
        (graft.HEAD, graft.rows([form for form in graft.LEAST if form in forms], seeds)),
    ):
        for number, row in enumerate(table):
            print(f"{head}\n{row}" if not number else row, flush=True)
            missed += not row.holds
    print(f"{missed} bars missed" if missed else "all bars met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
