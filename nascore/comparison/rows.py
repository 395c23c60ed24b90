"""Groups runs that differ only in their seed into the rows of a comparison, labels and compares the rows."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.comparison.plan import is_slot
from nascore.comparison.sample import ARCHITECTURE_PATH
from nascore.comparison.significance import (
    FEWEST,
    LEVEL,
    Difference,
    holm,
    mean_interval,
    paired,
    plain_tests,
    unpaired,
)
from nascore.config import write_value
from nascore.gallery import ACCURACY
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.comparison.sample import Flat, Measured, Sample
    from nascore.gallery import Metric


LABEL_SLOTS: Final = ("updater", "growth", "space", "relaxation", "regularizer", "trainer", "task", "dataset")
"""Slots in the order in which they label rows; those that are compared most often come first."""

MOST_PATHS: Final = 3
"""Largest number of paths in a label; if more are needed, the label names all paths that differ."""

TRIED_PATHS: Final = 12
"""Number of differing paths whose combinations are tried."""

ABSENT: Final = object()
"""Value at a path that a recipe does not have."""


@frozen(kw_only=True)
class Row:
    """One algorithm, averaged over its seeds.

    Attributes:
        label: The name in this comparison.
        samples: The runs that count, one for each seed, sorted by seed.
        lost: The runs that do not count: failed, interrupted, or without this accuracy.
        by: The split of the accuracies that count: `validation` or `test`.
    """

    label: str
    samples: tuple[Sample, ...]
    lost: tuple[Sample, ...] = ()
    by: str

    @property
    def recipe(self) -> Flat:
        """The recipe of its runs, without the seed."""
        return (*self.samples, *self.lost)[0].recipe

    @property
    def shares(self) -> dict[int, float]:
        """The accuracies that count, 0 to 1, or the values of another metric, by seed."""
        return {_seed(run): run.measured[self.by].share for run in self.samples}

    @property
    def mean(self) -> float | None:
        """The mean of the accuracies, or of the values of another metric; None if there are none."""
        return fmean(self.shares.values()) if self.samples else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean by Student's t, of a share cut to 0 to 1; None: it does not apply."""
        interval = mean_interval(list(self.shares.values())) if self.samples else None
        if interval is None or not self.metric.percent:
            return interval
        return max(0.0, interval[0]), min(1.0, interval[1])

    @property
    def metric(self) -> Metric:
        """The metric of its runs; the accuracy if no run counts."""
        return ACCURACY if self.measured is None else self.measured.metric

    @property
    def measured(self) -> Measured | None:
        """The first of its accuracies; the others were measured in the same way, by the same recipe."""
        return self.samples[0].measured[self.by] if self.samples else None

    def average(self, figure: str) -> float | None:
        """Return the mean of a figure over the seeds; None if there are no runs that count.

        Args:
            figure: `params` or `macs` of the networks whose accuracies count; `steps` or `seconds` of the
                searches.
        """
        of_network = figure in ("params", "macs")
        values = [getattr(run.measured[self.by] if of_network else run, figure) for run in self.samples]
        return fmean(values) if values else None

    def in_search(self) -> tuple[float, bool] | None:
        """Return the mean validation score, and whether it guided the choice; None without a search."""
        searched = [run for run in self.samples or self.lost if "validation" in run.measured]
        known = [run.measured["validation"] for run in searched]
        return (fmean(accuracy.share for accuracy in known), known[0].guided) if known else None

    @property
    def failed(self) -> bool:
        """Whether no run counts because a search or an evaluation failed."""
        return not self.samples and any("failed" in (run.status, run.evaluation) for run in self.lost)

    def plain(self) -> dict[str, Any]:
        """Return the row as values for JSON."""
        measured, search = self.measured, self.in_search()
        return {
            "label": self.label,
            "seeds": list(self.shares),
            self.metric.name: self.mean,
            "interval": None if self.interval is None else list(self.interval),
            "by_seed": {str(seed): share for seed, share in self.shares.items()},
            "images": None if measured is None else measured.count,
            "split": self.by,
            "guided": None if measured is None else measured.guided,
            "best_of": None if measured is None else measured.best_of,
            self.metric.key("validation"): None if search is None else search[0],
            "validation_guided": None if search is None else search[1],
            **{figure: self.average(figure) for figure in ("params", "macs", "steps", "seconds")},
            "runs": [run.name for run in self.samples],
            "failed": self.failed,
            "lost": [
                {"run": run.name, "status": run.status, "evaluation": run.evaluation, "error": run.error}
                for run in self.lost
            ],
        }


def choose_split(samples: Iterable[Sample]) -> str:
    """Return the split of the accuracies that count: `test` if every row was tested, or should have been.

    A row whose evaluation failed has no accuracy: the accuracy of its search is on other images and does
    not replace it. If no evaluation has finished or failed, as in a comparison that was stopped, the
    accuracies of the searches count in all rows.
    """
    known = list(samples)
    tested_rows: dict[Any, bool] = {}
    for run in known:
        if run.measured:
            tested = "test" in run.measured or bool(run.evaluation)
            tested_rows[run.key] = tested_rows.get(run.key, False) or tested
    evaluated = any("test" in run.measured or run.evaluation == "failed" for run in known)
    return "test" if evaluated and all(tested_rows.values()) else "validation"


def rows_of(samples: Sequence[Sample], wanted: Iterable[str], by: str) -> tuple[tuple[Row, ...], RowLabels]:
    """Return the rows of runs with their labels, in the order of the first run of each row.

    Args:
        samples: The runs.
        wanted: The slots and settings that the user chose to compare, if known.
        by: The split of the accuracies that count.
    """
    grouped: dict[Any, list[Sample]] = {}
    for run in samples:
        grouped.setdefault(run.key, []).append(run)
    groups = list(grouped.values())
    labels = distinguish([{**group[0].recipe, "kind": group[0].kind} for group in groups], wanted)
    rows = tuple(_row(group, label, by) for group, label in zip(groups, labels.labels, strict=True))
    return rows, labels


def repeated(samples: Iterable[Sample], rows: Iterable[Row]) -> Mapping[str, str]:
    """Return the names of duplicate runs, each with the name of the run that counts in its place."""
    counted = {(run.key, run.seed): run.name for row in rows for run in row.samples}
    names = set(counted.values())
    return {
        run.name: counted[run.key, run.seed]
        for run in samples
        if (run.key, run.seed) in counted and run.name not in names and run.status == "done"
    }


def _row(group: Sequence[Sample], label: str, by: str) -> Row:
    first: dict[int, Sample] = {}
    for run in group:
        if by in run.measured:
            first.setdefault(_seed(run), run)
    lost = tuple(run for run in group if by not in run.measured)
    return Row(label=label, samples=tuple(first[seed] for seed in sorted(first)), lost=lost, by=by)


def _seed(sample: Sample) -> int:
    return -1 if sample.seed is None else sample.seed


@frozen(kw_only=True)
class RowLabels:
    """Labels that distinguish the rows of a comparison.

    Attributes:
        paths: The paths in the labels: compared slots, or settings.
        labels: One unique label for each row, in the order of the rows.
        other_paths: Further paths whose values differ, without the settings of a compared slot.
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    other_paths: tuple[str, ...]


def distinguish(recipes: Sequence[Flat], wanted: Iterable[str] = ()) -> RowLabels:
    """Label recipes by their values at the fewest paths that distinguish them.

    Args:
        recipes: One for each row; no two are equal.
        wanted: The slots and settings that the user chose to compare, if known.
    """
    differing = _differing(recipes)
    wanted = [path for path in wanted if path in differing]
    paths = _fewest(recipes, differing, wanted)
    named = paths or tuple(wanted) or (LABEL_SLOTS[0],)
    labels = tuple(_label(recipe, named, wanted) for recipe in recipes)
    inside = tuple(path for path in differing if is_slot(path))
    other_paths = tuple(
        path
        for path in differing
        if path not in paths and not any(path.startswith(f"{slot}.") for slot in inside)
    )
    return RowLabels(paths=named, labels=labels, other_paths=other_paths)


def value_at(recipe: Flat, path: str) -> str:
    """Return a recipe's value at a path, as a user types it; `-` if it has none."""
    value = recipe.get(path, ABSENT)
    if value is ABSENT:
        return "-"
    if value is None and is_slot(path):
        return "none"
    return write_value(value)


def _differing(recipes: Sequence[Flat]) -> list[str]:
    """Return the paths at which recipes differ: slots first, in the order of labels."""
    known = dict.fromkeys(path for recipe in recipes for path in recipe)
    found = [path for path in known if len({recipe.get(path, ABSENT) for recipe in recipes}) > 1]
    order = {
        slot: place for place, slot in enumerate([*LABEL_SLOTS, ARCHITECTURE_PATH, *map(_name, SLOTS)][::-1])
    }
    return sorted(found, key=lambda path: -order.get(path, -1))


def _fewest(recipes: Sequence[Flat], differing: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the fewest paths that distinguish all recipes, including the wanted ones."""
    others = [path for path in differing if path not in wanted][:TRIED_PATHS]
    for count in range(MOST_PATHS + 1):
        for more in combinations(others, count):
            paths = (*wanted, *more)
            if len({tuple(recipe.get(path, ABSENT) for path in paths) for recipe in recipes}) == len(recipes):
                return paths
    return tuple(differing)


def _label(recipe: Flat, paths: Sequence[str], wanted: Sequence[str]) -> str:
    """Return the label of a row: names of components, and settings with their path.

    A compared setting that the row's component does not have is left out.
    """
    words = [
        value_at(recipe, path) if is_slot(path) else f"{path}={value_at(recipe, path)}"
        for path in paths
        if path not in wanted or path in recipe or is_slot(path)
    ]
    return " ".join(words)


def _name(slot: Any) -> str:  # noqa: ANN401 - a slot
    return str(slot.name)


SIGNIFICANT: Final = "significant"
IF_NORMAL: Final = "significant if normal"
NOT_SIGNIFICANT: Final = "not significant"
TOO_FEW: Final = "too few seeds"
OTHER_IMAGES: Final = "not comparable"


@frozen(kw_only=True)
class Pair:
    """The difference of two rows.

    Attributes:
        first: Label of the row with the higher mean over the compared seeds.
        second: Label of the other row.
        seeds: Number of compared seeds; if the rows share none, the number of the row that has fewer.
        shared: Whether the rows were compared seed by seed.
        difference: The difference of the means with its tests; None if the accuracies are not comparable.
        p: The p by Student's t, corrected for all pairs (Holm); None if the test does not apply.
        exact: The p by permutation, corrected for all pairs; None if the test does not apply.
        verdict: The conclusion from both tests.
    """

    first: str
    second: str
    seeds: int
    shared: bool
    difference: Difference | None
    p: float | None = None
    exact: float | None = None
    verdict: str = TOO_FEW

    def plain(self) -> dict[str, Any]:
        """Return the pair as values for JSON."""
        found = self.difference
        return {
            "first": self.first,
            "second": self.second,
            "seeds": self.seeds,
            "paired": self.shared,
            "difference": None if found is None else found.value,
            **plain_tests(found, self.p, self.exact),
            "verdict": self.verdict,
        }


def pairs_of(rows: Sequence[Row], against: str | None = None) -> tuple[Pair, ...]:
    """Return the differences between rows, corrected for the number of comparisons.

    Args:
        rows: The rows.
        against: Label of the row to compare all others with; None: all pairs.
    """
    known = [row for row in rows if row.samples]
    pairs = [
        _pair(one, other)
        for one, other in combinations(known, 2)
        if against is None or against in (one.label, other.label)
    ]
    tested = [pair for pair in pairs if pair.difference is not None and pair.difference.exact is not None]
    # Student's t does not apply to differences that are all equal; they count with the exact p.
    student = holm([_known(pair.difference, pair.difference.p) for pair in tested if pair.difference])
    exact = holm([_known(pair.difference, None) for pair in tested if pair.difference])
    judged = {
        (pair.first, pair.second): _judged(pair, p, other)
        for pair, p, other in zip(tested, student, exact, strict=True)
    }
    return tuple(judged.get((pair.first, pair.second), pair) for pair in pairs)


def comparable(one: Row, other: Row) -> bool:
    """Return whether two rows are measured on the same images, and both or neither guided the choice.

    Images that guided the choice of the architecture make its accuracy higher than on unseen images.
    """
    first, second = one.measured, other.measured
    return same_images(one, other) and first is not None and first.guided == (second and second.guided)


def same_images(one: Row, other: Row) -> bool:
    """Return whether two rows are measured on the same images, by the same metric.

    The seed of a search selects the images, so it is enough that counts and data set are the same.
    """
    first, second = one.measured, other.measured
    if first is None or second is None:
        return False
    alike = (first.split, first.count, first.metric) == (second.split, second.count, second.metric)
    return alike and _data(one) == _data(other)


def _pair(one: Row, other: Row) -> Pair:
    common = [seed for seed in one.shares if seed in other.shares]
    fewest = min(len(one.shares), len(other.shares))
    shared = len(common) >= min(FEWEST, fewest)

    def compared(row: Row) -> list[float]:
        return [row.shares[seed] for seed in common] if shared else list(row.shares.values())

    # The order follows the compared seeds: over all seeds, the other row may have the better mean.
    errors = [row.metric.error(fmean(compared(row))) for row in (one, other)]
    if errors[1] < errors[0]:
        one, other = other, one
    seeds = len(common) if shared else fewest
    empty = Pair(first=one.label, second=other.label, seeds=seeds, shared=shared, difference=None)
    if not comparable(one, other):
        return evolve(empty, verdict=OTHER_IMAGES)
    return evolve(empty, difference=(paired if shared else unpaired)(compared(one), compared(other)))


def _judged(pair: Pair, p: float, exact: float) -> Pair:
    found = pair.difference
    student = None if found is None or found.p is None else p
    if exact < LEVEL and p < LEVEL:
        verdict = SIGNIFICANT
    elif student is not None and student < LEVEL:
        verdict = IF_NORMAL
    else:
        verdict = NOT_SIGNIFICANT
    return evolve(pair, p=student, exact=exact, verdict=verdict)


def _known(difference: Difference, p: float | None) -> float:
    assert difference.exact is not None
    return difference.exact if p is None else p


def _data(row: Row) -> list[tuple[str, Any]]:
    return sorted((path, value) for path, value in row.recipe.items() if path.split(".")[0] == "dataset")
