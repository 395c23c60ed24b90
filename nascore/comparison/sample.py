"""The values that a comparison reads from one run."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import Factory, evolve, frozen

from nascore.comparison.plan import SEARCH, read_plan
from nascore.config import parse_document
from nascore.errors import RunFolderError
from nascore.files import without_digest
from nascore.gallery import ACCURACY, metric_of
from nascore.recipe.settling.snapshot import FOLDER
from nascore.recipe.sources.formats import FORMATS
from nascore.recipe.sources.run_settings import EVALUATION, TRAINING
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

    from nascore.comparison.plan import Planned
    from nascore.config import Node
    from nascore.gallery import Metric
    from nascore.run import Record


Flat: TypeAlias = dict[str, Any]
"""Values of a recipe by path: ``{"updater": "xnas", "updater.eta": 0.1, "regularizer": "l1"}``."""

PLUGINS: Final = "plugins"
PERSONAL: Final = frozenset(
    {"nascore", PLUGINS, "seed", "threads", "device", "executor", "observer", EVALUATION}
)
"""Keys of a recipe that belong to one run and are not compared."""

_SLOTS: Final = {slot.name: slot for slot in SLOTS}


def flat_recipe(text: str, folder: Path) -> Flat:
    """Return the values of a run's recipe by path, without the keys that belong to one run.

    A file in the run's folder, such as a description or a plugin, is compared by its content: two different
    descriptions can both be called `files/chain.yaml`.

    Args:
        text: The complete recipe in the run's folder.
        folder: The run's folder.

    Raises:
        RunFolderError: The text is not a recipe, or a file that it names cannot be read.
    """
    where = str(folder / RECIPE)
    document = parse_document(text, where=where)
    if document.problems:
        raise RunFolderError(document.problems)
    if document.root is None or not isinstance(document.root.value, dict):
        raise RunFolderError(f"{where} is not a recipe: it holds no mapping.")
    root, problem = FORMATS.read(document.root, by_run=True)
    if problem is not None:
        raise RunFolderError([problem])
    assert isinstance(root.value, dict)
    items = root.value
    carried = {TRAINING} if "space" in items else set()  # a search does not read them
    found = {
        path: value
        for key, node in items.items()
        if key not in PERSONAL | carried
        for path, value in _slot_values(key, node)
    }
    files = _values(PLUGINS, items[PLUGINS]) if PLUGINS in items else ()
    found |= {path: value for path, value in files if _is_stored(folder, value)}
    return {
        path: _content(folder, value) if _is_stored(folder, value) else value for path, value in found.items()
    }


def digest(file: Path) -> str:
    """Return the first eight characters of the SHA-256 of a file's content.

    Raises:
        RunFolderError: The file cannot be read.
    """
    return sha256(without_digest(text_of(file)).encode()).hexdigest()[:8]


def _is_stored(folder: Path, value: object) -> bool:
    return isinstance(value, str) and value.startswith(f"{FOLDER}/") and is_file(folder / value)


def _content(folder: Path, value: str) -> str:
    return f"{value.removeprefix(f'{FOLDER}/')}@{digest(folder / value)}"


def _slot_values(key: str, node: Node) -> Iterator[tuple[str, Any]]:
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
"""Path of the digest of an evaluated architecture, which the recipe of an evaluation does not name."""


@frozen(kw_only=True)
class Measured:
    """A score with the facts that decide whether it is comparable with another.

    Attributes:
        share: Share of the images that were classified correctly, 0 to 1; or the value of another metric.
        count: Number of images.
        split: The split of the images.
        params: Parameters of the measured network; an evaluation may train a larger one.
        macs: Multiply-accumulate operations of this network per image.
        guided: Whether these images guided the choice of the architecture.
        best_of: Number of architectures of which this was the best on these images.
        metric: The first metric of the task.
    """

    share: float
    count: int
    split: Literal["validation", "test"]
    params: float
    macs: float
    guided: bool = False
    best_of: int = 1
    metric: Metric = ACCURACY


@frozen(kw_only=True)
class Sample:
    """The results of one run, for one row of the table.

    Attributes:
        name: The run's folder, as the user named it.
        status: Status of the run; only `done` runs have figures.
        seed: Seed of the run.
        kind: `search` or `evaluate`.
        recipe: The recipe's values by path, without the seed.
        measured: The accuracies, by split.
        steps: Training steps of all jobs together.
        seconds: Duration of the run, without the evaluation of its architecture.
        environment: Versions, device and threads.
        error: Why the run failed; empty if it did not fail.
        evaluation: Status of the evaluation of its architecture; `missing` if it was not started, empty if
            none was planned.
    """

    name: str
    status: str
    seed: int | None
    kind: str
    recipe: Flat
    measured: Mapping[str, Measured] = Factory(dict)
    steps: int = 0
    seconds: float = 0.0
    environment: Mapping[str, Any] = Factory(dict)
    error: str = ""
    evaluation: str = ""

    @property
    def key(self) -> tuple[tuple[str, Any], ...]:
        """The key of the run's row: kind and recipe without the seed."""
        return (("kind", self.kind), *sorted(self.recipe.items(), key=lambda item: item[0]))


def sample_of(path: Path, *, name: str) -> Sample:
    """Return the results of a run.

    Args:
        path: The run's folder; the run need not be finished.
        name: The name of the run in the table.

    Raises:
        RunFolderError: The folder is not a run, or cannot be read.
    """
    record = read(path)
    result = record.result or {}
    environment = environment_of(path)
    kind = str(result.get("kind", environment.get("kind", "search")))
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
        environment=environment,
        error=str(result.get("error", "")),
    )


def _measured(record: Record, result: Mapping[str, Any]) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    params, macs, metric = float(result["params"]), float(result["macs"]), metric_of(result)
    if metric.key("validation") in result:
        found["validation"] = Measured(
            share=float(result[metric.key("validation")]),
            count=int(result["validation_count"]),
            split="validation",
            guided=bool(result.get("validation_guided", False)),
            best_of=max(1, len(record.gallery)),
            params=params,
            macs=macs,
            metric=metric,
        )
    if metric.key("test") in result:
        share, count = float(result[metric.key("test")]), int(result["test_count"])
        found["test"] = Measured(
            share=share, count=count, split="test", params=params, macs=macs, metric=metric
        )
    return found


def _steps(record: Record) -> int:
    """Return the steps of all phases of all jobs; each line gives the steps of its phase so far."""
    last: dict[tuple[Any, Any], int] = {}
    file = record.path / METRICS
    for number, line in enumerate(lines_of(file), start=1):
        checked(line, METRICS_SCHEMA, f"{file}, line {number}", ("job", "phase", "step"))
        last[line["job"], line["phase"]] = line["step"]
    return sum(last.values())


@frozen(kw_only=True)
class CollectedRuns:
    """The runs in the folders that a user named.

    Attributes:
        samples: The runs.
        slots: The slots and settings that the user chose to compare; empty if not known.
        missing: Jobs of comparisons that were not started.
    """

    samples: tuple[Sample, ...]
    slots: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def collect_runs(paths: Sequence[Path]) -> CollectedRuns:
    """Read the runs in some folders.

    Args:
        paths: Folders of runs, and of comparisons, which stand for all runs in them.

    Raises:
        RunFolderError: A folder is not a run, or cannot be read.
    """
    single = len(paths) == 1
    found = [
        _in_comparison(path, "" if single else f"{path}/") if is_comparison(path) else _one_run(path)
        for path in paths
    ]
    return CollectedRuns(
        samples=tuple(sample for runs in found for sample in runs.samples),
        slots=tuple(dict.fromkeys(slot for runs in found for slot in runs.slots)),
        missing=tuple(name for runs in found for name in runs.missing),
    )


def is_comparison(path: Path) -> bool:
    """Return whether a folder is the folder of a comparison."""
    return is_file(path / COMPARISON)


def _one_run(path: Path) -> CollectedRuns:
    return CollectedRuns(samples=(sample_of(path, name=str(path)),))


def _in_comparison(path: Path, prefix: str) -> CollectedRuns:
    refuse_newer(path)
    plan = read_plan(path)
    evaluations = {job.of: job.folder for job in plan.jobs if job.of is not None}
    started = [job for job in plan.jobs if is_file(path / job.folder / RECIPE)]
    failures = _failures(path)
    tested = {
        job.folder: sample_of(path / job.folder, name=f"{prefix}{job.folder}")
        for job in started
        if job.of is not None
    }
    training = _training(tested.values())
    samples = [
        _evaluated(
            sample_of(path / job.folder, name=f"{prefix}{job.folder}"),
            tested.get(evaluations.get(job.folder, "")),
            training,
            failure=failures.get(evaluations.get(job.folder, "")),
            planned=job.folder in evaluations,
        )
        for job in started
        if job.kind == SEARCH
    ]
    samples += [
        _of_given(path, job, prefix, failures.get(job.folder))
        for job in plan.jobs
        if job.architecture and (job in started or job.folder in failures)
    ]
    missing = tuple(
        f"{prefix}{job.folder}" for job in plan.jobs if job not in started and job.folder not in failures
    )
    return CollectedRuns(samples=tuple(samples), slots=plan.slots, missing=missing)


def _of_given(path: Path, job: Planned, prefix: str, failure: str | None) -> Sample:
    """Return the results of an evaluation of a given architecture, which stays in its row if it fails."""
    name, folder = f"{prefix}{job.folder}", path / job.folder
    if is_file(folder / RECIPE):
        sample = sample_of(folder, name=name)
    else:
        recipe = path / job.recipe
        values = flat_recipe(text_of(recipe), recipe.parent)
        sample = Sample(name=name, status="failed", seed=job.seed, kind=job.kind, recipe=values)
    architecture = {ARCHITECTURE_PATH: digest(path / job.architecture)}
    return evolve(sample, recipe={**sample.recipe, **architecture}, error=sample.error or failure or "")


def _training(evaluations: Iterable[Sample]) -> Flat:
    """Return the training settings of a comparison's evaluations, which are the same for all.

    They are part of the recipe of every search, so that a search stays in its row if its evaluation fails.
    """
    first = next(iter(evaluations), None)
    recipe = {} if first is None else first.recipe
    return {at: value for at, value in recipe.items() if at.startswith(f"{TRAINING}.")}


def _failures(path: Path) -> dict[str, str]:
    """Return the errors of failed jobs by folder; a job may have failed before its folder was made."""
    file, found = path / CHANGES, {}
    for number, line in enumerate(lines_of(file) if is_file(file) else (), start=1):
        checked(line, CHANGE_SCHEMA, f"{file}, line {number}", ("event",))
        if line["event"] == "job failed":
            found[line.get("job", "")] = line.get("error", "")
    return found


def _evaluated(
    sample: Sample, evaluation: Sample | None, training: Flat, *, planned: bool, failure: str | None
) -> Sample:
    """Return a search with the results and training settings of its evaluation."""
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
