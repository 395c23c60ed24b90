"""Groups runs that differ only in their seed into the rows of a comparison."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.comparison.labels import distinguish
from nascore.comparison.significance import FEWEST, LEVEL, Chance, holm, mean_interval, paired, unpaired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.comparison.labels import RowLabels
    from nascore.comparison.sample import Flat, Measured, Sample


@frozen(kw_only=True)
class Row:
    """One algorithm: the mean over its seeds.

    Attributes:
        label: What it is called in this comparison.
        samples: Its runs that are done and were measured, one a seed, by seed.
        lost: Its other runs: failed, interrupted, or without this accuracy.
        by: Which accuracy counts: of `validation` or of `test` images.
    """

    label: str
    samples: tuple[Sample, ...]
    lost: tuple[Sample, ...] = ()
    by: str

    @property
    def recipe(self) -> Flat:
        """What the recipes of its runs say."""
        return (*self.samples, *self.lost)[0].recipe

    @property
    def shares(self) -> dict[int, float]:
        """The accuracies that count, 0 to 1, by seed."""
        return {_seed(one): one.measured[self.by].share for one in self.samples}

    @property
    def mean(self) -> float | None:
        """The mean of the accuracies, 0 to 1; None where there are none."""
        return fmean(self.shares.values()) if self.samples else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Bounds that hold the true mean in 95 % of cases, by Student's t; None where it says nothing.

        A share lies within 0 and 1, and so does its mean, whatever Student says.
        """
        found = mean_interval(list(self.shares.values())) if self.samples else None
        return None if found is None else (max(0.0, found[0]), min(1.0, found[1]))

    @property
    def measured(self) -> Measured | None:
        """How the first of its accuracies was measured; the others were so too, having the same recipe."""
        return self.samples[0].measured[self.by] if self.samples else None

    def average(self, figure: str) -> float | None:
        """Return the mean over the seeds of a figure; None: it has none.

        Args:
            figure: `params` or `macs` of the networks that have the accuracies that count; `steps` or
                `seconds` of the searches.
        """
        of_network = figure in ("params", "macs")
        values = [getattr(one.measured[self.by] if of_network else one, figure) for one in self.samples]
        return fmean(values) if values else None

    def in_search(self) -> tuple[float, bool] | None:
        """Return the mean accuracy on validation images, and whether they guided; None: it is no search."""
        searched = [one for one in self.samples or self.lost if "validation" in one.measured]
        known = [one.measured["validation"] for one in searched]
        return (fmean(one.share for one in known), known[0].guided) if known else None

    @property
    def failed(self) -> bool:
        """Whether it has no accuracy that counts because a search or an evaluation failed."""
        return not self.samples and any("failed" in (one.status, one.evaluation) for one in self.lost)

    def plain(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        measured, search = self.measured, self.in_search()
        return {
            "label": self.label,
            "seeds": list(self.shares),
            "accuracy": self.mean,
            "interval": None if self.interval is None else list(self.interval),
            "by_seed": {str(seed): share for seed, share in self.shares.items()},
            "images": None if measured is None else measured.count,
            "split": self.by,
            "guided": None if measured is None else measured.guided,
            "best_of": None if measured is None else measured.best_of,
            "validation_accuracy": None if search is None else search[0],
            "validation_guided": None if search is None else search[1],
            **{figure: self.average(figure) for figure in ("params", "macs", "steps", "seconds")},
            "runs": [one.name for one in self.samples],
            "failed": self.failed,
            "lost": [
                {"run": one.name, "status": one.status, "evaluation": one.evaluation, "error": one.error}
                for one in self.lost
            ],
        }


def counting(samples: Iterable[Sample]) -> str:
    """Return which accuracy counts: that of the test images if every row has one, or was to have one.

    An evaluation that failed leaves its row without an accuracy: that of the search, of other images, does
    not take its place. Where no evaluation was finished or failed, as in a comparison that was
    stopped, all rows have the accuracies of their searches.
    """
    known = list(samples)
    rows: dict[Any, bool] = {}
    for one in known:
        if one.measured:
            rows[one.key] = rows.get(one.key, False) or "test" in one.measured or bool(one.evaluation)
    ended = any("test" in one.measured or one.evaluation == "failed" for one in known)
    return "test" if ended and all(rows.values()) else "validation"


def rows_of(samples: Sequence[Sample], wanted: Iterable[str], by: str) -> tuple[tuple[Row, ...], RowLabels]:
    """Gather runs into rows, in the order in which the first of each came.

    Args:
        samples: The runs.
        wanted: The slots that were meant to be compared, if that is known.
        by: Which accuracy counts.
    """
    grouped: dict[Any, list[Sample]] = {}
    for one in samples:
        grouped.setdefault(one.key, []).append(one)
    groups = list(grouped.values())
    told = distinguish([{**group[0].recipe, "kind": group[0].kind} for group in groups], wanted)
    rows = tuple(_row(group, label, by) for group, label in zip(groups, told.labels, strict=True))
    return rows, told


def repeated(samples: Iterable[Sample], rows: Iterable[Row]) -> Mapping[str, str]:
    """Return the runs that repeat another one of their row, with that other one."""
    counted = {(one.key, one.seed): one.name for row in rows for one in row.samples}
    names = set(counted.values())
    return {
        one.name: counted[one.key, one.seed]
        for one in samples
        if (one.key, one.seed) in counted and one.name not in names and one.status == "done"
    }


def _row(group: Sequence[Sample], label: str, by: str) -> Row:
    first: dict[int, Sample] = {}
    for one in group:
        if by in one.measured:
            first.setdefault(_seed(one), one)
    lost = tuple(one for one in group if by not in one.measured)
    return Row(label=label, samples=tuple(first[seed] for seed in sorted(first)), lost=lost, by=by)


def _seed(sample: Sample) -> int:
    return -1 if sample.seed is None else sample.seed


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
