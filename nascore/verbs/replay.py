"""Runs the recipe of a finished run again, and compares the two epoch by epoch."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.comparison import is_comparison, read_plan
from nascore.description import load
from nascore.errors import RunFolderError
from nascore.files import given_path
from nascore.plugin import Selection
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN, Request
from nascore.recipe.settling.fit import unused_size_warnings
from nascore.run import (
    CHANGES,
    GIVEN,
    RECIPE,
    comparison_record,
    environment_of,
    is_folder,
    lines_of,
    read,
    resume_command,
    text_of,
)
from nascore.run.replayed import TOLERANCE, Comparison, compare_replay
from nascore.slots import SLOTS, SLOTS_OF_EVALUATE
from nascore.verbs.dry_run import with_build_warnings
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import resolve_request
from nascore.verbs.resume import EVALUATE
from nascore.verbs.run_differences import Difference, differences
from nascore.verbs.runs import Run, naming_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.plugin.plugin import Wanted
    from nascore.run import Record
    from nascore.verbs.resolution import ResolvedRequest

ARITHMETIC = ("instruction_set", "blas", "threads")
"""Entries of `environment.json` that decide on the last digits of sums."""


BIT_EQUAL: Final = "bit-equal"
SKIPPED: Final = "not replayed"
"""The verdict of a job of a comparison that is not done."""


@frozen(kw_only=True)
class Replay:
    """The replay of a run.

    Attributes:
        run: The folder of the run.
        comparison: How the replay differs from the run.
        environment: The changes of the environment since the run began.
    """

    run: Path
    comparison: Comparison
    environment: tuple[Difference, ...] = ()

    @property
    def verdict(self) -> str:
        """`bit-equal`, `within tolerance` or `diverged`."""
        return self.comparison.verdict


@frozen(kw_only=True)
class ReplayedJob:
    """The replay of a job of a comparison.

    Attributes:
        folder: Folder of its run, relative to the comparison's: ``jobs/0001-darts-darts_s0``.
        replay: The replay; None if the job is not done.
        status: The status of its run: `done` or `failed`.
    """

    folder: str
    replay: Replay | None
    status: str

    @property
    def verdict(self) -> str:
        """`bit-equal`, `within tolerance`, `diverged` or `not replayed`."""
        return SKIPPED if self.replay is None else self.replay.verdict


@frozen(kw_only=True)
class ComparisonReplay:
    """The replays of all jobs of a comparison.

    Attributes:
        run: The folder of the comparison.
        jobs: The jobs in their order.
    """

    run: Path
    jobs: tuple[ReplayedJob, ...]

    @property
    def verdict(self) -> str:
        """`diverged` if a job diverged, else `within tolerance` if a job is not bit-equal, or `bit-equal`."""
        found = {job.verdict for job in self.jobs}
        return next((one for one in ("diverged", "within tolerance") if one in found), BIT_EQUAL)

    @property
    def first(self) -> ReplayedJob | None:
        """The first job that diverged; None if none did."""
        return next((job for job in self.jobs if job.verdict == "diverged"), None)


def replay(
    run: str | Path | Run,
    *,
    threads: int | None = None,
    tolerance: float = TOLERANCE,
    network: Any = None,  # noqa: ANN401 - a module or a function
    plugins: Wanted = (),
) -> Replay | ComparisonReplay:
    """Run the recipe of a finished run again, as ``nascore replay`` does; returns how the two differ.

    Of a comparison every finished job is run again. A replay is made in a temporary folder, which is removed
    afterwards.

    Args:
        run: The run, or its folder; the folder of a comparison.
        threads: CPU threads of the replay. None: those of the run.
        tolerance: Largest difference of a loss within tolerance, relative to it if it is above 1.
        network: The torch module, or the function, that the run evaluated if it was passed from Python. A
            module needs the weights that it had.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        RunFolderError: The folder holds no finished run, or a file of it is damaged.
        RunFailed: The replay failed.
    """
    path = run.path if isinstance(run, Run) else given_path(run)
    if network is None and isinstance(run, Run):
        network = run.network
    selection = Selection.of(plugins).with_network(network)
    return replay_as_requested(path, threads=threads, tolerance=tolerance, plugins=selection)


def replay_as_requested(
    path: Path,
    *,
    threads: int | None = None,
    tolerance: float = TOLERANCE,
    plugins: Wanted = (),
    reporter: Reporter | None = None,
) -> Replay | ComparisonReplay:
    """Replay a run or a comparison, from Python or from the command line. See :func:`replay`."""
    reporter = reporter or Reporter()
    request = partial(_replay_run, threads=threads, tolerance=tolerance, plugins=plugins, reporter=reporter)
    if not is_comparison(path):
        _refuse_unless_done(path, read(path))
        return request(path)
    _refuse_unless_done(path, comparison_record(path))
    jobs = read_plan(path).jobs
    found: list[ReplayedJob] = []
    for number, job in enumerate(jobs, start=1):
        folder, replayed = path / job.folder, None
        status = read(folder).status if is_folder(folder) else "failed"  # an evaluation of a failed search
        if status == "done":
            reporter.job_begins(number, len(jobs), job)
            replayed = request(folder, report=not found)
        found.append(ReplayedJob(folder=job.folder, replay=replayed, status=status))
    return ComparisonReplay(run=path, jobs=tuple(found))


def _refuse_unless_done(path: Path, record: Record) -> None:
    if record.status != "done":
        again = resume_command(path)
        raise RunFolderError(f"{path} is not done: its status is {record.status}. Resume it first: {again}")


def _replay_run(  # noqa: PLR0913 - each by name
    path: Path,
    *,
    threads: int | None,
    tolerance: float,
    plugins: Wanted,
    reporter: Reporter,
    report: bool = True,
) -> Replay:
    """Replay one run.

    Args:
        path: Its folder; it is done.
        threads: See :func:`replay`.
        tolerance: See :func:`replay`.
        plugins: See :func:`replay`.
        reporter: Receives warnings.
        report: Whether it receives the recipe too.
    """
    begun_on = environment_of(path)
    evaluates = begun_on.get("kind") == EVALUATE
    resolved = resolve_request(
        Request(recipe=path / RECIPE, run={} if threads is None else {"threads": threads}),
        plugins=plugins,
        run=reporter.run_component(EVALUATE_RUN if evaluates else SEARCH_RUN),
        slots=SLOTS_OF_EVALUATE if evaluates else SLOTS,
    )
    if report:
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
    with naming_code(path, resolved.registry):
        description = load(text_of(given), where=str(given), catalogue=resolved.registry.operations())
    recipe = unused_size_warnings(resolved.recipe, [description], resolved.registry.operations())
    evaluate(description, recipe, resolved.registry, out=out, begun=Begun(control=reporter.control))


def _differences(resolved: ResolvedRequest, begun_on: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the changes of the environment since the run began, including the arithmetic."""
    from nascore.engine.device import arithmetic

    yield from differences(resolved.recipe, resolved.registry, begun_on)
    now = {**arithmetic(), "threads": resolved.recipe.run.threads}
    for name in ARITHMETIC:
        if name in begun_on and begun_on[name] != now[name]:
            yield Difference(name.replace("_", " "), str(begun_on[name]), str(now[name]))
