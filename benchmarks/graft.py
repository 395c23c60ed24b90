"""The planted graft: is the one useful candidate among noise chosen, where an architecture grows?

A parent (stem, identity, linear classifier) gets a convolution and three operations that draw noise as shadow
candidates at its identity; one of them is kept. So the right answer is known, chance finds it in a quarter of
the grafts, and accuracy is no part of the judgement.

    python benchmarks/planted.py --form graft

graft: the parent pools over all places, so that it cannot solve the task; 44 steps on one set of images, and
as many on two halves.
fitted: it sees every place and was trained before, to some 0.95 of the training images; then what the scale
`mini` has for a search, an epoch of warm-up and 176 steps after it, on one set of images.

Settings are those that a search with `--growth petridish` settles to at the scale `mini` on the data set
digits. Images of the form fitted are not cropped at random: then no such parent could fit them.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from nascore.api import Demand, Description, Edge, Graph, Node, Op, grow, settle
from nascore.engine.build import build_search
from nascore.engine.device import computing
from nascore.engine.factory import build_search_parts
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import build_network, search_phase, train_phase
from nascore.engine.training import supervised
from nascore.recipe import Request, settled
from nascore.verbs.resolution import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.api import DataFacts
    from nascore.engine.run_context import RunContext
    from nascore.plugin import Registry
    from nascore.recipe import Recipe

Form = Literal["graft", "fitted"]

USEFUL: Final = Op("conv_3x3")
NOISE: Final = tuple(Op("noise", (("copy", copy),)) for copy in range(3))
PLACE, SOURCE = "x", "stem"
CHANNELS: Final = 8
PIXELS: Final = 8
"""Height and width of the images: a classifier of this size sees every place."""
FITTING: Final = 2  # epochs, of 44 steps each
LEAST: Final[Mapping[Form, float]] = {"graft": 18 / 20, "fitted": 16 / 20}
CONTROL_AT_MOST: Final = 10 / 20
SETS: Final[Mapping[tuple[Form, str], tuple[str, ...]]] = {
    ("graft", "single-level"): ("trainer.epochs=1", "trainer.warm_up=0"),
    ("graft", "first"): ("trainer.epochs=2", "trainer.warm_up=0"),
    ("fitted", "single-level"): ("trainer.augment=false",),
}
"""By form and estimate, what else is set."""


@frozen(kw_only=True)
class Grower:
    """What ranks the candidates.

    Attributes:
        updater: The updater.
        learns: Whether it has to find what is useful; else it must not.
    """

    updater: str
    learns: bool = True


GROWERS: Final = (
    Grower(updater="darts"),
    Grower(updater="xnas"),
    Grower(updater="geonas"),
    Grower(updater="sgd"),
    Grower(updater="data"),
    Grower(updater="uniform", learns=False),
)


@frozen(kw_only=True)
class Outcome:
    """What one graft gave.

    Attributes:
        found: Whether the useful candidate was kept.
        share: Its strength, in mean strengths of the candidates.
        fitted: Share of the training images that the parent got right at last; None: it was not trained.
        steps: Steps of the candidates' training.
        seconds: Wall time.
    """

    found: bool
    share: float
    fitted: float | None
    steps: int
    seconds: float


@frozen(kw_only=True)
class Row:
    """What one updater did in one form with one estimate, over all seeds."""

    grower: Grower
    form: Form
    estimate: str
    outcomes: tuple[Outcome, ...]

    @property
    def found(self) -> int:
        """In how many grafts the useful candidate was kept."""
        return sum(outcome.found for outcome in self.outcomes)

    @property
    def bound(self) -> int:
        """How many a learner must find at least, or a control at most."""
        share = LEAST[self.form] if self.grower.learns else CONTROL_AT_MOST
        return int(share * len(self.outcomes) + 1e-9)

    @property
    def holds(self) -> bool:
        """Whether it shows that."""
        return self.found >= self.bound if self.grower.learns else self.found <= self.bound

    def __str__(self) -> str:
        shares = [outcome.share for outcome in self.outcomes]
        fits = [outcome.fitted for outcome in self.outcomes if outcome.fitted is not None]
        bar = f"{'>=' if self.grower.learns else '<='} {self.bound}"
        return (
            f"{self.form:6} {self.grower.updater:8} {self.estimate:12} {self.outcomes[0].steps:5} "
            f"{self.found:4} of {len(self.outcomes):<4} {bar:7} "
            f"{min(shares):6.2f} {median(shares):6.2f} {f'{min(fits):6.2f}' if fits else '     -'} "
            f"{median(outcome.seconds for outcome in self.outcomes):6.2f}  {'' if self.holds else 'MISSED'}"
        ).rstrip()


HEAD: Final = (
    f"{'form':6} {'updater':8} {'estimate':12} {'steps':>5} {'found':>12} {'bar':7} "
    f"{'min s':>6} {'med s':>6} {'parent':>6} {'s':>6}"
)


def parent_of(facts: DataFacts, form: Form) -> Description:
    """Return the parent: it is linear in the pixels, or in their sum."""
    head = Op("classifier") if form == "graft" else Op("classifier", (("size", PIXELS),))
    nodes = (
        Node(name=SOURCE, edges=(Edge(source="images", ops=(Op("stem"),)),)),
        Node(name=PLACE, edges=(Edge(source=-1, ops=(Op("skip_connect"),)),)),
        Node(name="head", edges=(Edge(source=-1, ops=(head,)),), width="classes"),
    )
    return Description(
        network=Graph(inputs=("images",), nodes=nodes, output="head"),
        cells={},
        groups={},
        channels=CHANNELS,
        in_channels=facts.channels,
        classes=facts.classes,
        affine=False,
        pool_norm=True,
    )


def candidates(seed: int) -> tuple[Op, ...]:
    """Return the candidates in an order by the seed: of equals the first is kept."""
    ops = [*NOISE, USEFUL]
    Random(f"{seed}/graft").shuffle(ops)  # noqa: S311 - nothing secret
    return tuple(ops)


def recipe_of(grower: Grower, form: Form, estimate: str, seed: int, registry: Registry) -> Recipe:
    """Return the recipe; its space plays no part, what grows is the parent."""
    request = Request(
        names={"space": ["planted"], "growth": ["petridish"], "updater": [grower.updater]},
        scale="mini",
        run={"seed": seed, "device": "cpu"},
        sets=(f"trainer.estimate={estimate}", *SETS[form, estimate]),
    )
    return settled(request, registry)


def graft(grower: Grower, form: Form, estimate: str, seed: int, registry: Registry) -> Outcome:
    """Grow once, and see whether the useful candidate is kept."""
    recipe = recipe_of(grower, form, estimate, seed, registry)
    began = perf_counter()
    with computing(recipe.run.threads), TemporaryDirectory() as folder:
        live, parts = build_search(recipe, registry, out=Path(folder) / "run", observers=())
        parent = parent_of(live.facts, form)
        fitted, weights = fit(live, parent) if form == "fitted" else (None, None)
        opened = grow(parent, "network", PLACE, candidates(seed), live.catalogue, keep=1, sources=(SOURCE,))
        parts = build_search_parts(recipe, opened, parts.growth)
        phase = search_phase(live, parts, live.streams(2, "candidates"), weights=weights)
        steps = run_phase(phase, parts.trainer, live.observers)
    assert phase.search is not None
    strength = phase.search.updater.strength(phase.search.state, phase.search.expected())
    child = settle(opened, {name: value.tolist() for name, value in strength.items()})
    (values,) = strength.values()
    useful = values[0, candidates(seed).index(USEFUL)]
    return Outcome(
        found=USEFUL in {op for _, _, edge in child.edges() for op in edge.ops},
        share=float(useful / values.mean()),
        fitted=fitted,
        steps=steps,
        seconds=perf_counter() - began,
    )


def fit(live: RunContext, parent: Description) -> tuple[float, Mapping[str, Tensor]]:
    """Train a parent; returns the share of images that it got right in the last epoch, and its tensors."""
    streams = live.streams(1)
    network = build_network(live, parent, streams)
    trainer = supervised(live.recipe.training)
    trainer.demand = Demand(epochs=FITTING, batch=trainer.demand.batch, augment=False)
    shares: list[float] = []
    phase = train_phase(live, network, live.train(), streams, trainer)
    run_phase(phase, trainer, live.observers, epoch_over=lambda report: shares.append(report.accuracy or 0.0))
    return shares[-1], network.state_dict()


def rows(forms: Sequence[Form], seeds: Sequence[int], growers: Sequence[Grower] = GROWERS) -> Iterator[Row]:
    """Yield what each updater does in each form; one that is not installed is left out."""
    registry = found()
    there = [one for one in growers if registry.get("updater", one.updater) is not None]
    for form, estimate in SETS:
        if form not in forms:
            continue
        for grower in there:
            yield Row(
                grower=grower,
                form=form,
                estimate=estimate,
                outcomes=tuple(graft(grower, form, estimate, seed, registry) for seed in seeds),
            )
