"""Runs the recipe of a finished run again, and compares the two epoch by epoch."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.description import load
from nascore.errors import RunFolderError
from nascore.files import given_path
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, Request
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import CHANGES, GIVEN, RECIPE, environment_of, lines_of, read, resume_command, text_of
from nascore.run.replayed import TOLERANCE, Comparison, compare_replay
from nascore.slots import SLOTS, SLOTS_OF_EVALUATE
from nascore.verbs.dry_run import with_build_warnings
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import resolve_request
from nascore.verbs.resume import EVALUATE
from nascore.verbs.run_differences import Difference, differences
from nascore.verbs.runs import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.plugin.plugin import Wanted
    from nascore.verbs.resolution import ResolvedRequest

ARITHMETIC = ("instruction_set", "blas", "threads")
"""Entries of `environment.json` that decide on the last digits of sums."""


@frozen(kw_only=True)
class Replay:
    """The replay of a run.

    Attributes:
        run: The folder of the run.
        comparison: How the replay differs from the run.
        environment: What is not as it was when the run began.
    """

    run: Path
    comparison: Comparison
    environment: tuple[Difference, ...] = ()

    @property
    def verdict(self) -> str:
        """`bit-equal`, `within tolerance` or `diverged`."""
        return self.comparison.verdict


def replay(
    run: str | Path | Run,
    *,
    threads: int | None = None,
    tolerance: float = TOLERANCE,
    plugins: Wanted = (),
) -> Replay:
    """Run the recipe of a finished run again, as ``nascore replay`` does; returns how the two differ.

    The replay is made in a temporary folder, which is removed afterwards.

    Args:
        run: The run, or its folder.
        threads: CPU threads of the replay. None: those of the run.
        tolerance: Largest difference of a loss within tolerance, relative to it if it is above 1.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        RunFolderError: The folder holds no finished run, or a file of it is damaged.
        RunFailed: The replay failed.
    """
    path = run.path if isinstance(run, Run) else given_path(run)
    return replay_as_requested(path, threads=threads, tolerance=tolerance, plugins=plugins)


def replay_as_requested(
    path: Path,
    *,
    threads: int | None = None,
    tolerance: float = TOLERANCE,
    plugins: Wanted = (),
    reporter: Reporter | None = None,
) -> Replay:
    """Replay a run, from Python or from the command line. See :func:`replay`."""
    reporter = reporter or Reporter()
    record = read(path)
    if record.status != "done":
        again = resume_command(path)
        raise RunFolderError(f"{path} is not done: its status is {record.status}. Resume it first: {again}")
    begun_on = environment_of(path)
    evaluates = begun_on.get("kind") == EVALUATE
    resolved = resolve_request(
        Request(recipe=path / RECIPE, run={} if threads is None else {"threads": threads}),
        plugins=plugins,
        run=reporter.run_component(EVALUATE_RUN if evaluates else SEARCH_RUN),
        slots=SLOTS_OF_EVALUATE if evaluates else SLOTS,
    )
    reporter.resolved(resolved.recipe)
    if any(line.get("event") == "rewound" for line in lines_of(path / CHANGES)):
        reporter.control.on_nan = "rewind"
        reporter.warn("warning: the run went back to a checkpoint. Its replay may differ: it has others.")
    with TemporaryDirectory(prefix="nascore-replay-") as folder:
        out = Path(folder) / "run"
        try:
            (_evaluate if evaluates else _search)(path, resolved, out, reporter)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None  # without a note that names the temporary folder
        comparison = compare_replay(path, out, tolerance)
    return Replay(run=path, comparison=comparison, environment=(*_differences(resolved, begun_on),))


def _search(path: Path, resolved: ResolvedRequest, out: Path, reporter: Reporter) -> None:
    del path
    from nascore.engine.build import Begun
    from nascore.engine.search import search

    built = with_build_warnings(resolved)
    begun = Begun(control=reporter.control)
    search(built.recipe, built.registry, out=out, built=built.built, begun=begun)


def _evaluate(path: Path, resolved: ResolvedRequest, out: Path, reporter: Reporter) -> None:
    from nascore.engine.build import Begun
    from nascore.engine.evaluate import evaluate

    given = path / GIVEN
    description = load(text_of(given), where=str(given), catalogue=resolved.registry.operations())
    recipe = unused_size_warnings(resolved.recipe, [description])
    evaluate(description, recipe, resolved.registry, out=out, begun=Begun(control=reporter.control))


def _differences(resolved: ResolvedRequest, begun_on: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what is not as it was when the run began, the arithmetic included."""
    from nascore.engine.device import arithmetic

    yield from differences(resolved.recipe, resolved.registry, begun_on)
    now = {**arithmetic(), "threads": resolved.recipe.run.threads}
    for name in ARITHMETIC:
        if name in begun_on and begun_on[name] != now[name]:
            yield Difference(name.replace("_", " "), str(begun_on[name]), str(now[name]))
