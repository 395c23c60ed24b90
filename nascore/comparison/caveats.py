"""Warnings and notes of a comparison: differences that make it unfair or need to be known."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from nascore.comparison.labels import value_at
from nascore.comparison.plan import EVALUATE
from nascore.comparison.rows import OTHER_IMAGES, repeated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.comparison.labels import RowLabels
    from nascore.comparison.rows import Pair, Row
    from nascore.comparison.sample import Gathered, Sample


FIELD: Final = ("kind", "scale", "training", "evaluate", "dataset", "space")
"""What has to be the same for all: the first words of paths."""

BUDGET: Final = ("epochs", "batch", "warm_up")
"""Last words of paths that say how long or on how much was trained."""

MADE_ON: Final = ("python", "machine", "device", "threads")


def unequal(rows: Sequence[Row], told: RowLabels) -> tuple[list[str], list[str]]:
    """Return what differs beside the compared paths: what makes it unfair, and what each brings with it."""
    kinds = {row.label: row.recipe | {"kind": (*row.samples, *row.lost)[0].kind} for row in rows}
    unfair: list[str] = []
    brought: list[str] = []
    for path in told.beside:
        said: dict[str, list[str]] = {}
        for label, recipe in kinds.items():
            said.setdefault(value_at(recipe, path), []).append(label)
        text = f"{path}: " + "; ".join(f"{value} ({', '.join(labels)})" for value, labels in said.items())
        serious = path.split(".")[0] in FIELD or path.split(".")[-1] in BUDGET
        (unfair if serious else brought).append(text)
    return unfair, brought


def warnings_of(rows: Sequence[Row], pairs: Sequence[Pair], told: RowLabels, found: Gathered) -> list[str]:
    """Return what makes the comparison doubtful, in sentences."""
    unfair, _ = unequal(rows, told)
    named = " and ".join(told.paths)
    return [
        *(f"not the same for all, beside {named}: {text}" for text in unfair),
        *_environments(found.samples),
        *_images(rows, pairs),
        *_seeds(rows),
        *_repeated(rows, found),
        *_lost(rows, found),
    ]


def _repeated(rows: Sequence[Row], found: Gathered) -> Iterator[str]:
    times = Counter(one.name for one in found.samples)
    yield from (f"{name} is named {many} times; it counts once" for name, many in times.items() if many > 1)
    for one, other in repeated(found.samples, rows).items():
        yield f"{one} repeats {other}: same recipe, same seed; it counts once"


def _environments(samples: Sequence[Sample]) -> Iterator[str]:
    known = [one for one in samples if one.made_on]
    for what in MADE_ON:
        yield from _differs(what, {one.name: one.made_on.get(what) for one in known})
    packages = [one.made_on.get("packages") or {} for one in known]
    for name in sorted({name for of in packages for name in of}):
        versions = {one.name: of.get(name, "none") for one, of in zip(known, packages, strict=True)}
        yield from _differs(f"version of {name}", versions)


def _differs(what: str, by_run: Mapping[str, object]) -> Iterator[str]:
    runs: dict[str, list[str]] = {}
    for name, value in by_run.items():
        runs.setdefault(str(value), []).append(name)
    if len(runs) > 1:
        said = "; ".join(f"{value} ({_few(names)})" for value, names in runs.items())
        yield f"not all were made with the same {what}: {said}"


def _images(rows: Sequence[Row], pairs: Iterable[Pair]) -> Iterator[str]:
    if any(pair.verdict == OTHER_IMAGES for pair in pairs):
        said: dict[str, list[str]] = {}
        for row in rows:
            if row.measured is not None:
                said.setdefault(images_note(row), []).append(row.label)
        listed = "; ".join(f"{images} ({', '.join(labels)})" for images, labels in said.items())
        yield (
            "accuracies do not compare that are of other images or data, or of images that guided the choice "
            f"of one algorithm and not of the other: {listed}. "
            "Compare by test images: nascore search --evaluate"
        )


def _seeds(rows: Sequence[Row]) -> Iterator[str]:
    single = [row.label for row in rows if len(row.samples) == 1]
    if single:
        yield (
            f"one seed only: {', '.join(single)}. How much seeds differ by chance is unknown. "
            "Search with more: --seeds 0..4"
        )
    seeds = {tuple(row.shares) for row in rows if row.samples}
    if len(seeds) > 1:
        listed = "; ".join(f"{row.label}: {spans(row.shares)}" for row in rows if row.samples)
        yield f"not all have the same seeds ({listed}); pairs are compared by those that they share"


def _lost(rows: Iterable[Row], found: Gathered) -> Iterator[str]:
    for row in rows:
        for one in row.lost:
            yield f"{one.name} ({row.label}) does not count: {_why_lost(one, row.by)}"
    if found.missing:
        many = len(found.missing) > 1
        yield f"{len(found.missing)} job{'s were' if many else ' was'} never begun: {_few(found.missing)}"


def _why_lost(one: Sample, by: str) -> str:
    evaluated = "its evaluation failed: " if one.status == "done" and one.evaluation == "failed" else ""
    if one.error:
        return evaluated + one.error.splitlines()[0]
    if one.status != "done":
        return one.status
    if one.evaluation and one.evaluation != "done":
        return f"its evaluation is {one.evaluation}"
    there = " and ".join(one.measured) or "no"
    said = f"its accuracy is of {there} images, and those of this table are of {by} images"
    return f"{said}. Compare evaluations with evaluations" if one.kind == EVALUATE else said


def images_note(row: Row) -> str:
    """Return of how many images an accuracy is, and what say they had in what was chosen."""
    measured = row.measured
    if measured is None:
        return "-"
    said = f"{measured.count} {measured.split}"
    if measured.guided:
        said += ", guided"
    return f"{said}, best of {measured.best_of}" if measured.best_of > 1 else said


def spans(seeds: Iterable[int]) -> str:
    """Return seeds in few letters: ``0..4, 7``."""
    runs: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def _few(names: Sequence[str], most: int = 3) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
