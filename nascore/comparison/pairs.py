"""Two rows against each other, and what may be concluded."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.comparison.chance import FEWEST, LEVEL, Chance, holm, paired, unpaired

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.comparison.rows import Row

TOLD: Final = "told apart"
IF_NORMAL: Final = "told apart if normal"
CHANCE: Final = "not told from chance"
TOO_FEW: Final = "too few seeds"
OTHER_IMAGES: Final = "not comparable"


@frozen(kw_only=True)
class Pair:
    """The difference of two rows.

    Attributes:
        first: Label of the row with the higher mean over the seeds that were compared.
        second: Label of the other.
        seeds: How many seeds were compared; of seeds that are not shared, the fewer.
        shared: Whether the two were compared seed by seed.
        chance: The difference and how likely chance makes one as large; None where accuracies do not compare.
        p: The p by Student's t, for all pairs together (Holm); None: no say.
        exact: The p by permutation, for all pairs together; None: no say.
        verdict: What may be concluded.
    """

    first: str
    second: str
    seeds: int
    shared: bool
    chance: Chance | None
    p: float | None = None
    exact: float | None = None
    verdict: str = TOO_FEW

    def plain(self) -> dict[str, Any]:
        """Return the pair as JSON has it."""
        chance = self.chance
        return {
            "first": self.first,
            "second": self.second,
            "seeds": self.seeds,
            "paired": self.shared,
            "difference": None if chance is None else chance.difference,
            "interval": None if chance is None or chance.interval is None else list(chance.interval),
            "p": None if chance is None else chance.p,
            "p_holm": self.p,
            "exact_p": None if chance is None else chance.exact,
            "exact_p_holm": self.exact,
            "verdict": self.verdict,
        }


def pairs_of(rows: Sequence[Row], against: str | None = None) -> tuple[Pair, ...]:
    """Compare rows, each with each, and correct for how many comparisons these are.

    Args:
        rows: The rows.
        against: Label of the one row that all others are compared with; None: all with all.
    """
    known = [row for row in rows if row.samples]
    pairs = [
        _pair(one, other)
        for one, other in combinations(known, 2)
        if against is None or against in (one.label, other.label)
    ]
    tested = [pair for pair in pairs if pair.chance is not None and pair.chance.exact is not None]
    # Of differences that are all equal Student says nothing; they count with what the permutation says.
    student = holm([_known(pair.chance, pair.chance.p) for pair in tested if pair.chance is not None])
    exact = holm([_known(pair.chance, None) for pair in tested if pair.chance is not None])
    judged = {
        (pair.first, pair.second): _judged(pair, p, other)
        for pair, p, other in zip(tested, student, exact, strict=True)
    }
    return tuple(judged.get((pair.first, pair.second), pair) for pair in pairs)


def comparable(one: Row, other: Row) -> bool:
    """Say whether two accuracies are of the same images, seen in the same way.

    Accuracies on images that guided the choice do not compare with such on images that had no say.
    """
    first, second = one.measured, other.measured
    return same_images(one, other) and first is not None and first.guided == (second and second.guided)


def same_images(one: Row, other: Row) -> bool:
    """Say whether two accuracies are of the same images.

    Of which images a search's seed decides, so the counts and the data set must be the same.
    """
    first, second = one.measured, other.measured
    if first is None or second is None:
        return False
    return (first.split, first.count) == (second.split, second.count) and _data(one) == _data(other)


def _pair(one: Row, other: Row) -> Pair:
    common = [seed for seed in one.shares if seed in other.shares]
    fewest = min(len(one.shares), len(other.shares))
    shared = len(common) >= min(FEWEST, fewest)

    def compared(row: Row) -> list[float]:
        return [row.shares[seed] for seed in common] if shared else list(row.shares.values())

    # By the seeds that are compared: over all of its own, the other one may have the higher mean.
    if fmean(compared(other)) > fmean(compared(one)):
        one, other = other, one
    seeds = len(common) if shared else fewest
    empty = Pair(first=one.label, second=other.label, seeds=seeds, shared=shared, chance=None)
    if not comparable(one, other):
        return evolve(empty, verdict=OTHER_IMAGES)
    return evolve(empty, chance=(paired if shared else unpaired)(compared(one), compared(other)))


def _judged(pair: Pair, p: float, exact: float) -> Pair:
    chance = pair.chance
    student = None if chance is None or chance.p is None else p
    if exact < LEVEL and p < LEVEL:
        verdict = TOLD
    elif student is not None and student < LEVEL:
        verdict = IF_NORMAL
    else:
        verdict = CHANCE
    return evolve(pair, p=student, exact=exact, verdict=verdict)


def _known(chance: Chance, p: float | None) -> float:
    assert chance.exact is not None
    return chance.exact if p is None else p


def _data(row: Row) -> list[tuple[str, Any]]:
    return sorted((path, value) for path, value in row.recipe.items() if path.split(".")[0] == "dataset")
