"""The table of a comparison: rows, differences and conclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.comparison.caveats import spans, unequal, warnings_of
from nascore.comparison.rows import CHANCE, IF_NORMAL, TOLD, counting, pairs_of, rows_of
from nascore.comparison.sample import gathered
from nascore.comparison.significance import LEVEL, seeds_needed
from nascore.errors import Problem, RecipeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.comparison.labels import RowLabels
    from nascore.comparison.rows import Pair, Row

METHOD: Final = (
    "interval: Student's t over the seeds, each by itself; p: paired t-test by seed (Welch's where seeds are "
    "not shared), exact p: permutation test; two-sided at 5 %, corrected for the number of differences (Holm)"
)


@frozen(kw_only=True)
class Comparison:
    """Several algorithms side by side.

    Attributes:
        paths: What names the rows: the compared slots, or paths of settings.
        by: Which accuracy counts: of `validation` or of `test` images.
        rows: The algorithms, in the order in which they came.
        pairs: Their differences.
        brought: What differs beside the compared slots because each brings it with it.
        warnings: What makes the comparison doubtful.
    """

    paths: tuple[str, ...]
    by: str
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    brought: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def conclusions(self) -> tuple[str, ...]:
        """What can be concluded, and what cannot, in sentences."""
        return tuple(_conclusions(self.pairs))

    def plain(self) -> dict[str, Any]:
        """Return the comparison as JSON has it."""
        return {
            "compared": list(self.paths),
            "by": self.by,
            "rows": [row.plain() for row in self.rows],
            "differences": [pair.plain() for pair in self.pairs],
            "conclusions": list(self.conclusions),
            "method": METHOD,
            "brought": list(self.brought),
            "warnings": list(self.warnings),
        }


def compared(paths: Sequence[Path], against: str | None = None) -> Comparison:
    """Put runs into one table.

    Args:
        paths: Folders of runs and of comparisons.
        against: Label of the row that all others are compared with; None: all with all.

    Raises:
        RunFolderError: One of them is no run, or cannot be read, or nothing in them was begun.
        RecipeError: No row is called `against`.
    """
    found = gathered(paths)
    by = counting(found.samples)
    rows, told = rows_of(found.samples, found.slots, by)
    if against is not None and against not in told.labels:
        text = f"no row of this comparison is called {against}."
        hint = did_you_mean(against, told.labels) or f"There are: {', '.join(told.labels)}."
        raise RecipeError([Problem(path="against", text=text, hint=hint)])
    pairs = pairs_of(rows, against)
    return Comparison(
        paths=told.paths,
        by=by,
        rows=rows,
        pairs=pairs,
        brought=_brought(rows, told),
        warnings=tuple(warnings_of(rows, pairs, told, found)),
    )


def _brought(rows: Sequence[Row], told: RowLabels) -> tuple[str, ...]:
    return tuple(unequal(rows, told)[1])


def _conclusions(pairs: Sequence[Pair]) -> list[str]:
    tested = [pair for pair in pairs if pair.verdict in (TOLD, IF_NORMAL, CHANCE)]
    if not tested:
        return ["no difference was tested"] if pairs else []
    said = [
        f"{pair.verdict}: {pair.first} is better than {pair.second}"
        for verdict in (TOLD, IF_NORMAL)
        for pair in tested
        if pair.verdict == verdict
    ]
    even = sum(pair.verdict == CHANCE for pair in tested)
    if even:
        whole = len(tested)
        which = "the difference" if whole == 1 else f"{even} of {whole} differences"
        which = f"none of the {whole} differences can" if even == whole > 1 else f"{which} cannot"
        said.append(f"{which} be told from chance, which does not mean that there is none")
    return [*said, *_weak(tested)]


def _weak(tested: Sequence[Pair]) -> list[str]:
    """Say so where seeds are so few that the permutation test could tell nothing, whatever was seen."""
    count = len(tested)
    blind = [pair for pair in tested if pair.chance is not None and pair.chance.least * count >= LEVEL]
    shared = [pair for pair in blind if pair.shared]
    if not blind or not shared:
        return []
    seeds = min(pair.seeds for pair in shared)
    differences = f"{count} differences" if count > 1 else "one difference"
    blind_said = (
        f"{seeds} seeds cannot show anything of {differences} without assuming that accuracies are normal"
    )
    return [f"{blind_said}; {seeds_needed(count)} seeds could"]


def seeds_of(rows: Sequence[Row]) -> str:
    """Return the seeds of all rows together."""
    return spans(seed for row in rows for seed in row.shares)
