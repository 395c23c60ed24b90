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
    """An architecture that is to be trained.

    Attributes:
        number: Of the job in the run, from 1; decides on its random numbers.
        jobs: How many the run has; 0: that is not known.
        entry: Id of the entry that it makes.
        description: The architecture, closed, as it is trained; None: the job makes it.
        wave: The wave of jobs in which it comes; 0 where there are no waves.
        parent: Id of the entry that it was made from; None if it was made from no other.
        kind: What is done: `train`, or `grow` where an architecture is made before it is trained.
        start: What it inherits and for how long it is trained; None: nothing, and as the run says.
        guided: Whether the images that it is measured on guided the choice of the architecture.
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
    """Make the folder of a job that is about to begin, and tell who watches."""
    seed = f"{context.recipe.run.seed}/{job.number}"
    parent = {} if job.parent is None else {"parent": job.parent}
    folder = context.folder.job(job.number, job.kind, seed=seed, **parent)
    context.observers.notify("job_started", job.name, job.number, job.jobs)
    return folder


@frozen(kw_only=True, eq=False)
class JobResult:
    """What a job made: nothing of it is written yet but the metrics of its epochs.

    Attributes:
        entry: What is known of the architecture.
        description: The architecture.
        network: Its network, trained.
    """

    entry: Entry
    description: Description
    network: Network


def train_job(
    context: RunContext, job: Job, folder: RunFolder, *, fit: Examples, held: Examples
) -> JobResult:
    """Train an architecture and measure it.

    Args:
        context: The run.
        job: What is trained.
        folder: The folder of the job.
        fit: The images that its weights are fitted to.
        held: The images that it is measured on, and nothing else.

    Raises:
        RunFailed: A loss is not finite.
    """
    description = job.description
    assert description is not None  # a job that makes it has made it
    folder.document("description.yaml", dump(description))

    measured: list[tuple[float, int]] = []

    def validate(network: Module, streams: Streams) -> tuple[float, int]:
        measured[:] = [(accuracy(network, held, context.facts, streams), len(held.labels))]
        return measured[0]

    done = train_network(context, description, fit, job=job.number, validate=validate, start=job.start)
    share, count = measured[0]  # of the last epoch: the network is as it was then
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
    """Write down what a job made; returns the gallery with its entry, as written.

    The best of the gallery stands in the folder `best` from then on.

    Args:
        context: The run.
        job: What was trained.
        folder: The folder of the job.
        gallery: The architectures before it.
        done: What it made.
    """
    entry = done.entry
    context.folder.document(entry.description, dump(done.description))
    save_job(folder, done.network, figures_of(entry))
    gallery = gallery.added(entry)
    context.gallery.added(gallery, entry)  # names files, so it comes after them
    if gallery.best is entry:
        save_best(context, done.description, done.network, {"id": entry.id, **figures_of(entry)})
    context.observers.notify("job_finished", job.name, figures_of(entry))
    return gallery


def figures_of(entry: Entry) -> dict[str, Any]:
    """Return what was measured of an architecture."""
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
    """Return what a run's result says of its gallery: its best."""
    best = gallery.best
    files = {"architecture": "best/architecture.yaml", "gallery": "gallery.json"}
    return {**files, "best": best.id, **figures_of(best)}
