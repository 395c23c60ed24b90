"""Ablations: the contribution of each trick, from trainings with it and without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import evolve, frozen

from nascore.comparison.caveats import environment_warnings, lost_warnings, spans
from nascore.comparison.rows import IF_NORMAL, NOT_SIGNIFICANT, OTHER_IMAGES, SIGNIFICANT, Row, pairs_of
from nascore.comparison.sample import collect_runs
from nascore.comparison.significance import plain_tests
from nascore.comparison.table import METHOD, power_note
from nascore.errors import RunFolderError
from nascore.run import (
    ABLATION,
    ABLATION_SCHEMA,
    VARIANT_SCHEMA,
    checked,
    is_file,
    object_of,
    refuse_newer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nascore.comparison.plan import Member
    from nascore.comparison.rows import Pair
    from nascore.comparison.significance import Difference
    from nascore.gallery import Metric

Base: TypeAlias = Literal["full", "bare"]
"""The recipe that each variant differs from: with all tricks, or with none of them."""

FORMAT: Final = 1
"""Version of the format of `ablation.json`."""

FEW: Final = 5
"""Number of seeds below which intervals are called wide."""

HELPS: Final = "helps"
HURTS: Final = "hurts"
NOT_SHOWN: Final = "no difference shown"
ONE_SEED: Final = "one seed, not tested"
FAILED: Final = "failed"
MISSING: Final = "not trained"


@frozen(kw_only=True)
class Variant:
    """One recipe of an ablation.

    Attributes:
        name: ``full``, ``bare``, ``without cutout`` or ``only cutout``.
        switch: The trick, or the path of the setting, in which it differs from the base; empty for the base.
        choice: Its tricks, and its values of the settings that are switched.
        jobs: The folders of its trainings, by seed.
    """

    name: str
    switch: str
    choice: Mapping[str, str]
    jobs: Mapping[int, str]

    def plain(self) -> dict[str, Any]:
        """Return the variant as values for JSON."""
        return {
            "name": self.name,
            "switch": self.switch,
            "choice": dict(self.choice),
            "jobs": {str(seed): folder for seed, folder in self.jobs.items()},
        }


@frozen(kw_only=True)
class VariantMember:
    """One training of a variant, before it runs.

    Attributes:
        variant: The name of the variant.
        member: Its recipe, with the executor of the ablation, and its choice.
    """

    variant: str
    member: Member


@frozen(kw_only=True)
class AblationPlan:
    """The variants of an ablation and their trainings.

    Attributes:
        base: The recipe that each variant differs from.
        target: The architecture, as the user named it.
        split: The images that measure the networks: `validation` or `test`.
        seeds: The seeds of each variant.
        variants: The variants, the base first.
    """

    base: Base
    target: str
    split: str
    seeds: tuple[int, ...]
    variants: tuple[Variant, ...]

    def plain(self) -> dict[str, Any]:
        """Return the plan as values for JSON."""
        return {
            "format": FORMAT,
            "from": self.base,
            "target": self.target,
            "split": self.split,
            "seeds": list(self.seeds),
            "variants": [variant.plain() for variant in self.variants],
        }


def is_ablation(path: Path) -> bool:
    """Return whether a folder is the folder of an ablation."""
    return is_file(path / ABLATION)


def read_ablation_plan(path: Path) -> AblationPlan:
    """Return the plan of an ablation's folder.

    Raises:
        RunFolderError: The file cannot be read, or a newer nascore wrote it.
    """
    file = path / ABLATION
    needed = ("format", "from", "target", "split", "seeds", "variants")
    plain = checked(object_of(file), ABLATION_SCHEMA, file, needed)
    if plain["format"] > FORMAT:
        text = (
            f"{file} has format {plain['format']}, and this version of nascore reads formats up to {FORMAT}."
        )
        raise RunFolderError(f"{text} Upgrade: pip install --upgrade nascore")
    variants = tuple(
        _variant(one, f"{file}, variant {place}") for place, one in enumerate(plain["variants"], start=1)
    )
    names, bases = {variant.name for variant in variants}, [not variant.switch for variant in variants]
    if len(names) < len(variants) or bases[:1] != [True] or sum(bases) > 1:
        raise RunFolderError(f"{file} cannot be read: its variants contradict each other.")
    return AblationPlan(
        base=plain["from"],
        target=plain["target"],
        split=plain["split"],
        seeds=tuple(plain["seeds"]),
        variants=variants,
    )


def _variant(plain: dict[str, Any], where: str) -> Variant:
    found = checked(plain, VARIANT_SCHEMA, where, VARIANT_SCHEMA)
    if not all(seed.isdecimal() for seed in found["jobs"]):
        raise RunFolderError(f"{where} cannot be read: a job has no seed.")
    jobs = {int(seed): folder for seed, folder in found["jobs"].items()}
    return Variant(name=found["name"], switch=found["switch"], choice=found["choice"], jobs=jobs)


@frozen(kw_only=True)
class Contribution:
    """The contribution of one trick, or of one setting.

    Attributes:
        switch: The name of the trick, or the path of the setting.
        variant: The name of the variant that is compared with the base.
        seeds: Number of seeds over which both were trained.
        difference: With it minus without it, with interval and tests; None if one of them has no result.
        p: The p by Student's t, corrected for all tricks (Holm); None if the test does not apply.
        exact: The p by permutation, corrected for all tricks; None if the test does not apply.
        with_mean: Mean score of the trainings with it; None if there are none.
        without_mean: Mean of the trainings without it.
        with_seconds: Mean duration of a training with it; None if there are none.
        without_seconds: Mean duration of a training without it.
        verdict: The conclusion in words.
    """

    switch: str
    variant: str
    seeds: int
    difference: Difference | None
    p: float | None
    exact: float | None
    with_mean: float | None
    without_mean: float | None
    with_seconds: float | None
    without_seconds: float | None
    verdict: str

    def plain(self) -> dict[str, Any]:
        """Return the contribution as values for JSON."""
        found = self.difference
        return {
            "switch": self.switch,
            "variant": self.variant,
            "seeds": self.seeds,
            "contribution": None if found is None else found.value,
            **plain_tests(found, self.p, self.exact),
            "with": self.with_mean,
            "without": self.without_mean,
            "seconds_with": self.with_seconds,
            "seconds_without": self.without_seconds,
            "verdict": self.verdict,
        }


@frozen(kw_only=True)
class Ablation:
    """The contributions of tricks to a training.

    Attributes:
        path: The folder.
        plan: The variants and their trainings.
        rows: The results of each variant, in the order of the plan.
        contributions: One for each trick and setting, in the order of the plan.
        notes: Sentences on the number of seeds.
        warnings: Reasons to doubt the figures.
    """

    path: Path
    plan: AblationPlan
    rows: tuple[Row, ...]
    contributions: tuple[Contribution, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def base(self) -> Row:
        """The results of the recipe that each variant differs from."""
        return self.rows[0]

    def plain(self) -> dict[str, Any]:
        """Return the ablation as values for JSON."""
        return {
            **self.plan.plain(),
            "rows": [row.plain() for row in self.rows],
            "contributions": [one.plain() for one in self.contributions],
            "notes": list(self.notes),
            "method": METHOD,
            "warnings": list(self.warnings),
        }


def read_ablation(path: Path) -> Ablation:
    """Return the contributions in an ablation's folder, from the results of its trainings so far.

    Raises:
        RunFolderError: A file cannot be read.
    """
    refuse_newer(path)
    plan, runs = read_ablation_plan(path), collect_runs([path])
    samples = {sample.name: sample for sample in runs.samples}
    rows: list[Row] = []
    for variant in plan.variants:
        found = [
            samples[variant.jobs[seed]] for seed in sorted(variant.jobs) if variant.jobs[seed] in samples
        ]
        measured = tuple(run for run in found if plan.split in run.measured)
        lost = tuple(run for run in found if plan.split not in run.measured)
        rows.append(Row(label=variant.name, samples=measured, lost=lost, by=plan.split))
    base, *others = rows
    pairs = [pair for pair in pairs_of(rows, base.label) if base.samples]
    by_variant = {({pair.first, pair.second} - {base.label}).pop(): pair for pair in pairs}
    contributions = tuple(
        _contribution(plan, variant, base, row, by_variant.get(row.label))
        for variant, row in zip(plan.variants[1:], others, strict=True)
    )
    jobs = {folder for variant in plan.variants for folder in variant.jobs.values()}
    runs = evolve(runs, missing=tuple(name for name in runs.missing if name in jobs))
    of_plan = [sample for row in rows for sample in (*row.samples, *row.lost)]
    return Ablation(
        path=path,
        plan=plan,
        rows=tuple(rows),
        contributions=contributions,
        notes=tuple(_notes(rows, pairs)),
        warnings=(*environment_warnings(of_plan), *lost_warnings(rows, runs)),
    )


def _contribution(
    plan: AblationPlan, variant: Variant, base: Row, other: Row, pair: Pair | None
) -> Contribution:
    with_it, without = (base, other) if plan.base == "full" else (other, base)
    found = None if pair is None else pair.difference
    if pair is not None and found is not None and pair.first != with_it.label:
        low_high = None if found.interval is None else (-found.interval[1], -found.interval[0])
        found = evolve(found, value=0.0 - found.value, interval=low_high)
    return Contribution(
        switch=variant.switch,
        variant=variant.name,
        seeds=0 if pair is None else pair.seeds,
        difference=found,
        p=None if pair is None else pair.p,
        exact=None if pair is None else pair.exact,
        with_mean=with_it.mean,
        without_mean=without.mean,
        with_seconds=with_it.average("seconds"),
        without_seconds=without.average("seconds"),
        verdict=_verdict(pair, found, base.metric, failed=base.failed or other.failed),
    )


def _verdict(pair: Pair | None, found: Difference | None, metric: Metric, *, failed: bool) -> str:
    if pair is None:
        return FAILED if failed else MISSING
    if found is None:
        return OTHER_IMAGES
    direction = HELPS if (found.value > 0) == metric.larger_is_better else HURTS
    words = {
        SIGNIFICANT: direction,
        IF_NORMAL: f"{direction} if normal",
        NOT_SIGNIFICANT: NOT_SHOWN,
    }
    return words.get(pair.verdict, ONE_SEED)


def _notes(rows: Sequence[Row], pairs: Sequence[Pair]) -> list[str]:
    trained = [row for row in rows if row.samples]
    fewest = min((len(row.samples) for row in trained), default=0)
    if not pairs:
        return []
    if fewest == 1:
        return ["with one seed a contribution has no interval. Add seeds: --seeds 0..4"]
    found = [f"with {fewest} seeds the intervals are wide. Add seeds: --seeds 0..9"] if fewest < FEW else []
    return [*found, *power_note(pairs)]


def seeds_text(row: Row) -> str:
    """Return the seeds of a row's trainings as ranges."""
    return spans(row.shares)
