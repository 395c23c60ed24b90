"""A job of a search: trains one architecture, measures it, and adds it to the gallery."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import frozen
from safetensors.torch import load as tensors_of

from nascore.description import dump, load
from nascore.engine.checkpoint import Checkpoints
from nascore.engine.forward import measure
from nascore.engine.job_progress import JobProgress
from nascore.engine.results import costs_of, save_best, save_job
from nascore.engine.streams import Streams
from nascore.engine.training import train_network
from nascore.files import CHECKSUMS, with_digest, without_digest
from nascore.gallery import ACCURACY, Entry
from nascore.nn import compile  # noqa: A004 - torch's word for it
from nascore.recipe import ORIGINS
from nascore.run import (
    BEST_METRICS,
    DESCRIPTION,
    ENVIRONMENT,
    JOB,
    PROPOSED,
    RECIPE,
    RESULT,
    begin_job,
    bytes_of,
    is_file,
    object_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch.nn import Module

    from nascore.contract import ImageSource, Score
    from nascore.description import Catalogue, Description
    from nascore.engine.run_context import RunContext
    from nascore.engine.training import TrainingStart
    from nascore.gallery import Gallery
    from nascore.nn import Network
    from nascore.recipe import Recipe
    from nascore.run import JobFolder, RunControl


@frozen(kw_only=True)
class Job:
    """The training of one architecture.

    Attributes:
        number: Number of the job in the run, from 1; determines its random numbers.
        jobs: Number of jobs of the run; 0: unknown.
        entry: Id of its entry in the gallery.
        description: The architecture in the form in which it is trained; an open one is closed by the job.
        wave: Number of its wave; 0 in a run without waves.
        parent: Id of the entry from which it was made; None: it has no parent.
        parent_folder: Folder of the job of that entry, within the folder of the run.
        kind: `train`, or `grow` if the job closes the architecture before training it.
        epochs: Passes over the training images; None: those of the run.
        inherits: Whether its network begins with the weights of its parent.
        guided: Whether its validation images guided the choice of the architecture.
        values: Settings by path that distinguish it from other jobs; None: there are none.
    """

    number: int
    jobs: int
    entry: int
    description: Description
    wave: int = 0
    parent: int | None = None
    parent_folder: str | None = None
    kind: Literal["train", "grow"] = "train"
    epochs: int | None = None
    inherits: bool = False
    guided: bool = False
    values: Mapping[str, Any] | None = None

    @property
    def document(self) -> str:
        """Name of the file with its description: of an open one it is not that of the architecture."""
        return PROPOSED if self.kind == "grow" else DESCRIPTION

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the files that it reads, beside its own folder, as patterns in the folder of the run."""
        parent = () if self.parent_folder is None else (DESCRIPTION, "weights.safetensors", CHECKSUMS)
        return (RECIPE, ORIGINS, ENVIRONMENT, "files/*", *(f"{self.parent_folder}/{name}" for name in parent))

    def facts(self, recipe: Recipe) -> dict[str, object]:
        """Return the entries of its `job.yaml`: all that another process needs, beside the description."""
        known = {name: getattr(self, name) for name in FACTS}
        return {
            "seed": f"{recipe.run.seed}/{self.number}",
            **{name: value for name, value in known.items() if value is not None},
            "threads": recipe.run.threads,
        }


FACTS: Final = ("jobs", "entry", "wave", "parent", "parent_folder", "epochs", "inherits", "guided", "values")
"""The attributes of a job that are entries of `job.yaml`."""


def job_of(folder: Path, catalogue: Catalogue) -> Job:
    """Return the job of a growth run that its driver wrote into a folder.

    Raises:
        RunFolderError: A file cannot be read.
    """
    pairs = (line.partition(": ") for line in text_of(folder / JOB).splitlines())
    known = {name: json.loads(value) for name, _, value in pairs}
    kind = known["kind"]
    file = folder / (PROPOSED if kind == "grow" else DESCRIPTION)
    return Job(
        number=known["id"],
        kind=kind,
        description=load(text_of(file), where=str(file), catalogue=catalogue),
        **{name: known[name] for name in FACTS if name in known},
    )


def open_job(context: RunContext, number: int, kind: str, *, jobs: int, **facts: object) -> JobProgress:
    """Make the folder of a job that is about to begin, or open that of one which was begun before.

    Args:
        context: The run.
        number: Number of the job, from 1.
        kind: `search`, `train` or `grow`.
        jobs: Number of jobs of the run; 0: unknown.
        facts: Further entries of `job.yaml`.

    Returns:
        The job: with its result where it was done before; else its checkpoint, if it has one, and none of
        the epochs that come after that in `metrics.jsonl`.

    Raises:
        KeyboardInterrupt: Somebody asked the run to stop.
        BudgetSpentError: The budget of the run is spent.
    """
    context.control.stop_if_due()
    facts = {"seed": f"{context.recipe.run.seed}/{number}", **facts}
    job = progress_of(begin_job(context.folder, number, kind, facts), number, context.control)
    if job.result is None:
        context.observers.notify("job_started", job.name, number, jobs)
    return job


def progress_of(folder: JobFolder, number: int, control: RunControl) -> JobProgress:
    """Return a job: with its result if it is over; else its checkpoint, without epochs that come after it."""
    checkpoints = Checkpoints(folder=folder.path, every=control.every, log=folder.log)
    job = JobProgress(number=number, folder=folder, control=control, checkpoints=checkpoints)
    if folder.finished:
        job.result = object_of(folder / RESULT)
        checkpoints.clear()  # the process may have been killed before it did so
    elif folder.resumed:
        job.go_on_from(checkpoints.latest())
        job.forget_later_epochs()
    return job


def train_job(  # noqa: PLR0913 - each by name
    context: RunContext,
    job: Job,
    progress: JobProgress,
    *,
    fit: ImageSource,
    held: ImageSource,
    start: TrainingStart | None = None,
) -> Network:
    """Train an architecture, measure it on the validation images, and write the result; returns the network.

    Args:
        context: The run.
        job: The job.
        progress: The state of the job.
        fit: The training images.
        held: The validation images, which are used for nothing else.
        start: Inherited weights and epochs; None: no weights, and the epochs of the run.

    Raises:
        RunFailed: A loss is not finite.
    """
    description = job.description
    progress.folder.text_once(DESCRIPTION, with_digest(dump(description)))
    measured: list[tuple[Score, ...]] = []

    def validate(network: Module, streams: Streams) -> tuple[Score, ...]:
        measured[:] = [measure(network, held, context.facts, streams, task=context.task)]
        return measured[0]

    done = train_network(context, description, fit, job=progress, validate=validate, start=start)
    if not measured:  # the last epoch was over before the run was resumed
        validate(done.network, done.streams)
    scores = measured[0]  # the last epoch's: the network has not changed since
    entry = Entry(
        id=job.entry,
        parent=job.parent,
        wave=job.wave,
        description=f"architectures/{job.entry:04d}.yaml",
        weights=f"jobs/{progress.name}/weights.safetensors",
        error=scores[0].error,
        count=scores[0].count,
        costs=costs_of(description, context.catalogue, context.facts),
        steps=done.steps,
        guided=job.guided,
        values=job.values or {},
        **_of_metric(scores),
    )
    save_job(progress, done.network, {**figures_of(entry), "entry": entry.plain()})
    return done.network


def _of_metric(scores: Sequence[Score]) -> dict[str, Any]:
    """Return the attributes of an entry whose metric is not the accuracy."""
    first = scores[0]
    if first.metric == ACCURACY:
        return {}
    bounds = None if first.interval is None else sorted(map(first.metric.error, first.interval))
    return {
        "metric": first.metric,
        "scores": {score.metric.name: score.value for score in scores},
        "error_interval": None if bounds is None else (bounds[0], bounds[1]),
    }


def record_job(
    context: RunContext, job: JobProgress, gallery: Gallery, network: Network | None = None
) -> Gallery:
    """Add the result of a job to the gallery of the run; returns the gallery with its entry.

    If it is the best of the gallery, it replaces the folder `best`. For a job that was done before the run
    was resumed, files that are there already are not written again.

    Args:
        context: The run.
        job: The finished job.
        gallery: The gallery before the job.
        network: The trained network; None: it is read from the folder of the job if needed.
    """
    assert job.result is not None
    entry = Entry.of(job.result["entry"])
    text = text_of(job.folder / DESCRIPTION)
    if not is_file(context.folder / entry.description):
        context.folder.document(entry.description, without_digest(text))
    gallery = gallery.added(entry)
    context.gallery.added(gallery, entry)  # it names the files, so it comes after them
    if gallery.best is entry and not _is_best(context, entry):
        description = load(text, catalogue=context.catalogue)
        best = network or _network_of(context, description, entry)
        save_best(context, description, best, {"id": entry.id, **figures_of(entry)})
    return gallery


def _is_best(context: RunContext, entry: Entry) -> bool:
    """Say whether the folder `best` holds an entry already, or a later one."""
    file = context.folder / BEST_METRICS
    return context.folder.resumed and is_file(file) and object_of(file).get("id", 0) >= entry.id


def _network_of(context: RunContext, description: Description, entry: Entry) -> Network:
    """Return the network of an entry with the weights that its job wrote."""
    with Streams("network").initial():  # what is drawn is overwritten
        network = compile(description, context.catalogue)
    network.load_state_dict(tensors_of(bytes_of(context.folder / str(entry.weights))))
    return network


def figures_of(entry: Entry) -> dict[str, Any]:
    """Return the measured figures of an architecture."""
    named = {"metric": entry.metric.plain(), "scores": dict(entry.scores)}
    return {
        **({} if entry.metric == ACCURACY else named),
        entry.metric.key("validation"): entry.score,
        "validation_count": entry.count,
        "validation_guided": entry.guided,
        "interval": None if entry.score_interval is None else list(entry.score_interval),
        "steps": entry.steps,
        **entry.costs,
    }


def result_of(gallery: Gallery) -> dict[str, Any]:
    """Return the figures of the best architecture of a gallery, for the result of the run."""
    best = gallery.best
    files = {"architecture": "best/architecture.yaml", "gallery": "gallery.json"}
    return {**files, "best": best.id, **figures_of(best)}
