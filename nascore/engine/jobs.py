"""A job of a search: trains one architecture, measures it, and adds it to the gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from nascore.description import dump
from nascore.engine.forward import accuracy
from nascore.engine.results import costs_of, save_best, save_job
from nascore.engine.training import train_network
from nascore.gallery import Entry

if TYPE_CHECKING:
    from torch.nn import Module

    from nascore.description import Description
    from nascore.engine.run_context import RunContext
    from nascore.engine.streams import Streams
    from nascore.engine.training import TrainingStart
    from nascore.gallery import Gallery
    from nascore.nn import Examples, Network
    from nascore.run import RunFolder


@frozen(kw_only=True)
class Job:
    """The training of one architecture.

    Attributes:
        number: Number of the job in the run, from 1; determines its random numbers.
        jobs: Number of jobs of the run; 0: unknown.
        entry: Id of its entry in the gallery.
        description: The closed architecture in the form in which it is trained; None: the job grows it.
        wave: Number of its wave; 0 in a run without waves.
        parent: Id of the entry from which it grows; None: it has no parent.
        kind: `train`, or `grow` if the job grows the architecture before training it.
        start: Inherited weights and epochs; None: no weights, and the epochs of the run.
        guided: Whether its validation images guided the choice of the architecture.
    """

    number: int
    jobs: int
    entry: int
    description: Description | None = None
    wave: int = 0
    parent: int | None = None
    kind: Literal["train", "grow"] = "train"
    start: TrainingStart | None = None
    guided: bool = False

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.number:04d}-{self.kind}"


def open_job(context: RunContext, job: Job) -> RunFolder:
    """Create the folder of a job and notify the observers of its start."""
    seed = f"{context.recipe.run.seed}/{job.number}"
    parent = {} if job.parent is None else {"parent": job.parent}
    folder = context.folder.job(job.number, job.kind, seed=seed, **parent)
    context.observers.notify("job_started", job.name, job.number, job.jobs)
    return folder


@frozen(kw_only=True, eq=False)
class JobResult:
    """The result of a job, of which only the metrics of its epochs are written yet.

    Attributes:
        entry: The gallery entry of the architecture.
        description: The architecture.
        network: Its trained network.
    """

    entry: Entry
    description: Description
    network: Network


def train_job(
    context: RunContext, job: Job, folder: RunFolder, *, fit: Examples, held: Examples
) -> JobResult:
    """Train an architecture and measure its validation accuracy.

    Args:
        context: The run.
        job: The job.
        folder: The folder of the job.
        fit: The training images.
        held: The validation images, which are used for nothing else.

    Raises:
        RunFailed: A loss is not finite.
    """
    description = job.description
    assert description is not None  # a job that grows it has done so
    folder.document("description.yaml", dump(description))

    measured: list[tuple[float, int]] = []

    def validate(network: Module, streams: Streams) -> tuple[float, int]:
        measured[:] = [(accuracy(network, held, context.facts, streams), len(held.labels))]
        return measured[0]

    done = train_network(context, description, fit, job=job.number, validate=validate, start=job.start)
    share, count = measured[0]  # the last epoch's: the network has not changed since
    entry = Entry(
        id=job.entry,
        parent=job.parent,
        wave=job.wave,
        description=f"architectures/{job.entry:04d}.yaml",
        weights=f"jobs/{job.name}/weights.safetensors",
        error=1 - share,
        count=count,
        costs=costs_of(description, context.catalogue, context.facts),
        steps=done.steps,
        guided=job.guided,
    )
    return JobResult(entry=entry, description=description, network=done.network)


def record_job(
    context: RunContext, job: Job, folder: RunFolder, gallery: Gallery, done: JobResult
) -> Gallery:
    """Write the result of a job; returns the gallery with its entry.

    If it is the best of the gallery, it replaces the folder `best`.

    Args:
        context: The run.
        job: The job.
        folder: The folder of the job.
        gallery: The gallery before the job.
        done: The result of the job.
    """
    entry = done.entry
    context.folder.document(entry.description, dump(done.description))
    save_job(folder, done.network, figures_of(entry))
    gallery = gallery.added(entry)
    context.gallery.added(gallery, entry)  # it names the files, so it comes after them
    if gallery.best is entry:
        save_best(context, done.description, done.network, {"id": entry.id, **figures_of(entry)})
    context.observers.notify("job_finished", job.name, figures_of(entry))
    return gallery


def figures_of(entry: Entry) -> dict[str, Any]:
    """Return the measured figures of an architecture."""
    low, high = entry.interval
    return {
        "validation_accuracy": entry.accuracy,
        "validation_count": entry.count,
        "validation_guided": entry.guided,
        "interval": [1 - high, 1 - low],
        "steps": entry.steps,
        **entry.costs,
    }


def result_of(gallery: Gallery) -> dict[str, Any]:
    """Return the figures of the best architecture of a gallery, for the result of the run."""
    best = gallery.best
    files = {"architecture": "best/architecture.yaml", "gallery": "gallery.json"}
    return {**files, "best": best.id, **figures_of(best)}
