"""Evaluations that growth policies need in the kit's planted search, over several seeds; nothing is trained.

    python benchmarks/evolution.py
    python benchmarks/evolution.py --seeds 5

A random search that repeats nothing needs (N + 1) / 2 evaluations of N architectures on average.
"""

from __future__ import annotations

import argparse
from statistics import mean, median
from typing import Final

from nascore.plugin import discover
from nascore.testing.growth_planted import ENOUGH, LAYERS, OPS, evaluations_needed

POLICIES: Final = (
    ("evolution", {}),
    ("evolution", {"population": 20, "sample": 5}),
    ("local-search", {}),
    ("local-search", {"wave": 1}),
)


def main() -> None:
    """Run all policies and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds (default 20)")
    asked = parser.parse_args()
    registry = discover()
    print(f"{'policy':45} {'found':>6} {'mean':>8} {'median':>8} {'largest':>8}")
    for name, settings in POLICIES:
        component = registry.get("growth", name)
        policy = component.builder()(component.config(**settings))
        found = [evaluations_needed(policy, registry.operations(), seed) for seed in range(asked.seeds)]
        needed = [ENOUGH if one is None else one for one in found]
        label = " ".join([name, *(f"{key}={value}" for key, value in settings.items())])
        share = f"{asked.seeds - found.count(None)}/{asked.seeds}"
        print(f"{label:45} {share:>6} {mean(needed):8.1f} {median(needed):8.1f} {max(needed):8}", flush=True)
    print(f"{'random (expected)':45} {'':6} {(len(OPS) ** LAYERS + 1) / 2:8.1f}")


if __name__ == "__main__":
    main()
