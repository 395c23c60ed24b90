"""Compares the growth policies `evolution`, `local-search` and `random`: planted, and with training.

    python benchmarks/evolution.py
    python benchmarks/evolution.py --seeds 5 --evaluations 0
    python benchmarks/evolution.py --seeds 0 --spaces nb201 --epochs 6 --run-seeds 3

The planted search of the kit trains nothing: it counts the evaluations until a policy proposes the one useful
architecture of N. A random search that repeats nothing needs (N + 1) / 2 of them on average.

With training, each policy gets the same number of evaluations in a space, on the digits: an architecture is
trained for some epochs of five steps, and measured on validation images that no training uses. The accuracy
of the best of a run is higher on these images than on others, for all policies alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import nascore
from nascore.plugin import discover
from nascore.testing.growth_planted import ENOUGH, LAYERS, OPS, evaluations_needed

if TYPE_CHECKING:
    from nascore.gallery import Gallery

POLICIES: Final = (
    ("evolution", {}),
    ("evolution", {"population": 20, "sample": 5}),
    ("local-search", {}),
    ("local-search", {"wave": 1}),
)
TRAINED: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("evolution", {"population": 20, "sample": 5}),
    ("local-search", {"starts": 10}),
    ("random", {}),
)
BATCH: Final = 230
"""A fifth of the 1,150 training images."""

QUARTERS: Final = (0.25, 0.5, 1.0)
"""Shares of the evaluations at which the best so far is printed."""


def planted(seeds: int) -> None:
    """Print the evaluations that policies need in the planted search."""
    registry = discover()
    print(f"planted search, {seeds} seeds: evaluations until the useful architecture is proposed")
    print(f"{'policy':45} {'found':>6} {'mean':>8} {'median':>8} {'largest':>8}")
    for name, settings in POLICIES:
        component = registry.get("growth", name)
        policy = component.builder()(component.config(**settings))
        found = [evaluations_needed(policy, registry.operations(), seed) for seed in range(seeds)]
        needed = [ENOUGH if one is None else one for one in found]
        share = f"{seeds - found.count(None)}/{seeds}"
        figures = f"{mean(needed):8.1f} {median(needed):8.1f} {max(needed):8}"
        print(f"{label(name, settings):45} {share:>6} {figures}", flush=True)
    print(f"{'random (expected)':45} {'':6} {(len(OPS) ** LAYERS + 1) / 2:8.1f}")


def trained(space: str, policies: list[str], evaluations: int, epochs: int, seeds: int) -> None:
    """Print the best validation accuracy so far of each policy in a space, as means over seeds."""
    points = [max(1, round(share * evaluations)) for share in QUARTERS]
    print(f"\n{space}, {evaluations} evaluations of {5 * epochs} steps, {seeds} seeds: best accuracy so far")
    heads = " ".join(f"{f'after {point}':>9}" for point in points)
    print(f"{'policy':45} {heads} {'best at':>8} {'mean of all':>12} {'seconds':>8}")
    for name, settings in ((name, settings) for name, settings in TRAINED if name in policies):
        began = perf_counter()
        galleries = [
            gallery(space, name, {**settings, "count": evaluations}, epochs, seed) for seed in range(seeds)
        ]
        seconds = (perf_counter() - began) / seeds
        best = " ".join(f"{mean(best_of(one, point) for one in galleries):9.2%}" for point in points)
        first = mean(one.best.id for one in galleries)
        every = mean(mean(entry.accuracy for entry in one) for one in galleries)
        print(f"{label(name, settings):45} {best} {first:8.1f} {every:12.2%} {seconds:8.0f}", flush=True)


def gallery(space: str, growth: str, settings: dict[str, Any], epochs: int, seed: int) -> Gallery:
    """Return the gallery of a run."""
    own = {f"growth.{name}": value for name, value in settings.items()}
    with TemporaryDirectory() as folder:
        run = nascore.search(
            space=space,
            growth=growth,
            scale="mini",
            seed=seed,
            settings={"ranking.epochs": epochs, "ranking.batch": BATCH, **own},
            out=Path(folder) / "run",
        )
        return run.gallery


def best_of(found: Gallery, count: int) -> float:
    """Return the best accuracy of the first entries of a gallery."""
    return max(entry.accuracy for entry in found.entries[:count])


def label(name: str, settings: dict[str, Any]) -> str:
    """Return a policy with its settings."""
    return " ".join([name, *(f"{key}={value}" for key, value in settings.items())])


def main() -> None:
    """Run all policies and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="seeds of the planted search (20); 0: none")
    parser.add_argument("--evaluations", type=int, default=60, help="trained architectures (60); 0: none")
    parser.add_argument("--spaces", nargs="*", default=["nb201", "mbconv"], help="spaces (nb201 mbconv)")
    names = [name for name, _ in TRAINED]
    parser.add_argument("--policies", nargs="*", choices=names, default=names, help="trained policies (all)")
    parser.add_argument("--run-seeds", type=int, default=1, help="seeds of the runs with training (1)")
    parser.add_argument("--epochs", type=int, default=1, help="epochs of five steps (1)")
    chosen = parser.parse_args()
    if chosen.seeds:
        planted(chosen.seeds)
    for space in chosen.spaces if chosen.evaluations else ():
        trained(space, chosen.policies, chosen.evaluations, chosen.epochs, chosen.run_seeds)


if __name__ == "__main__":
    main()
