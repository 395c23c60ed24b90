"""The values that a comparison reads from one run."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.comparison.plan import SEARCH, read_plan
from nascore.config import parse_document
from nascore.errors import RunFolderError
from nascore.files import without_digest
from nascore.recipe.settling.snapshot import FOLDER
from nascore.run import (
    ARCHITECTURE,
    CHANGE_SCHEMA,
    CHANGES,
    COMPARISON,
    METRICS,
    METRICS_SCHEMA,
    RECIPE,
    checked,
    environment_of,
    is_file,
    lines_of,
    read,
    refuse_newer,
    text_of,
)
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nascore.config import Node
    from nascore.run import Record


Flat: TypeAlias = dict[str, Any]
"""By path what a recipe says there: ``{"updater": "xnas", "updater.eta": 0.1, "regularizer": "l1"}``."""

PLUGINS: Final = "plugins"
PERSONAL: Final = frozenset({"nascore", PLUGINS, "seed", "threads", "device", "observer"})
"""What belongs to one run rather than to what was compared."""

_SLOTS: Final = {slot.name: slot for slot in SLOTS}


def flat_recipe(text: str, folder: Path) -> Flat:
    """Return what a run's recipe says, without what is one run's own.

    Of a file that the run keeps the content counts: of two descriptions, each `files/chain.yaml` in its run's
    folder, the names are the same. So it is with plugins that are single files.

    Args:
        text: The recipe, as the folder keeps it: every value is in it.
        folder: The run's folder.

    Raises:
        RunFolderError: It is no recipe, or a file that it names cannot be read.
    """
    where = str(folder / RECIPE)
    document = parse_document(text, where=where)
    if document.problems:
        raise RunFolderError(document.problems)
    if document.root is None or not isinstance(document.root.value, dict):
        raise RunFolderError(f"{where} is no recipe.")
    items = document.root.value
    found = {
        path: value
        for key, node in items.items()
        if key not in PERSONAL
        for path, value in _walked(key, node)
    }
    files = _values(PLUGINS, items[PLUGINS]) if PLUGINS in items else ()
    found |= {path: value for path, value in files if _kept(folder, value)}
    return {path: _content(folder, value) if _kept(folder, value) else value for path, value in found.items()}


def digest(file: Path) -> str:
    """Return eight letters that stand for the content of a file.

    Raises:
        RunFolderError: It cannot be read.
    """
    return sha256(without_digest(text_of(file)).encode()).hexdigest()[:8]


def _kept(folder: Path, value: object) -> bool:
    return isinstance(value, str) and value.startswith(f"{FOLDER}/") and is_file(folder / value)


def _content(folder: Path, value: str) -> str:
    return f"{value.removeprefix(f'{FOLDER}/')}@{digest(folder / value)}"


def _walked(key: str, node: Node) -> Iterator[tuple[str, Any]]:
    slot = _SLOTS.get(key)
    if slot is None or not isinstance(node.value, dict):
        yield from _values(key, node)
    elif slot.many:
        yield key, "+".join(node.value)
        for name, inner in node.value.items():
            yield from _values(f"{key}.{name}", inner)
    else:
        chosen = node.value.get("name")
        yield key, None if chosen is None else chosen.value
        for word, value in node.value.items():
            if word != "name":
                yield from _values(f"{key}.{word}", value)


def _values(path: str, node: Node) -> Iterator[tuple[str, Any]]:
    if isinstance(node.value, dict):
        for word, inner in node.value.items():
            yield from _values(f"{path}.{word}", inner)
    else:
        yield path, _plain(node)


def _plain(node: Node) -> Any:  # noqa: ANN401 - any scalar, or a tuple of such
    if isinstance(node.value, list):
        return tuple(map(_plain, node.value))
    if isinstance(node.value, dict):
        return tuple((word, _plain(inner)) for word, inner in node.value.items())
    return node.value


ARCHITECTURE_PATH = "architecture"
"""Where an evaluation says what was evaluated: its recipe does not."""


@frozen(kw_only=True)
class Measured:
    """An accuracy, and what makes it comparable with another.

    Attributes:
        share: Share of the images that was right, 0 to 1.
        count: How many images.
        split: Of which images.
        params: Parameters of the network that was measured; an evaluation may train a larger one.
        macs: Its multiplications with addition, per image.
        guided: Whether these images guided the choice of the architecture.
        best_of: Of how many architectures this was the best on these images.
    """

    share: float
    count: int
    split: Literal["validation", "test"]
    params: float
    macs: float
    guided: bool = False
    best_of: int = 1


@frozen(kw_only=True)
class Sample:
    """What one run gave: one value of a row of the table.

    Attributes:
        name: How the run is called: its folder.
        status: Of the run; `done` has figures.
        seed: Of the run.
        kind: `search` or `evaluate`.
        recipe: What its recipe says, without the seed.
        measured: Its accuracies, by split.
        steps: Training steps of all its jobs together.
        seconds: What it took; an evaluation that belongs to it is counted apart.
        made_on: Versions, device and threads.
        error: Why it failed; empty where it did not.
        evaluation: Status of the evaluation of its architecture, `missing` where it was not begun; empty
            where none was planned.
    """

    name: str
    status: str
    seed: int | None
    kind: str
    recipe: Flat
    measured: Mapping[str, Measured] = Factory(dict)
    steps: int = 0
    seconds: float = 0.0
    made_on: Mapping[str, Any] = Factory(dict)
    error: str = ""
    evaluation: str = ""

    @property
    def key(self) -> tuple[tuple[str, Any], ...]:
        """What runs of one row have in common: everything but the seed."""
        return (("kind", self.kind), *sorted(self.recipe.items(), key=lambda item: item[0]))


def sample_of(path: Path, *, name: str) -> Sample:
    """Return what a run says.

    Args:
        path: Its folder; the run need not be done.
        name: How it is called in the table.

    Raises:
        RunFolderError: It is no run, or cannot be read.
    """
    record = read(path)
    result = record.result or {}
    made_on = environment_of(path)
    kind = str(result.get("kind", made_on.get("kind", "search")))
    recipe = flat_recipe(record.recipe, path)
    if kind == "evaluate" and is_file(path / ARCHITECTURE):
        recipe[ARCHITECTURE_PATH] = digest(path / ARCHITECTURE)
    done = record.status == "done"
    return Sample(
        name=name,
        status=record.status,
        seed=result.get("seed"),
        kind=kind,
        recipe=recipe,
        measured=_measured(record, result) if done else {},
        steps=_steps(record),
        seconds=float(result.get("seconds", 0.0)),
        made_on=made_on,
        error=str(result.get("error", "")),
    )


def _measured(record: Record, result: Mapping[str, Any]) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    params, macs = float(result["params"]), float(result["macs"])
    if "validation_accuracy" in result:
        found["validation"] = Measured(
            share=float(result["validation_accuracy"]),
            count=int(result["validation_count"]),
            split="validation",
            guided=bool(result.get("validation_guided", False)),
            best_of=max(1, len(record.gallery)),
            params=params,
            macs=macs,
        )
    if "test_accuracy" in result:
        share, count = float(result["test_accuracy"]), int(result["test_count"])
        found["test"] = Measured(share=share, count=count, split="test", params=params, macs=macs)
    return found


def _steps(record: Record) -> int:
    """Return the steps of all phases of all jobs: a line says how many its phase has had up to there."""
    last: dict[tuple[Any, Any], int] = {}
    file = record.path / METRICS
    for number, line in enumerate(lines_of(file), start=1):
        checked(line, METRICS_SCHEMA, f"{file}, line {number}", ("job", "phase", "step"))
        last[line["job"], line["phase"]] = line["step"]
    return sum(last.values())


@frozen(kw_only=True)
class Gathered:
    """What was found where somebody pointed.

    Attributes:
        samples: The runs.
        slots: The slots that were meant to be compared; empty where that is not known.
        missing: Jobs of comparisons that were never begun.
    """

    samples: tuple[Sample, ...]
    slots: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def gathered(paths: Sequence[Path]) -> Gathered:
    """Read the runs at some paths.

    Args:
        paths: Folders of runs, and of comparisons, which stand for all runs in them.

    Raises:
        RunFolderError: One of them is no run, or cannot be read.
    """
    alone = len(paths) == 1
    found = [
        _inside(path, "" if alone else f"{path}/") if is_comparison(path) else _one(path) for path in paths
    ]
    return Gathered(
        samples=tuple(sample for one in found for sample in one.samples),
        slots=tuple(dict.fromkeys(slot for one in found for slot in one.slots)),
        missing=tuple(name for one in found for name in one.missing),
    )


def is_comparison(path: Path) -> bool:
    """Say whether a folder is that of a comparison."""
    return is_file(path / COMPARISON)


def _one(path: Path) -> Gathered:
    return Gathered(samples=(sample_of(path, name=str(path)),))


def _inside(path: Path, prefix: str) -> Gathered:
    refuse_newer(path)
    plan = read_plan(path)
    evaluations = {job.of: job.folder for job in plan.jobs if job.of is not None}
    begun = [job for job in plan.jobs if is_file(path / job.folder / RECIPE)]
    tested = {
        job.folder: sample_of(path / job.folder, name=f"{prefix}{job.folder}")
        for job in begun
        if job.kind != SEARCH
    }
    training = _training(tested.values())
    failures = _failures(path)
    samples = [
        _evaluated(
            sample_of(path / job.folder, name=f"{prefix}{job.folder}"),
            tested.get(evaluations.get(job.folder, "")),
            training,
            failure=failures.get(evaluations.get(job.folder, "")),
            planned=job.folder in evaluations,
        )
        for job in begun
        if job.kind == SEARCH
    ]
    missing = tuple(
        f"{prefix}{job.folder}" for job in plan.jobs if job not in begun and job.folder not in failures
    )
    return Gathered(samples=tuple(samples), slots=plan.slots, missing=missing)


def _training(evaluations: Iterable[Sample]) -> Flat:
    """Return how the evaluations of one comparison train: by one recipe, so that one of them says it.

    It belongs to searches too whose evaluation failed or has not begun: they are still of the same row.
    """
    first = next(iter(evaluations), None)
    recipe = {} if first is None else first.recipe
    return {f"evaluate.{at}": value for at, value in recipe.items() if at.startswith("training.")}


def _failures(path: Path) -> dict[str, str]:
    """Return why jobs of a comparison failed, by their folder; one may have failed before it had any file."""
    file, found = path / CHANGES, {}
    for number, line in enumerate(lines_of(file) if is_file(file) else (), start=1):
        checked(line, CHANGE_SCHEMA, f"{file}, line {number}", ("event",))
        if line["event"] == "job failed":
            found[line.get("job", "")] = line.get("error", "")
    return found


def _evaluated(
    sample: Sample, evaluation: Sample | None, training: Flat, *, planned: bool, failure: str | None
) -> Sample:
    """Add to a search what the evaluation of its architecture says, and how it trained."""
    sample = evolve(sample, recipe={**sample.recipe, **training}, evaluation="missing" if planned else "")
    if failure is not None:
        return evolve(sample, error=sample.error or failure, evaluation="failed")
    if evaluation is None:
        return sample
    return evolve(
        sample,
        measured={**sample.measured, **evaluation.measured},
        error=sample.error or evaluation.error,
        evaluation=evaluation.status,
    )
