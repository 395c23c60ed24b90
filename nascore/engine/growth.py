"""A growth run: the outer loop over closed architectures, each trained and measured by a job.

Jobs come in waves. The policy proposes each wave from the gallery at the end of the wave before. The job of
an open proposal first trains its candidates and closes it.
"""

from __future__ import annotations

from functools import partial
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import torch
from attrs import Factory, define, evolve
from safetensors.torch import load as tensors_of

from nascore.contract import History
from nascore.description import Description, dump, fingerprint, load
from nascore.engine.batches import halves
from nascore.engine.derive import ZERO, prepared, undecided_child, unreached, zero_graphs
from nascore.engine.factory import build_search_parts
from nascore.engine.jobs import Job, open_job, record_job, result_of, train_job
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import search_phase
from nascore.engine.proposals import FIRST_WAVE, fault_of_policy, growth_remark, wave_proposals
from nascore.engine.results import learned_choices, record_epoch
from nascore.engine.return_checks import ReturnCheck
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
from nascore.gallery import Gallery
from nascore.plugin.guard import call_component
from nascore.run import DESCRIPTION, bytes_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Growing, Phase, Proposal, Trainer
    from nascore.description import Matrix
    from nascore.engine.factory import SearchParts
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.run_context import RunContext
    from nascore.gallery import Entry
    from nascore.nn import Examples, Network


T = TypeVar("T")


CANDIDATES: Final = "candidates"
"""The name of the phase in which candidates are trained, in checkpoints."""


def close_proposal(  # noqa: PLR0913 - a job with its parent, and the images by name
    context: RunContext,
    policy: Growing,
    job: Job,
    parent: Entry | None,
    progress: JobProgress,
    *,
    fit: Examples,
) -> tuple[Description, TrainingStart]:
    """Train the candidates of an open proposal; returns the child, and the start of its own training.

    Args:
        context: The run.
        policy: Selects candidates.
        job: The job, with the open description.
        parent: The gallery entry from which it was made; None: it has no parent.
        progress: The state of the job.
        fit: The training images.

    Raises:
        RunFailed: A loss or a tensor is not finite, or the policy refuses this parent.
        PluginError: The policy raised an error, or did not return a closed description.
    """
    epochs, opened = job.epochs or context.recipe.run.training.epochs, job.description
    if progress.stage == TRAIN:  # the child was made before the run went on; the checkpoint has its weights
        child = load(text_of(progress.folder / DESCRIPTION), catalogue=context.catalogue)
        return child, TrainingStart(epochs=epochs)
    progress.folder.document("opened.yaml", dump(opened))
    weights = _weights_of(context, parent) if job.inherits else {}
    phase = _train_candidates(context, policy, opened, weights, job=progress, fit=fit)
    assert phase.search is not None
    strength = phase.search.strength()
    ranked = {name: value.tolist() for name, value in strength.items()}
    close = partial(_closed, context, policy, opened)
    child = close(ranked)
    progress.folder.json(
        "candidates.json", {"steps": phase.steps, "groups": learned_choices(phase.search), "strength": ranked}
    )
    progress.warnings += unreached(phase.search)
    if parent is not None:
        before = _description_of(context, parent)
        progress.warnings += undecided_child(before, opened, child, phase.search, close)
    if not job.inherits:
        return child, TrainingStart(epochs=epochs)
    inherited = {
        name: value for name, value in phase.network.state_dict().items() if not _new_gate(name, weights)
    }
    return child, TrainingStart(epochs=epochs, weights=inherited, required=frozenset(weights))


def _closed(
    context: RunContext, policy: Growing, opened: Description, strength: Mapping[str, Matrix]
) -> Description:
    closed = _call_policy(context, "close", lambda: policy.close(opened, strength))
    ReturnCheck(policy, "close", "growth").expect(closed, Description, "a Description")
    if closed.is_open:
        raise fault_of_policy(context.recipe, "closed a proposal, but the result has an open choice.")
    return closed


def _description_of(context: RunContext, entry: Entry) -> Description:
    return load(text_of(context.folder / entry.description), catalogue=context.catalogue)


def _weights_of(context: RunContext, entry: Entry | None) -> dict[str, Tensor]:
    assert entry is not None  # a proposal that inherits has a parent
    return tensors_of(bytes_of(context.folder / str(entry.weights)))


def _new_gate(name: str, weights: Mapping[str, Tensor]) -> bool:
    # A new gate scaled the candidates; in the child it scales a projection that is not trained yet.
    return name.startswith("gates.") and name not in weights


def _train_candidates(  # noqa: PLR0913 - each by name
    context: RunContext,
    policy: Growing,
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
        epoch_over=lambda report: record_epoch(job, report),
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


FRUITLESS: Final = 5
"""Number of consecutive waves without a new architecture after which a run ends."""


def grow(context: RunContext, parts: SearchParts) -> Iterator[dict[str, Any]]:
    """Run a growth run to its end; yields the result so far after each job.

    Nothing is trained on the validation images. A job that fails is recorded, and the run continues.

    Raises:
        RunFailed: Every job failed, or every job that grows a parent.
        PluginError: The policy raised an error, returned wrong proposals, or proposed an architecture that
            cannot be trained.
    """
    fit, held = context.fit_and_validation()
    run = _GrowthRun(context=context, parts=parts, fit=fit, held=held)
    run.log_beginning()
    wave, fruitless, proposals = FIRST_WAVE, 0, parts.first
    while proposals:
        before = len(run.gallery)
        yield from run.wave(run.jobs_for(proposals, wave))
        if not run.gallery:
            raise run.nothing(f"all {run.jobs} architectures failed; the first of them:")
        fruitless = fruitless + 1 if len(run.gallery) == before else 0
        if fruitless == FRUITLESS:
            context.folder.log(f"the run ends here: {FRUITLESS} waves in a row made no architecture")
            break
        wave += 1
        proposals = run.proposals(wave)
    if parts.grows and run.failed and all(entry.parent is None for entry in run.gallery):
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
        marks: Fingerprints of the closed descriptions of all jobs.
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
    marks: set[str] = Factory(set)

    def log_beginning(self) -> None:
        """Write the initial architectures, with the policy's remark and warnings, to the log."""
        context, seeds = self.context, self.parts.seeds
        name = context.recipe.part("growth").name
        context.folder.log(f"{name}: initial architectures: {len(seeds)}")
        if remark := growth_remark(context.recipe, self.parts.growth, seeds):
            context.folder.log(f"{name}: {remark}")
        for number, seed in enumerate(seeds, start=1):
            for graph in zero_graphs(seed):
                context.warn(f"architecture {number}: {graph}: {ZERO}")
        auxiliary = context.recipe.run.training.auxiliary
        if self.parts.grows and auxiliary and all(seed.auxiliary is None for seed in seeds):
            context.folder.log("training.auxiliary has no effect: the architectures have no auxiliary head")

    def proposals(self, wave: int) -> tuple[Proposal, ...]:
        """Return the proposals of a later wave; none if the run is over."""
        context, parts = self.context, self.parts
        history = History(
            gallery=self.gallery,
            catalogue=context.catalogue,
            read=lambda entry: _description_of(context, entry),
            holds=lambda description: fingerprint(self._as_trained(description)) in self.marks,
        )
        try:
            return wave_proposals(context.recipe, parts.growth, parts.description, history, wave)
        except PluginError:
            raise
        except RecipeError as error:
            context.folder.log(f"the run ends here: {error}")
            return ()

    def jobs_for(self, proposals: Sequence[Proposal], wave: int) -> list[Job]:
        """Return the jobs of the proposals of a wave."""
        jobs = [
            Job(
                number=number,
                jobs=max(self.jobs + len(proposals), self.planned) if wave == FIRST_WAVE else self.planned,
                entry=number,
                description=self._as_trained(proposal.description),
                wave=wave,
                parent=None if proposal.parent is None else proposal.parent.id,
                kind="grow" if proposal.description.is_open else "train",
                epochs=proposal.epochs,
                inherits=proposal.inherits,
            )
            for number, proposal in enumerate(proposals, start=self.jobs + 1)
        ]
        self.marks |= {fingerprint(job.description) for job in jobs if job.kind == "train"}
        return jobs

    def _as_trained(self, description: Description) -> Description:
        """Return a proposed description in the form in which it is trained."""
        if self.parts.grows:  # a child inherits the weights of its parent, so all keep the size of the space
            return description
        return prepared(description, self.context.recipe.run.training, self.context.facts)

    @property
    def planned(self) -> int:
        """Number of architectures of a run of several waves, by the setting `count`; 0: unknown.

        If jobs fail, the run may have more jobs.
        """
        count = getattr(self.context.recipe.part("growth").settings, "count", None)
        return count if self.parts.second and isinstance(count, int) and count > self.jobs else 0

    def nothing(self, text: str) -> RunFailed:
        """Return the error of a run without a result, with the problems of its first failed job."""
        return RunFailed([Problem(path="", text=text), *self.first])

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
            raise fault_of_policy(self.context.recipe, text) from error
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
        parent = None if job.parent is None else before[job.parent]
        if job.kind == "grow":
            policy = cast("Growing", self.parts.growth)
            child, start = close_proposal(self.context, policy, job, parent, progress, fit=self.fit)
            return evolve(job, description=child), start
        if job.epochs is None and not job.inherits:
            return job, None
        # What does not fit is not inherited: the policy may have changed any part of the parent.
        inherited = _weights_of(self.context, parent) if job.inherits else {}
        epochs = job.epochs or self.context.recipe.run.training.epochs
        return job, TrainingStart(epochs=epochs, weights=inherited)

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
