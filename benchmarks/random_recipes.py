"""Random recipes with mistakes, given to ``nascore check``. Exits with 1 where an answer lacks something.

They are made from the JSON Schema of what is installed: most have one to three mistakes (a misspelt key, a
wrong type, a value out of bounds, an unknown component), some a key that stands twice, some a character that
does not belong there, some none. Asked of every answer: no traceback, the exit code 0 or 3, and 3 with the
path of every mistake where there is one.

    python benchmarks/random_recipes.py
    python benchmarks/random_recipes.py --recipes 500
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from hypothesis import HealthCheck, Phase, given, settings

from nascore.plugin import discover
from nascore.recipe.settling.schema import recipe_schema

# What the tests draw is drawn here, only more of it.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from recipe_mutations import Mutant, Mutations
from recipe_trials import faults

SHOWN = 20


def main() -> int:
    """Try the recipes; print how many ended how, and what was wrong."""
    parser = argparse.ArgumentParser(description="Random recipes with mistakes, given to nascore check.")
    parser.add_argument("--recipes", type=int, default=10_000, metavar="N")
    count = parser.parse_args().recipes

    ends: Counter[tuple[str, int, int]] = Counter()
    found: list[str] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.yaml"

        @settings(
            max_examples=count,
            phases=[Phase.generate],
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(Mutations(recipe_schema(discover())).any)
        def attempt(mutant: Mutant) -> None:
            code, wrong = faults(mutant, path)
            ends[mutant.kind, len(mutant.refused), code] += 1
            found.extend(wrong)

        start = perf_counter()
        attempt()
    for (kind, mistakes, code), times in sorted(ends.items()):
        print(f"{times:6d}  {kind:5s}  mistakes that must be named: {mistakes}  exit code {code}")
    print(f"{ends.total():6d}  recipes in {perf_counter() - start:.0f} s, {len(found)} wrong answers")
    print("\n".join(found[:SHOWN]))
    return 1 if found or ends.total() < count else 0


if __name__ == "__main__":
    sys.exit(main())
