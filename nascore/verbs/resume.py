"""Resumes a stopped run from its last checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.comparison import is_comparison
from nascore.description import load
from nascore.errors import RunFolderError
from nascore.files import given_path
from nascore.plugin import Selection
from nascore.recipe import EVALUATE_RUN, ORIGINS, SEARCH_RUN, Request, with_plain_origins
from nascore.recipe.settling.executor import ExecutorChoice
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import (
    GIVEN,
    RECIPE,
    control_of,
    environment_of,
    is_file,
    object_of,
    read,
    reopen,
    text_of,
)
from nascore.shell import command_line
from nascore.slots import SLOTS, SLOTS_OF_EVALUATE
from nascore.verbs.dry_run import with_build_warnings
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import resolve_request
from nascore.verbs.resume_searches import resume_searches
from nascore.verbs.run_differences import differences, refuse_differences
from nascore.verbs.runs import Run, naming_code, run_done

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nascore.comparison import Ablation, Comparison
    from nascore.contract import Observer
    from nascore.engine.build import Begun
    from nascore.plugin.plugin import Wanted
    from nascore.run import OnNan, Record
    from nascore.verbs.reporter import FinishedSearches
    from nascore.verbs.resolution import ResolvedRequest

EVALUATE: Final = "evaluate"


def resume(  # noqa: PLR0913 - each is a flag of the command line, by name
    run: str | Path | Run,
    *,
    accept: bool = False,
    budget: str | None = None,
    checkpoint_every: str | None = None,
    on_nan: OnNan | None = None,
    executor: str | None = None,
    settings: Mapping[str, Any] | None = None,
    network: Any = None,  # noqa: ANN401 - a module or a function
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
) -> Run | Comparison | Ablation:
    """Resume a run that was stopped, as ``nascore resume`` does, and return the run or comparison when done.

    Finished jobs are not repeated. The unfinished job continues from its last checkpoint, so that the
    run ends with the same weights, architectures and figures as one that nobody stopped.

    Args:
        run: The run, or its folder; the folder of a comparison of several searches.
        accept: Resume despite changed versions, data or device; the run records the changes, and its figures
            may differ.
        budget: How much to do before the run stops again: ``"2h"``, ``"500steps"``, ``"20jobs"``. None: all.
        checkpoint_every: Time between two checkpoints: ``"5m"``. None: ten minutes.
        on_nan: Reaction to a loss that is not finite: ``"stop"``, or ``"rewind"`` to go back to the last
            checkpoint and halve the learning rate. None: stop.
        executor: The executor of the jobs, such as ``"processes"``. None: the one that the run began with.
        settings: Settings of the executor: ``{"executor.workers": 4}``.
        network: The torch module, or the function, that the run evaluates if it was passed from Python.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: Objects that watch the run.

    Raises:
        RunFolderError: The folder holds no run, one that is done, or one that another process does; or a file
            of it is damaged.
        RecipeError: Something is not as it was when the run began; the error has all differences.
        RunFailed: The run failed.
    """
    reporter = Reporter(control_of(budget, checkpoint_every, on_nan))
    path = run.path if isinstance(run, Run) else given_path(run)
    network = run.network if network is None and isinstance(run, Run) else network
    done = resume_as_requested(
        path,
        accept=accept,
        executor=ExecutorChoice(name=executor, settings=settings or {}),
        plugins=Selection.of(plugins).with_network(network),
        observers=observers,
        reporter=reporter,
    )
    return evolve(done, network=network) if isinstance(done, Run) else done.ablation or done.comparison


def resume_as_requested(  # noqa: PLR0913 - each by name
    path: Path,
    *,
    accept: bool = False,
    executor: ExecutorChoice | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    reporter: Reporter | None = None,
) -> Run | FinishedSearches:
    """Resume a run or a comparison, from Python or the command line. See :func:`resume`."""
    reporter, executor = reporter or Reporter(), executor or ExecutorChoice()
    if is_comparison(path):
        return resume_searches(
            path,
            accept=accept,
            executor=executor,
            plugins=plugins,
            observers=observers,
            reporter=reporter,
        )
    record = read(path)
    if record.status == "done":
        show = command_line("nascore", "gallery", path)
        raise RunFolderError(f"{path} is done: there is nothing left to do. See {show}.")
    begun_on = environment_of(path)
    evaluates = begun_on.get("kind") == EVALUATE
    executor = evolve(executor, recorded=begun_on.get("executor"))
    resolved = resolve_request(
        executor.applied(Request(recipe=path / RECIPE)),
        plugins=plugins,
        run=reporter.run_component(EVALUATE_RUN if evaluates else SEARCH_RUN),
        slots=SLOTS_OF_EVALUATE if evaluates else SLOTS,
    )
    if is_file(path / ORIGINS):  # earlier versions wrote none
        recipe = with_plain_origins(resolved.recipe, object_of(path / ORIGINS))
        resolved = evolve(resolved, recipe=recipe)
    reporter.resolved(resolved.recipe)
    found = [*differences(resolved.recipe, resolved.registry, begun_on)]
    if not accept:
        refuse_differences(path, found)
    resume_run = _resume_evaluation if evaluates else _resume_search
    accepted, selection = tuple(map(str, found)), Selection.of(plugins)
    resume_run(record, resolved, _Going(path, reporter, observers, accepted, selection))
    done = run_done(path)
    reporter.warn_late(done.result, resolved.recipe.warned)
    reporter.warn_failed(done.result)
    return done


@frozen
class _Going:
    """How a run is resumed.

    Attributes:
        path: Its folder.
        reporter: Receives the warnings, and has the control of the run.
        observers: Objects that watch the run.
        accepted: Differences that were accepted.
        plugins: The selection of plugins, for other processes.
    """

    path: Path
    reporter: Reporter
    observers: Sequence[Observer]
    accepted: tuple[str, ...]
    plugins: Selection

    def begun(self) -> Begun:
        """Return the folder, opened again, and the control."""
        from nascore.engine.build import Begun

        self.reporter.control.waiting = True  # a stop waits until the run is resumed
        folder = reopen(self.path)
        folder.change("resumed", **({"accepted": list(self.accepted)} if self.accepted else {}))
        return Begun(
            control=self.reporter.control, folder=folder, plugins=self.plugins, accepted=self.accepted
        )


def _resume_search(record: Record, resolved: ResolvedRequest, going: _Going) -> None:
    del record
    from nascore.engine.search import search

    built = with_build_warnings(resolved)
    going.reporter.warn_all(built.recipe.warned)
    begun = going.begun()
    search(built.recipe, built.registry, observers=going.observers, built=built.built, begun=begun)


def _resume_evaluation(record: Record, resolved: ResolvedRequest, going: _Going) -> None:
    from nascore.engine.evaluate import evaluate

    given = record.path / GIVEN
    if not is_file(given):
        raise RunFolderError(
            f"{record.path} was stopped before it wrote its architecture: start the evaluation again."
        )
    with naming_code(record.path, resolved.registry):
        description = load(text_of(given), where=str(given), catalogue=resolved.registry.operations())
    recipe = unused_size_warnings(resolved.recipe, [description], resolved.registry.operations())
    going.reporter.warn_all(recipe.warned)
    evaluate(description, recipe, resolved.registry, observers=going.observers, begun=going.begun())
