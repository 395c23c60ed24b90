"""The table of a comparison: rows, differences and conclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.comparison.caveats import other_differences, spans, warnings_of
from nascore.comparison.rows import (
    IF_NORMAL,
    NOT_SIGNIFICANT,
    SIGNIFICANT,
    choose_split,
    pairs_of,
    rows_of,
)
from nascore.comparison.sample import collect_runs
from nascore.comparison.significance import LEVEL, seeds_needed
from nascore.errors import Problem, RecipeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nascore.comparison.rows import Pair, Row, RowLabels

METHOD: Final = (
    "interval: Student's t over the seeds, not corrected; p: paired t-test by seed (Welch's if seeds are "
    "not shared), exact p: permutation test; two-sided at 5 %, corrected for the number of differences (Holm)"
)


@frozen(kw_only=True)
class Comparison:
    """Several algorithms side by side.

    Attributes:
        paths: The paths that label the rows: compared slots, or settings.
        by: The split of the accuracies that count: `validation` or `test`.
        rows: The algorithms, in the order of their first runs.
        pairs: The differences between rows.
        brought: Other values that differ, since the compared components bring them.
        warnings: Reasons to doubt the comparison.
    """

    paths: tuple[str, ...]
    by: str
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    brought: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def conclusions(self) -> tuple[str, ...]:
        """The conclusions from the tests, one sentence each."""
        return tuple(_conclusions(self.pairs))

    def plain(self) -> dict[str, Any]:
        """Return the comparison as values for JSON."""
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


def compare_runs(paths: Sequence[Path], against: str | None = None) -> Comparison:
    """Compare runs in one table.

    Args:
        paths: Folders of runs and of comparisons.
        against: Label of the row to compare all others with; None: all pairs.

    Raises:
        RunFolderError: A folder is not a run, or cannot be read.
        RecipeError: No row has the label `against`.
    """
    runs = collect_runs(paths)
    by = choose_split(runs.samples)
    rows, labels = rows_of(runs.samples, runs.slots, by)
    if against is not None and against not in labels.labels:
        text = f"no row of this comparison is called {against}."
        hint = did_you_mean(against, labels.labels) or f"The rows are: {', '.join(labels.labels)}."
        raise RecipeError([Problem(path="against", text=text, hint=hint)])
    pairs = pairs_of(rows, against)
    return Comparison(
        paths=labels.paths,
        by=by,
        rows=rows,
        pairs=pairs,
        brought=_brought(rows, labels),
        warnings=tuple(warnings_of(rows, pairs, labels, runs)),
    )


def _brought(rows: Sequence[Row], labels: RowLabels) -> tuple[str, ...]:
    return tuple(other_differences(rows, labels)[1])


def _conclusions(pairs: Sequence[Pair]) -> list[str]:
    tested = [pair for pair in pairs if pair.verdict in (SIGNIFICANT, IF_NORMAL, NOT_SIGNIFICANT)]
    if not tested:
        return ["no difference was tested"] if pairs else []
    sentences = [
        f"{pair.verdict}: {pair.first} is better than {pair.second}"
        for verdict in (SIGNIFICANT, IF_NORMAL)
        for pair in tested
        if pair.verdict == verdict
    ]
    undecided = sum(pair.verdict == NOT_SIGNIFICANT for pair in tested)
    if undecided:
        total = len(tested)
        subject = f"{undecided} of {total} differences {'is' if undecided == 1 else 'are'} not"
        if undecided == total:
            subject = "the difference is not" if total == 1 else f"none of the {total} differences is"
        sentences.append(f"{subject} significant, which does not mean that the algorithms are equal")
    return [*sentences, *power_note(tested)]


def power_note(tested: Sequence[Pair]) -> list[str]:
    """Return a note if there are too few seeds for the permutation test to find any difference."""
    count = len(tested)
    limited = [pair for pair in tested if pair.difference and pair.difference.least * count >= LEVEL]
    shared = [pair for pair in limited if pair.shared]
    if not shared:
        return []
    seeds = min(pair.seeds for pair in shared)
    limit = f"none of {count} differences can" if count > 1 else "the difference cannot"
    normal = "unless accuracies are assumed to be normally distributed"
    text = f"with {seeds} seeds, {limit} reach significance {normal}"
    return [f"{text}; with {seeds_needed(count)} seeds {'they' if count > 1 else 'it'} could"]


def seeds_of(rows: Sequence[Row]) -> str:
    """Return the seeds of all rows together, as ranges."""
    return spans(seed for row in rows for seed in row.shares)
