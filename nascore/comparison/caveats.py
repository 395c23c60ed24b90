"""Warnings and notes of a comparison: differences that make it unfair or that readers need to know."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from nascore.comparison.plan import EVALUATE
from nascore.comparison.rows import OTHER_IMAGES, repeated, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nascore.comparison.rows import Pair, Row, RowLabels
    from nascore.comparison.sample import CollectedRuns, Sample


FIELD: Final = ("kind", "scale", "ranking", "training", "evaluate", "dataset", "space")
"""First words of paths whose values must be the same in all rows."""

BUDGET: Final = ("epochs", "batch", "warm_up")
"""Last words of paths that determine the length of the training."""

ENVIRONMENT: Final = ("python", "machine", "device", "threads")


def other_differences(rows: Sequence[Row], labels: RowLabels) -> tuple[list[str], list[str]]:
    """Return the differences besides the compared paths: those that make it unfair, and all others."""
    recipes = {row.label: row.recipe | {"kind": (*row.samples, *row.lost)[0].kind} for row in rows}
    unfair: list[str] = []
    others: list[str] = []
    for path in labels.other_paths:
        rows_by_value: dict[str, list[str]] = {}
        for label, recipe in recipes.items():
            rows_by_value.setdefault(value_at(recipe, path), []).append(label)
        text = f"{path}: {_listed(rows_by_value)}"
        serious = path.split(".")[0] in FIELD or path.split(".")[-1] in BUDGET
        (unfair if serious else others).append(text)
    return unfair, others


def warnings_of(
    rows: Sequence[Row], pairs: Sequence[Pair], labels: RowLabels, runs: CollectedRuns
) -> list[str]:
    """Return the warnings about a comparison, one sentence each."""
    unfair, _ = other_differences(rows, labels)
    named = " and ".join(labels.paths)
    return [
        *(f"rows differ in more than {named}: {text}" for text in unfair),
        *environment_warnings(runs.samples),
        *_images(rows, pairs),
        *_seeds(rows),
        *_repeated(rows, runs),
        *lost_warnings(rows, runs),
    ]


def _listed(names_by_value: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{value} ({', '.join(names)})" for value, names in names_by_value.items())


def _repeated(rows: Sequence[Row], runs: CollectedRuns) -> Iterator[str]:
    times = Counter(run.name for run in runs.samples)
    yield from (
        f"{name} is named {count} times; it counts once" for name, count in times.items() if count > 1
    )
    for run, other in repeated(runs.samples, rows).items():
        yield f"{run} has the same recipe and seed as {other}; only one of them counts"


def environment_warnings(samples: Sequence[Sample]) -> Iterator[str]:
    """Yield a warning for each version, machine, device and number of threads in which runs differ."""
    known = [sample for sample in samples if sample.environment]
    for key in ENVIRONMENT:
        yield from _differs(key, {sample.name: sample.environment.get(key) for sample in known})
    packages = [sample.environment.get("packages") or {} for sample in known]
    for name in sorted({name for versions in packages for name in versions}):
        by_run = {
            sample.name: versions.get(name, "none") for sample, versions in zip(known, packages, strict=True)
        }
        yield from _differs(f"version of {name}", by_run)


def _differs(key: str, by_run: Mapping[str, object]) -> Iterator[str]:
    runs: dict[str, list[str]] = {}
    for name, value in by_run.items():
        runs.setdefault(str(value), []).append(name)
    if len(runs) > 1:
        text = "; ".join(f"{value} ({_few(names)})" for value, names in runs.items())
        yield f"runs differ in {key}: {text}"


def _images(rows: Sequence[Row], pairs: Iterable[Pair]) -> Iterator[str]:
    if any(pair.verdict == OTHER_IMAGES for pair in pairs):
        by_images: dict[str, list[str]] = {}
        for row in rows:
            if row.measured is not None:
                by_images.setdefault(images_note(row), []).append(row.label)
        yield (
            "accuracies are not comparable if their images or data differ, or if the images guided the "
            f"choice of only one of the architectures: {_listed(by_images)}. "
            "Compare on test images: nascore search --evaluate"
        )


def _seeds(rows: Sequence[Row]) -> Iterator[str]:
    single = [row.label for row in rows if len(row.samples) == 1]
    if single:
        yield (
            f"these rows have only one seed: {', '.join(single)}. The variation between seeds is unknown. "
            "Search with more seeds: --seeds 0..4"
        )
    seeds = {tuple(row.shares) for row in rows if row.samples}
    if len(seeds) > 1:
        listed = "; ".join(f"{row.label}: {spans(row.shares)}" for row in rows if row.samples)
        yield f"rows have different seeds ({listed}); each pair is compared on the seeds that both have"


def lost_warnings(rows: Iterable[Row], runs: CollectedRuns) -> Iterator[str]:
    """Yield a warning for each run that does not count, and one for the jobs that were not started."""
    for row in rows:
        for run in row.lost:
            yield f"{run.name} ({row.label}) does not count: {_whylost_warnings(run, row.by)}"
    if runs.missing:
        count = len(runs.missing)
        yield f"{count} job{' was' if count == 1 else 's were'} not started: {_few(runs.missing)}"


def _whylost_warnings(run: Sample, by: str) -> str:
    prefix = "its evaluation failed: " if run.status == "done" and run.evaluation == "failed" else ""
    if run.error:
        return prefix + run.error.splitlines()[0]
    if run.status != "done":
        return run.status
    if run.evaluation and run.evaluation != "done":
        return f"its evaluation is {run.evaluation}"
    splits = " and ".join(run.measured) or "no"
    text = f"its accuracy is on {splits} images, and this table compares {by} images"
    return f"{text}. Compare evaluations with evaluations" if run.kind == EVALUATE else text


def images_note(row: Row) -> str:
    """Return the number of images behind an accuracy, their split, and whether they guided the choice."""
    measured = row.measured
    if measured is None:
        return "-"
    text = f"{measured.count} {measured.split}"
    if measured.guided:
        text += ", guided"
    return f"{text}, best of {measured.best_of}" if measured.best_of > 1 else text


def spans(seeds: Iterable[int]) -> str:
    """Return seeds as ranges: ``0..4, 7``."""
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
