"""The jobs of a growth run, done by any process that sees its folder.

The job of a closed proposal trains an architecture and measures it. The job of an open proposal first trains
its candidates and closes it. All that a job needs is in the folder of the run: the recipe, and in the folder
of the job its facts and its description; what it makes is written into its own folder only.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import torch
from attrs import asdict, define, evolve
from safetensors.torch import load as tensors_of

from nascore.description import Description, dump, load
from nascore.engine.batches import halves
from nascore.engine.data_checks import data_fingerprint
from nascore.engine.derive import (
    derived,
    empty_nodes,
    picks_of,
    prepared,
    undecided,
    undecided_child,
    unreached,
)
from nascore.engine.device import computing, device_for
from nascore.engine.factory import build_component, build_search_parts, build_task, policy_searches
from nascore.engine.job_queue import Outcome
from nascore.engine.jobs import job_of, progress_of, train_job
from nascore.engine.loop import run_phase
from nascore.engine.observers import Observers
from nascore.engine.phase_factory import search_phase
from nascore.engine.proposals import fault_of_policy
from nascore.engine.proxy import build_dataset
from nascore.engine.results import learned_choices, record_epoch
from nascore.engine.return_checks import ReturnCheck
from nascore.engine.run_context import RunContext
from nascore.engine.training import TRAIN, TrainingStart
from nascore.errors import (
    DescriptionError,
    NascoreError,
    Problem,
    RecipeError,
    RunFailed,
    error_line,
    out_of_memory_text,
    plain_error,
    refusal,
)
from nascore.files import ChecksumWriter, with_digest
from nascore.plugin import Selection, discover
from nascore.plugin.guard import call_component
from nascore.recipe import ORIGINS, Request, with_plain_origins
from nascore.recipe.settling.request import resolved
from nascore.run import (
    DESCRIPTION,
    PROPOSED,
    RECIPE,
    Budget,
    BudgetSpentError,
    GalleryFile,
    RunControl,
    RunFolder,
    bytes_of,
    environment_of,
    is_file,
    is_folder,
    job_path,
    object_of,
    open_job,
    text_of,
)
from nascore.run.signals import handling_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Dataset, Growing, GrowthPolicy, ImageSource, Phase, Search, Trainer
    from nascore.description import Matrix
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.jobs import Job
    from nascore.nn import Network
    from nascore.recipe import Recipe
    from nascore.run import OnNan


T = TypeVar("T")

DO_JOB: Final = "nascore.engine.growth_jobs:do_job"
"""The function that does a job in another process."""

KINDS: Final = ("train", "grow")
"""The kinds of jobs of a growth run."""

CANDIDATES: Final = "candidates"
"""The name of the phase in which candidates are trained, in checkpoints."""


@define(kw_only=True)
class GrowthJobs:
    """Does the jobs of a growth run, one at a time.

    Attributes:
        context: The run. Its folder is only read.
        policy: Closes open proposals.
        fit: The training images.
        held: The validation images.
    """

    context: RunContext
    policy: GrowthPolicy
    fit: ImageSource
    held: ImageSource

    @classmethod
    def of(cls, context: RunContext, policy: GrowthPolicy) -> GrowthJobs:
        """Return the object that runs the jobs of a run, with its images."""
        fit, held = context.fit_and_validation()
        return cls(context=context, policy=policy, fit=fit, held=held)

    def do(self, job: Job, progress: JobProgress) -> Network | None:
        """Do a job, which may have been begun before; returns its network, or None if it failed.

        Raises:
            NascoreError: Every job would fail: a plugin is faulty, or a folder cannot be used.
            KeyboardInterrupt: A stop was requested; the job is saved.
            BudgetSpentError: The budget is spent; the job is saved.
        """
        progress.ends_run = False
        network, problems = self._tried(job, progress)
        # Out of the handler: an exception holds the frames of the job, with network and optimizer.
        if network is None:
            progress.finish({"status": "failed", "error": "\n".join(map(str, problems))})
            if self.context.device.type == "cuda":
                torch.cuda.empty_cache()
        self.context.control.jobs += 1
        return network

    def _tried(self, job: Job, progress: JobProgress) -> tuple[Network | None, tuple[Problem, ...]]:
        """Return the trained network of a job; or None, and the problems that made it fail."""
        try:
            ready, start = self._with_description(job, progress)
            network = train_job(self.context, ready, progress, fit=self.fit, held=self.held, start=start)
        except RunFailed as error:
            return None, error.problems
        except DescriptionError as error:
            text = f"returned an architecture that cannot be trained: {error}"
            raise fault_of_policy(self.context.recipe, text) from error
        except NascoreError:
            raise  # a mistake of a plugin, or a folder that cannot be written to, fails every job
        except Exception as error:  # noqa: BLE001 - out of memory, or an operation that fails on its input
            progress.folder.log(f"job {progress.name}:\n{''.join(format_exception(error)).rstrip()}")
            return None, (Problem(path="", text=out_of_memory_text(error) or error_line(error)),)
        return network, ()

    def _with_description(self, job: Job, progress: JobProgress) -> tuple[Job, TrainingStart | None]:
        """Return the job with its architecture, and the start of its training; a child is grown here."""
        if job.kind == "grow":
            policy = cast("Growing", self.policy)
            child, start = close_proposal(self.context, policy, job, progress, fit=self.fit)
            if policy_searches(self.context.recipe):
                child = prepared(child, self.context.recipe.training, self.context.facts)
            return evolve(job, description=child), start
        if job.epochs is None and not job.inherits:
            return job, None
        # What does not fit is not inherited: the policy may have changed any part of the parent.
        inherited = _weights_of_parent(self.context, job) if job.inherits else {}
        epochs = job.epochs or self.context.recipe.training.epochs
        return job, TrainingStart(epochs=epochs, weights=inherited)


def close_proposal(
    context: RunContext,
    policy: Growing,
    job: Job,
    progress: JobProgress,
    *,
    fit: ImageSource,
) -> tuple[Description, TrainingStart]:
    """Train the candidates of an open proposal; returns the child, and the start of its own training.

    Args:
        context: The run.
        policy: Selects candidates.
        job: The job, with the open description.
        progress: The state of the job.
        fit: The training images.

    Raises:
        RunFailed: A loss or a tensor is not finite, or the policy refuses this parent.
        PluginError: The policy raised an error, or did not return a closed description.
    """
    epochs, opened = job.epochs or context.recipe.training.epochs, job.description
    if progress.stage == TRAIN:  # the child was made before the run went on; the checkpoint has its weights
        child = load(text_of(progress.folder / DESCRIPTION), catalogue=context.catalogue)
        return child, TrainingStart(epochs=epochs)
    progress.folder.text_once(PROPOSED, with_digest(dump(opened)))
    weights = _weights_of_parent(context, job) if job.inherits else {}
    phase = _train_candidates(context, policy, opened, weights, job=progress, fit=fit)
    assert phase.search is not None
    if policy_searches(context.recipe):
        return _searched(phase.search, opened, progress, phase.steps), TrainingStart(epochs=epochs)
    strength = phase.search.strength()
    ranked = {name: value.tolist() for name, value in strength.items()}
    close = partial(_closed, context, policy, opened)
    child = close(ranked)
    progress.folder.json(
        "candidates.json", {"steps": phase.steps, "groups": learned_choices(phase.search), "strength": ranked}
    )
    progress.warnings += unreached(phase.search)
    if job.parent_folder is not None:
        before = description_of(context, job.parent_folder)
        progress.warnings += undecided_child(before, opened, child, phase.search, close)
    if not job.inherits:
        return child, TrainingStart(epochs=epochs)
    inherited = {
        name: value for name, value in phase.network.state_dict().items() if not _new_gate(name, weights)
    }
    return child, TrainingStart(epochs=epochs, weights=inherited, required=frozenset(weights))


def _searched(search: Search, opened: Description, progress: JobProgress, steps: int) -> Description:
    """Return the architecture that a search chooses, as a search in a supernet does; writes the choices."""
    picks = picks_of(opened, search)
    child = derived(opened, search, picks)
    progress.folder.json("candidates.json", {"steps": steps, "groups": learned_choices(search)})
    progress.warnings += [*unreached(search), *undecided(opened, search, picks), *empty_nodes(child)]
    return child


def _closed(
    context: RunContext, policy: Growing, opened: Description, strength: Mapping[str, Matrix]
) -> Description:
    closed = _call_policy(context, "close", lambda: policy.close(opened, strength))
    ReturnCheck(policy, "close", "growth").expect(closed, Description, "a Description")
    if closed.is_open:
        raise fault_of_policy(context.recipe, "closed a proposal, but the result has an open choice.")
    return closed


def description_of(context: RunContext, job_folder: str) -> Description:
    """Return the architecture that a job trained.

    Args:
        context: The run.
        job_folder: The folder of the job, within the folder of the run.
    """
    file = context.folder / job_folder / DESCRIPTION
    return load(text_of(file), where=str(file), catalogue=context.catalogue)


def _weights_of_parent(context: RunContext, job: Job) -> dict[str, Tensor]:
    assert job.parent_folder is not None  # a proposal that inherits has a parent
    return tensors_of(bytes_of(context.folder / job.parent_folder / "weights.safetensors"))


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
    fit: ImageSource,
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


def _data(context: RunContext, trainer: Trainer, fit: ImageSource) -> dict[str, ImageSource]:
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


def do_job(  # noqa: PLR0913 - each by name
    folder: str,
    number: int,
    *,
    every: float,
    budget: Mapping[str, Any] | None,
    on_nan: OnNan,
    plugins: Mapping[str, Sequence[str]],
    accepted: Sequence[str],
) -> dict[str, Any]:
    """Do a job of a growth run in a process that knows nothing of it; returns the outcome as plain values.

    A job that is over is not done again, and one that was begun continues from its checkpoint.

    Args:
        folder: The folder of the run, which another process does.
        number: Number of the job, from 1; its folder exists.
        every: Seconds between two checkpoints.
        budget: The attributes of the budget of this job; None: there is none.
        on_nan: Reaction to a loss that is not finite.
        plugins: The attributes of the selection of plugins.
        accepted: Accepted differences to the beginning of the run.
    """
    path = Path(folder)
    control = RunControl(every=every, budget=None if budget is None else Budget(**budget), on_nan=on_nan)
    with handling_signals(control, worker=True):
        try:
            outcome = _do(path, number, control, plugins, accepted)
        except KeyboardInterrupt:
            outcome = Outcome(status="interrupted")
        except BudgetSpentError:
            outcome = Outcome(status="stopped")
        except NascoreError as error:
            outcome = Outcome(status="unusable", cause=plain_error(error))
    return asdict(evolve(outcome, steps=control.steps, jobs=control.jobs))


def _do(
    path: Path,
    number: int,
    control: RunControl,
    plugins: Mapping[str, Sequence[str]],
    accepted: Sequence[str],
) -> Outcome:
    job_folder = next(folder for kind in KINDS if is_folder(folder := job_path(path, number, kind)))
    opened = open_job(job_folder)
    try:
        progress = progress_of(opened, number, control)
        if progress.result is None:
            jobs = _jobs_of(path, plugins, accepted)
            jobs.context.control = control
            with computing(jobs.context.recipe.run.threads):
                jobs.do(job_of(job_folder, jobs.context.catalogue), progress)
    finally:
        opened.close()
    result: dict[str, Any] = progress.result or {}
    return Outcome(status=result.get("status", "done"), error=result.get("error", ""))


_CACHE: Final[dict[object, GrowthJobs]] = {}
"""The run whose job this process did last, kept since reading data and plugins again would be slow."""


def _jobs_of(path: Path, plugins: Mapping[str, Sequence[str]], accepted: Sequence[str]) -> GrowthJobs:
    """Return the object that runs the jobs of a run, read from its folder; the last one is cached."""
    names = tuple((name, tuple(each)) for name, each in plugins.items())
    key = (path, text_of(path / RECIPE), names, tuple(accepted))
    if key not in _CACHE:
        _CACHE.clear()  # before the images of another run are read
        _CACHE[key] = _read_run(path, Selection(**dict(names)), accepted=bool(accepted))
    return _CACHE[key]


def _read_run(path: Path, selection: Selection, *, accepted: bool) -> GrowthJobs:
    """Return the object that runs the jobs of a run, read from its folder.

    Raises:
        RecipeError: Its recipe does not run here, or the data set has other images here.
        PluginError: A plugin is missing.
    """
    registry = discover(selection)
    recipe = resolved(Request(recipe=path / RECIPE), registry)
    if recipe.refused:
        raise refusal(recipe.problems)
    if is_file(path / ORIGINS):  # earlier versions wrote none
        recipe = with_plain_origins(recipe, object_of(path / ORIGINS))
    with computing(recipe.run.threads):
        dataset = build_dataset(recipe)
        if not accepted:
            _refuse_other_images(path, recipe, dataset)
        folder = RunFolder(path, ChecksumWriter(path))
        context = RunContext(
            recipe=recipe,
            catalogue=registry.operations(),
            executions=registry.executions(),
            dataset=dataset,
            task=build_task(recipe),
            device=device_for(recipe),
            folder=folder,
            gallery=GalleryFile(folder),
            observers=Observers((), folder.log),
            control=RunControl(),
        )
        return GrowthJobs.of(context, build_component(recipe, "growth"))


def _refuse_other_images(path: Path, recipe: Recipe, dataset: Dataset) -> None:
    known = environment_of(path).get("data")
    if known is not None and known != data_fingerprint(dataset.train()):
        name = recipe.part("dataset").name
        text = f"{name} has other training images here than when the run began."
        raise RecipeError([Problem(path="dataset", text=text, hint="All processes need the same images.")])
