"""Growth with every updater, beside the controls: what comes out of a growth run, over several seeds.

    python benchmarks/growth.py
    python benchmarks/growth.py --space chain --seeds 1

Settings are those of the scale `mini` on the data set digits: five architectures a run, each trained on 80 %
of the training images and measured on the rest. Intervals are those of each run's best by Wilson, 95 %: where
intervals overlap, nothing can be told apart. `uniform` grows what it draws by chance; `random` grows nothing
and trains architectures of the space that are drawn by chance, at the same number of architectures.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from attrs import frozen

import nascore

if TYPE_CHECKING:
    from nascore.gallery import Gallery

CHAIN = """\
nascore: 1
channels: 8
in_channels: 1
classes: 10
affine: false
pool_norm: true
groups:
  first: {ops: [conv_3x3, sep_conv_3x3, skip_connect]}
  second: {ops: [sep_conv_3x3, dil_conv_3x3, conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: first}
    l1: {from: -1, choose: second, width: 2, reduction: 2}
    head: {from: -1, op: classifier, width: classes}
"""
UPDATERS = ("sgd", "darts", "xnas", "geonas", "data", "uniform")


@frozen(kw_only=True)
class Outcome:
    """What one run gave."""

    gallery: Gallery
    seconds: float


def run(space: str, growth: str, updater: str | None, seed: int) -> Outcome:
    """Run one search."""
    began = perf_counter()
    with TemporaryDirectory() as folder:
        named = space
        if space == "chain":
            file = Path(folder) / "chain.yaml"
            file.write_text(CHAIN, encoding="utf-8")
            named = f"file:{file}"
        found = nascore.search(
            space=named, growth=growth, updater=updater, seed=seed, scale="mini", out=Path(folder) / "run"
        )
        return Outcome(gallery=found.gallery, seconds=perf_counter() - began)


def row(space: str, name: str, outcomes: list[Outcome]) -> str:
    """Return a line of the table."""
    best = [outcome.gallery.best for outcome in outcomes]
    accuracies = [100 * entry.accuracy for entry in best]
    spans = [f"{100 - 100 * high:.1f}-{100 - 100 * low:.1f}" for low, high in (one.interval for one in best)]
    volumes = [outcome.gallery.hypervolume("macs") for outcome in outcomes]
    costs = [entry.costs["macs"] for entry in best]
    return (
        f"{space:6} {name:18} {mean(accuracies):6.2f} {min(accuracies):6.2f} {max(accuracies):6.2f}  "
        f"{' '.join(spans):36} {mean(costs):9,.0f} {mean(volumes):6.3f} "
        f"{sum(len(one.gallery) for one in outcomes):4} {mean(one.seconds for one in outcomes):6.1f}"
    )


HEAD = (
    f"{'space':6} {'growth, updater':18} {'mean %':>6} {'lowest':>6} {'highest':>6}  "
    f"{'interval of each':36} {'MACs':>9} {'volume':>6} {'made':>4} {'s':>6}"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What comes out of growth, with every updater?")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (default 3)")
    parser.add_argument("--space", choices=("darts", "chain"), help="only this space")
    asked = parser.parse_args()
    print(HEAD, flush=True)
    for space in (asked.space,) if asked.space else ("darts", "chain"):
        for name, growth, updater in (
            *((f"petridish, {updater}", "petridish", updater) for updater in UPDATERS),
            ("random", "random", None),
        ):
            outcomes = [run(space, growth, updater, seed) for seed in range(asked.seeds)]
            print(row(space, name, outcomes), flush=True)


if __name__ == "__main__":
    main()
