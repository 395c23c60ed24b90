"""A growth run: the outer loop over closed architectures, each trained and measured by a job.

Jobs come in waves. The first wave trains the initial architectures of the policy. If the policy can grow
architectures, each further wave grows parents that it chooses from the gallery at the end of the wave before.
"""

from __future__ import annotations

from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, TypeVar

import torch
from attrs import Factory, define, evolve
from safetensors.torch import load as tensors_of

from nascore.contract import GrowingPolicy
from nascore.description import Description, dump, load
from nascore.engine.batches import halves
from nascore.engine.derive import ZERO, prepared, undecided_child, unreached, zero_graphs
from nascore.engine.factory import build_search_parts
from nascore.engine.initial_architectures import growth_random, growth_remark
from nascore.engine.jobs import Job, open_job, record_job, result_of, train_job
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import search_phase
from nascore.engine.results import learned_choices, record_epoch
from nascore.engine.return_checks import ReturnCheck, items_of
from nascore.engine.training import TRAIN, TrainingStart
from nascore.errors import (
    DescriptionError,
    NascoreError,
    PluginError,
    Problem,
    RecipeError,
    RunFailed,
    error_line,
    out_of_memory_text,
)
from nascore.gallery import Entry, Gallery
from nascore.plugin.guard import call_component
from nascore.run import DESCRIPTION, bytes_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Phase, Trainer
    from nascore.description import Matrix
    from nascore.engine.checkpoint import JobProgress
    from nascore.engine.factory import SearchParts
    from nascore.engine.run_context import RunContext
    from nascore.nn import Examples, Network


T = TypeVar("T")


CANDIDATES: Final = "candidates"
"""The name of the phase in which candidates are trained, in checkpoints."""


def grow_parent(
    context: RunContext, policy: GrowingPolicy, parent: Entry, job: JobProgress, *, fit: Examples
) -> tuple[Description, TrainingStart]:
    """Open a parent, train its weights and candidates, and close it to a child.

    Args:
        context: The run.
        policy: Opens the parent and selects candidates.
        parent: The gallery entry that grows.
        job: The job.
        fit: The training images.

    Returns:
        The child, a closed description, and the start of its own training.

    Raises:
        RunFailed: A loss or a tensor is not finite, or the policy refuses this parent.
        PluginError: The policy raised an error, or did not return an open or a closed description.
    """
    if job.stage == TRAIN:  # the child was made before the run went on, and its weights are in the checkpoint
        child = load(text_of(job.folder / DESCRIPTION), catalogue=context.catalogue)
        return child, TrainingStart(epochs=policy.child_epochs)
    described = load(text_of(context.folder / parent.description), catalogue=context.catalogue)
    opened = _call_policy(context, "open", lambda: policy.open(described, context.catalogue))
    ReturnCheck(policy, "open", "growth").expect(opened, Description, "a Description")
    _require(context, "opened a parent, but the result has no open choice", holds=opened.is_open)
    job.folder.document("opened.yaml", dump(opened))
    weights = tensors_of(bytes_of(context.folder / str(parent.weights)))
    phase = _train_candidates(context, policy, opened, weights, job=job, fit=fit)
    assert phase.search is not None
    strength = phase.search.strength()
    ranked = {name: value.tolist() for name, value in strength.items()}

    def close(strengths: Mapping[str, Matrix]) -> Description:
        closed = _call_policy(context, "close", lambda: policy.close(opened, strengths))
        ReturnCheck(policy, "close", "growth").expect(closed, Description, "a Description")
        _require(context, "closed a parent, but the result has an open choice", holds=not closed.is_open)
        return closed

    child = close(ranked)
    job.folder.json(
        "candidates.json", {"steps": phase.steps, "groups": learned_choices(phase.search), "strength": ranked}
    )
    job.warnings += [
        *unreached(phase.search),
        *undecided_child(described, opened, child, phase.search, close),
    ]
    inherited = {
        name: value for name, value in phase.network.state_dict().items() if not _new_gate(name, weights)
    }
    return child, TrainingStart(epochs=policy.child_epochs, weights=inherited, required=frozenset(weights))


def _new_gate(name: str, weights: Mapping[str, Tensor]) -> bool:
    # A new gate scaled the candidates; in the child it scales a projection that is not trained yet.
    return name.startswith("gates.") and name not in weights


def _train_candidates(  # noqa: PLR0913 - each by name
    context: RunContext,
    policy: GrowingPolicy,
    opened: Description,
    weights: Mapping[str, Tensor],
    *,
    job: JobProgress,
    fit: Examples,
) -> Phase:
    """Train the weights and the candidates of an opened parent; returns the finished phase."""
    parts = build_search_parts(context.recipe, opened, policy)
    streams = context.streams(job.number, CANDIDATES)
    phase = search_phase(context, parts, streams, data=_data(context, parts.trainer, fit), weights=weights)
    run_phase(
        phase,
        parts.trainer,
        context.observers,
        epoch_over=lambda report: record_epoch(context, job, report),
        job=job,
        stage=CANDIDATES,
    )
    return phase


def _data(context: RunContext, trainer: Trainer, fit: Examples) -> dict[str, Examples]:
    if not trainer.demand.halves:
        return {"train": fit}
    parts = halves(fit, context.streams(0)["halves"])
    return dict(zip(("train", "architecture"), parts, strict=True))


def _call_policy(context: RunContext, what: str, call: Callable[[], T]) -> T:
    try:
        return call_component(context.recipe.part("growth").component, what, call)
    except RecipeError as error:
        # The policy refuses this parent on purpose; other parents may grow.
        raise RunFailed(error.problems) from error


def _require(context: RunContext, text: str, *, holds: bool) -> None:
    if not holds:
        name = context.recipe.part("growth").name
        raise PluginError([Problem(path="growth", text=f"{name} {text}.", of_plugin=True)])


FIRST_WAVE: Final = 1
"""The wave of the initial architectures."""

FRUITLESS: Final = 5
"""Number of consecutive waves without a new architecture after which a run ends."""


def grow(context: RunContext, parts: SearchParts) -> Iterator[dict[str, Any]]:
    """Run a growth run to its end; yields the result so far after each job.

    Nothing is trained on the validation images. A job that fails is recorded, and the run continues.

    Raises:
        RunFailed: Every job failed, or every job that grows a parent.
        PluginError: The policy raised an error, chose a parent outside the gallery, or returned an
            architecture that cannot be trained.
    """
    fit, held = context.fit_and_validation()
    run = _GrowthRun(context=context, parts=parts, fit=fit, held=held)
    yield from run.wave(run.seed_jobs())
    if not run.gallery:
        raise run.nothing(f"all {run.jobs} architectures failed; the first of them:")
    policy = parts.growth
    if not isinstance(policy, GrowingPolicy):
        return
    wave, fruitless = FIRST_WAVE + 1, 0
    while fruitless < FRUITLESS and (parents := run.parents(policy, wave)):
        before = len(run.gallery)
        yield from run.wave(run.child_jobs(parents, wave))
        fruitless = fruitless + 1 if len(run.gallery) == before else 0
        wave += 1
    if fruitless == FRUITLESS:
        context.folder.log(f"the run ends here: {FRUITLESS} waves in a row made no architecture")
    if run.failed and all(entry.parent is None for entry in run.gallery):
        text = f"nothing grew: {run.failed} of {run.jobs} jobs failed; the first of them:"
        raise run.nothing(text)


@define(kw_only=True)
class _GrowthRun:
    """A growth run in progress.

    Attributes:
        context: The run.
        parts: Its components.
        fit: The training images.
        held: The validation images.
        gallery: The architectures so far.
        jobs: Number of jobs that were started.
        failed: Number of jobs that failed.
        failures: Errors of the failed jobs, by name of the job.
        first: Problems of the first failed job.
    """

    context: RunContext
    parts: SearchParts
    fit: Examples
    held: Examples
    gallery: Gallery = Factory(Gallery)
    jobs: int = 0
    failed: int = 0
    failures: dict[str, str] = Factory(dict)
    first: tuple[Problem, ...] = ()

    def seed_jobs(self) -> list[Job]:
        """Return the jobs of the first wave."""
        context, policy, seeds = self.context, self.parts.growth, self.parts.seeds
        name = context.recipe.part("growth").name
        context.folder.log(f"{name}: initial architectures: {len(seeds)}")
        if remark := growth_remark(context.recipe, policy, seeds):
            context.folder.log(f"{name}: {remark}")
        for number, seed in enumerate(seeds, start=1):
            for graph in zero_graphs(seed):
                context.warn(f"architecture {number}: {graph}: {ZERO}")
        epochs = None
        if isinstance(policy, GrowingPolicy):
            # A child inherits the weights of its parent, so all keep the size of the space.
            epochs = policy.seed_epochs
            if context.recipe.run.training.auxiliary and all(seed.auxiliary is None for seed in seeds):
                context.folder.log(
                    "training.auxiliary has no effect: the architectures have no auxiliary head"
                )
        else:
            seeds = tuple(prepared(seed, context.recipe.run.training, context.facts) for seed in seeds)
        return [
            Job(
                number=number,
                jobs=max(len(seeds), self.planned),
                entry=number,
                description=seed,
                wave=FIRST_WAVE,
                epochs=epochs,
            )
            for number, seed in enumerate(seeds, start=1)
        ]

    @property
    def planned(self) -> int:
        """Number of architectures of a run that grows, by the setting `count`; 0: unknown.

        If jobs fail, the run may have more jobs.
        """
        count = getattr(self.context.recipe.part("growth").settings, "count", None)
        return (
            count
            if isinstance(self.parts.growth, GrowingPolicy) and isinstance(count, int) and count > self.jobs
            else 0
        )

    def nothing(self, text: str) -> RunFailed:
        """Return the error of a run without a result, with the problems of its first failed job."""
        return RunFailed([Problem(path="", text=text), *self.first])

    def parents(self, policy: GrowingPolicy, wave: int) -> Sequence[Entry]:
        """Return the parents of a wave; none if the run is over."""
        rng = growth_random(self.context.recipe, wave)
        part = self.context.recipe.part("growth")
        given = call_component(
            part.component, "next_parents", lambda: items_of(policy.next_parents(self.gallery, wave, rng))
        )
        returned = ReturnCheck(policy, "next_parents", "growth")
        parents = returned.several(given, Entry, "entries of the gallery")
        if any(parent not in self.gallery for parent in parents):
            raise _mistake(part.name, "chose a parent that is not in the gallery.")
        return parents

    def child_jobs(self, parents: Sequence[Entry], wave: int) -> list[Job]:
        """Return the jobs of a wave that grows these parents."""
        return [
            Job(
                number=self.jobs + place,
                jobs=self.planned,
                entry=self.jobs + place,
                wave=wave,
                parent=parent.id,
                kind="grow",
            )
            for place, parent in enumerate(parents, start=1)
        ]

    def wave(self, jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
        """Run the jobs of a wave, all with the gallery before the wave; yields the result so far."""
        before = self.gallery
        for job in jobs:
            self.jobs += 1
            self._do(job, before)
            if self.gallery:
                done = {"done": len(self.gallery), "failed": self.failed}
                failures = {"failures": self.failures} if self.failures else {}
                yield {**result_of(self.gallery), "jobs": done, **failures}

    def _do(self, job: Job, before: Gallery) -> None:
        """Do a job, unless it was done before the run went on, and add what came of it to the gallery."""
        facts = {} if job.parent is None else {"parent": job.parent}
        progress = open_job(self.context, job.number, job.kind, jobs=job.jobs, **facts)
        network = None
        if progress.result is None:
            network, problems = self._tried(job, before, progress)
            # Out of the handler: an exception holds the frames of the job, with network and optimizer.
            if network is None:
                self._finish_failed(progress, problems)
        result: dict[str, Any] = progress.result or {}
        for text in result.get("warnings", ()):
            self.context.warn(f"job {progress.name}: {text}")
        if "entry" in result:
            # What cannot be written down is no failure of this job alone.
            self.gallery = record_job(self.context, progress, self.gallery, network)
        else:
            self._count_failed(job, progress.name, result["error"])

    def _tried(
        self, job: Job, before: Gallery, progress: JobProgress
    ) -> tuple[Network | None, tuple[Problem, ...]]:
        """Return the trained network of a job; or None, and what it failed of."""
        try:
            ready, start = self._with_description(job, before, progress)
            network = train_job(self.context, ready, progress, fit=self.fit, held=self.held, start=start)
        except RunFailed as error:
            return None, error.problems
        except DescriptionError as error:
            text = f"returned an architecture that cannot be trained: {error}"
            raise _mistake(self.context.recipe.part("growth").name, text) from error
        except NascoreError:
            raise  # a mistake of a plugin, or a folder that cannot be written to, fails every job
        except Exception as error:  # noqa: BLE001 - out of memory, or an operation that fails on its input
            self.context.folder.log(f"job {progress.name}:\n{''.join(format_exception(error)).rstrip()}")
            return None, (Problem(path="", text=out_of_memory_text(error) or error_line(error)),)
        return network, ()

    def _with_description(
        self, job: Job, before: Gallery, progress: JobProgress
    ) -> tuple[Job, TrainingStart | None]:
        """Return the job with its architecture, and the start of its training; a child is grown here."""
        if job.parent is None:
            return job, None if job.epochs is None else TrainingStart(epochs=job.epochs)
        policy = self.parts.growth
        assert isinstance(policy, GrowingPolicy)
        child, start = grow_parent(self.context, policy, before[job.parent], progress, fit=self.fit)
        return evolve(job, description=child), start

    def _finish_failed(self, progress: JobProgress, problems: tuple[Problem, ...]) -> None:
        """Record the failure of a job in its result, the log and the changes of the run."""
        context, error = self.context, "\n".join(map(str, problems))
        context.folder.log(f"job {progress.name} failed: {error}")
        context.folder.change("job failed", job=progress.name, error=error)
        result = progress.finish({"status": "failed", "error": error})
        context.observers.notify("job_finished", progress.name, result)
        context.control.jobs += 1
        if context.device.type == "cuda":
            torch.cuda.empty_cache()

    def _count_failed(self, job: Job, name: str, error: str) -> None:
        """Count a failed job, and the failure of its parent in the gallery."""
        self.failed += 1
        self.first = self.first or (Problem(path="", text=error),)
        self.failures[name] = error
        if job.parent is not None:
            self.gallery = self.gallery.failed(job.parent)
            self.context.gallery.failed(self.gallery, job.parent)


def _mistake(name: str, text: str) -> PluginError:
    return PluginError([Problem(path="growth", text=f"{name} {text}", of_plugin=True)])
