"""Goes on with a run that was stopped, from its last checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.description import load
from nascore.errors import Problem, RecipeError, RunFolderError
from nascore.files import given_path
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, Request, saved_recipe
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import (
    GIVEN,
    RECIPE,
    control_of,
    environment,
    environment_of,
    is_file,
    read,
    reopen,
    text_of,
)
from nascore.shell import command_line
from nascore.slots import SLOTS
from nascore.verbs.dry_run import with_build_warnings
from nascore.verbs.evaluate import SLOTS_OF_EVALUATE
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import resolve_request
from nascore.verbs.runs import Run, run_done

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nascore.contract import Observer
    from nascore.engine.build import Begun
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Recipe
    from nascore.run import Record
    from nascore.verbs.resolution import ResolvedRequest

EVALUATE: Final = "evaluate"

DECISIVE: Final = ("nascore", "torch", "numpy")
"""Packages whose version decides on the numbers of a run, beside the plugins that took part."""


def resume(  # noqa: PLR0913 - each is a flag of the command line, by name
    run: str | Path | Run,
    *,
    accept: bool = False,
    budget: str | None = None,
    checkpoint_every: str | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
) -> Run:
    """Go on with a run that was stopped, as ``nascore resume`` does; returns the run, done.

    Finished jobs are not done again. The job that was under way goes on from its last checkpoint, so that the
    run ends with the same weights, architectures and figures as one that nobody stopped.

    Args:
        run: The run, or its folder.
        accept: Go on although versions, data or device are not those that the run began with; the run records
            the differences, and its figures may be others.
        budget: How much to do before the run stops again: ``"2h"``, ``"500steps"``, ``"20jobs"``. None: all.
        checkpoint_every: Time between two checkpoints: ``"5m"``. None: ten minutes.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: Objects that watch the run.

    Raises:
        RunFolderError: The folder holds no run, one that is done, or one that another process does; or a file
            of it is damaged.
        RecipeError: Something is not as it was when the run began; the error has all differences.
        RunFailed: The run could not go on.
    """
    reporter = Reporter(control_of(budget, checkpoint_every))
    path = run.path if isinstance(run, Run) else given_path(run)
    return resume_as_requested(path, accept=accept, plugins=plugins, observers=observers, reporter=reporter)


def resume_as_requested(
    path: Path,
    *,
    accept: bool = False,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    reporter: Reporter | None = None,
) -> Run:
    """Go on with a run, from Python or from the command line; returns the run, done. See :func:`resume`."""
    reporter = reporter or Reporter()
    record = read(path)
    if record.status == "done":
        show = command_line("nascore", "gallery", path)
        raise RunFolderError(f"{path} is done: there is nothing left to do. See {show}.")
    begun_on = environment_of(path)
    evaluates = begun_on.get("kind") == EVALUATE
    resolved = resolve_request(
        Request(recipe=path / RECIPE),
        plugins=plugins,
        run=reporter.run_component(EVALUATE_RUN if evaluates else SEARCH_RUN),
        slots=SLOTS_OF_EVALUATE if evaluates else SLOTS,
    )
    reporter.resolved(resolved.recipe)
    differences = [*_differences(resolved, begun_on)]
    if differences and not accept:
        raise RecipeError([*map(_problem, differences), _accepting(path)])
    resume_run = _resume_evaluation if evaluates else _resume_search
    resume_run(record, resolved, _Going(path, reporter, observers, tuple(map(str, differences))))
    done = run_done(path)
    reporter.warn_late(done.result, resolved.recipe.warned)
    reporter.warn_failed(done.result)
    return done


@frozen
class _Going:
    """How a run goes on.

    Attributes:
        path: Its folder.
        reporter: Receives the warnings, and has the control of the run.
        observers: Objects that watch the run.
        accepted: Differences that were accepted.
    """

    path: Path
    reporter: Reporter
    observers: Sequence[Observer]
    accepted: tuple[str, ...]

    def begun(self) -> Begun:
        """Return the folder, opened again, and the control."""
        from nascore.engine.build import Begun

        folder = reopen(self.path)
        folder.change("resumed", **({"accepted": list(self.accepted)} if self.accepted else {}))
        return Begun(control=self.reporter.control, folder=folder)


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
        raise RunFolderError(f"{record.path} was stopped before it wrote its architecture: evaluate it anew.")
    description = load(text_of(given), where=str(given), catalogue=resolved.registry.operations())
    recipe = unused_size_warnings(resolved.recipe, [description])
    going.reporter.warn_all(recipe.warned)
    evaluate(description, recipe, resolved.registry, observers=going.observers, begun=going.begun())


@frozen
class _Difference:
    """Something that is not as it was when a run began.

    Attributes:
        name: Its name: a package, the data or the device.
        before: As it was.
        now: As it is.
    """

    name: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.name}: {self.before} when the run began, {self.now} now"


def _differences(resolved: ResolvedRequest, begun_on: Mapping[str, Any]) -> Iterator[_Difference]:
    """Yield what decides on the numbers of a run and is not as it was."""
    recipe, now = resolved.recipe, environment()["packages"]
    before = begun_on.get("packages", {})
    for package in DECISIVE:
        if package in before and before[package] != now.get(package):
            yield _Difference(package, before[package], str(now.get(package, "not installed")))
    brought = saved_recipe(recipe, resolved.registry).plugins
    for part, source in begun_on.get("brought", {}).items():
        if brought.get(part, "nascore") != source:
            yield _Difference(part, source, brought.get(part, "no plugin"))
    yield from _computed(recipe, begun_on)


def _computed(recipe: Recipe, begun_on: Mapping[str, Any]) -> Iterator[_Difference]:
    """Yield the differences of data and device, which torch has to read."""
    from nascore.engine.build import device_name
    from nascore.engine.data_checks import data_fingerprint
    from nascore.engine.device import device_for
    from nascore.engine.factory import build_component

    device = device_name(device_for(recipe))
    if "device" in begun_on and begun_on["device"] != device:
        yield _Difference("device", begun_on["device"], device)
    if "data" in begun_on:
        data = data_fingerprint(build_component(recipe, "dataset").train())
        if data != begun_on["data"]:
            yield _Difference("training images, by their digest", begun_on["data"][:12], data[:12])


def _problem(difference: _Difference) -> Problem:
    return Problem(
        path=difference.name, text=f"{difference.before} when the run began, {difference.now} now."
    )


def _accepting(path: Path) -> Problem:
    again = command_line("nascore", "resume", path, "--accept")
    text = "with these differences the run cannot end as it would have."
    return Problem(path="", text=text, hint=f"To go on all the same, and record them: {again}")
