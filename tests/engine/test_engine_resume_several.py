"""A comparison that was stopped and resumed ends as one that nobody stopped, to the last bit."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from comparison_runs import SMALL, SMALL_EVALUATION, TINY, words
from failing_plugins import updater
from resumed_runs import differences

import nascore
from nascore.cli import main
from nascore.comparison import Comparison, read_plan
from nascore.contract import Observer
from nascore.engine import comparison_run
from nascore.engine.checkpoint import Checkpoints
from nascore.errors import PluginError, RecipeError, RunFolderError
from nascore.run import Budget, RunControl, read_result, reopen
from nascore.verbs.reporter import FinishedSearches, Reporter
from nascore.verbs.resolution import requested
from nascore.verbs.resume import resume_as_requested
from nascore.verbs.several import search_several_as_requested

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SETTINGS = {**SMALL, **SMALL_EVALUATION}
NAMES = {"space": "tiny", "dataset": "synthetic", "updater": ["uniform", "sgd"]}
COMMAND = [
    "search",
    "--space",
    "tiny",
    "--dataset",
    "synthetic",
    "--scale",
    "mini",
    "--updater",
    "uniform,sgd",
]


def reporter(budget: str | None = None, every: float = 1e9) -> Reporter:
    return Reporter(RunControl(every=every, budget=None if budget is None else Budget.of(budget)))


def compared(out: Path, using: Reporter, *, evaluate: bool = True) -> FinishedSearches:
    settings = SETTINGS if evaluate else SMALL
    request = requested(names=NAMES, recipe=None, preset=None, scale="mini", settings=settings)
    return search_several_as_requested(request, seeds=[0, 1], evaluate=evaluate, out=out, reporter=using)


def resumed(out: Path, using: Reporter) -> FinishedSearches:
    done = resume_as_requested(out, reporter=using)
    assert isinstance(done, FinishedSearches)
    return done


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Evaluations count earlier tests in the folder of runs: each test has a folder of its own."""
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "own"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison that nobody stops; to read only."""
    out: Path = tmp_path_factory.mktemp("whole") / "run"
    compared(out, reporter())
    return out


@pytest.mark.parametrize("budget", ["1job", "7steps"])
def test_a_comparison_in_pieces_ends_as_a_whole_one(budget, whole, tmp_path):
    out = tmp_path / "cut" / "run"
    pieces = [compared(out, reporter(budget))]
    assert pieces[0].result["status"] == "stopped"
    assert pieces[0].result["budget"] == budget
    while pieces[-1].result["status"] != "done":
        pieces.append(resumed(out, reporter(budget)))

    assert len(pieces) > 5
    done = [piece.result["jobs"]["done"] for piece in pieces]
    assert done == sorted(done)
    assert done[-1] == 8
    assert differences(whole, out) == []
    assert not list(out.rglob("checkpoint-*"))


def test_a_comparison_that_its_budget_stops_in_the_last_job_is_not_done(tmp_path):
    out = tmp_path / "run"
    stopped = compared(out, reporter("7jobs"), evaluate=False)
    assert stopped.result["status"] == "stopped"
    assert stopped.result["jobs"] == {"planned": 4, "done": 3, "failed": 0}
    done = resumed(out, reporter())
    assert done.result["status"] == "done"
    assert done.result["jobs"] == {"planned": 4, "done": 4, "failed": 0}


def test_a_killed_comparison_is_resumed_wherever_it_was(whole, tmp_path, monkeypatch):
    """Copies of the folder, some of them incomplete, are what a kill at that moment leaves."""
    run, copies = tmp_path / "run" / "run", []

    def copy() -> None:
        copies.append(shutil.copytree(run, tmp_path / f"copy{len(copies)}" / "run"))

    save = Checkpoints.save

    def saving(self: Checkpoints, checkpoint: Any) -> None:
        save(self, checkpoint)
        copy()

    begin = comparison_run.ComparisonRun._do

    def beginning(self: Any, *given: Any) -> Any:
        copy()
        return begin(self, *given)

    monkeypatch.setattr(Checkpoints, "save", saving)
    monkeypatch.setattr(comparison_run.ComparisonRun, "_do", beginning)
    compared(run, reporter(every=0.0))
    monkeypatch.undo()
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "own"))
    assert len(copies) >= 40
    for number, folder in enumerate(copies[1 :: len(copies) // 6]):
        if number % 2:  # killed when the next job had only its recipe
            unborn = next(job for job in read_plan(folder).jobs if not (folder / job.folder).exists())
            (folder / unborn.folder).mkdir()
            (folder / unborn.folder / "recipe.yaml").write_text("nascore: 1\n")
        resumed(folder, reporter())
        assert differences(whole, folder) == []


def test_finished_runs_are_not_done_again(tmp_path):
    out = tmp_path / "run"
    compared(out, reporter("2jobs"), evaluate=False)
    plan = read_plan(out)
    first = out / plan.jobs[0].folder / "result.json"
    before = first.stat().st_mtime_ns
    assert read_result(out / plan.jobs[0].folder)["status"] == "done"
    assert not (out / plan.jobs[1].folder).exists()

    found = nascore.resume(out)
    assert isinstance(found, Comparison)
    assert [list(row.shares) for row in found.rows] == [[0, 1], [0, 1]]
    assert first.stat().st_mtime_ns == before
    with pytest.raises(RunFolderError, match="is done: there is nothing left to do"):
        nascore.resume(out)


class Stopping(Observer):
    """Asks for a stop, as Ctrl-C does, in the second search."""

    def __init__(self, control: RunControl) -> None:
        self.control, self.runs = control, 0

    def run_started(self, _folder: Any, _recipe: Any) -> None:
        self.runs += 1

    def step_finished(self, _report: Any) -> None:
        self.control.requested = self.runs == 2


def test_an_interrupted_comparison_is_saved_and_resumed(tmp_path):
    uncut, out = tmp_path / "uncut" / "run", tmp_path / "cut" / "run"
    compared(uncut, reporter(), evaluate=False)
    request = requested(names=NAMES, recipe=None, preset=None, scale="mini", settings=SMALL)
    control = RunControl(every=1e9)
    with pytest.raises(KeyboardInterrupt):
        search_several_as_requested(
            request, seeds=[0, 1], out=out, reporter=Reporter(control), observers=[Stopping(control)]
        )
    assert read_result(out)["status"] == "interrupted"
    statuses = [(read_result(out / job.folder) or {}).get("status") for job in read_plan(out).jobs[:2]]
    assert statuses == ["done", "interrupted"]
    assert list((out / read_plan(out).jobs[1].folder).rglob("checkpoint-*"))

    resumed(out, reporter())
    # The observer is an object of the first call, and its count is in the results of its runs.
    different = [name for name in differences(uncut, out) if name.count("/") != 2]
    assert different == []


def test_failed_jobs_stay_failed(tmp_path):
    plugin = tmp_path / "bad.py"
    plugin.write_text(updater("raise SystemExit('no more')"))
    given = {**TINY, "updater": ["uniform", plugin.stem], "seeds": [0, 1], "settings": SMALL}
    uncut = tmp_path / "uncut" / "run"
    nascore.search_several(**given, out=uncut, plugins=[plugin])
    out = tmp_path / "cut" / "run"
    nascore.search_several(**given, out=out, plugins=[plugin], budget="3jobs")
    failed = read_result(out)["failures"]
    assert read_result(out)["status"] == "stopped"
    assert len(failed) == 1

    with pytest.raises(PluginError, match="--with"):
        nascore.resume(out)
    nascore.resume(out, plugins=[plugin])
    assert len(read_result(out)["failures"]) == 2
    assert differences(uncut, out) == []
    lines = [json.loads(line) for line in (out / "changes.jsonl").read_text().splitlines()]
    assert sum(line["event"] == "job failed" for line in lines) == 2


def test_warnings_and_origins_are_those_of_the_first_command(tmp_path):
    """`sgd` without validation halves is warned of, with the flag that named it."""
    settings = {**SMALL, "trainer.estimate": "single-level"}
    names = {**NAMES, "updater": "sgd"}
    outs: Sequence[Path] = (tmp_path / "uncut" / "run", tmp_path / "cut" / "run")
    for out, budget in zip(outs, (None, "1job"), strict=True):
        request = requested(names=names, recipe=None, preset=None, scale="mini", settings=settings)
        search_several_as_requested(request, seeds=[0, 1], out=out, reporter=reporter(budget))
    resumed(outs[1], reporter())
    warned = read_result(outs[0] / read_plan(outs[0]).jobs[1].folder)["warnings"]
    assert any("from updater='sgd'" in text for text in warned)
    assert differences(*outs) == []


def test_two_processes_cannot_do_one_comparison(tmp_path):
    out = tmp_path / "run"
    compared(out, reporter("1job"), evaluate=False)
    held = reopen(out)
    try:
        with pytest.raises(RunFolderError, match="another process is working on this run"):
            nascore.resume(out)
    finally:
        held.close()


def test_other_versions_and_data_are_refused_unless_they_are_accepted(tmp_path, monkeypatch):
    out = tmp_path / "run"
    compared(out, reporter("3jobs"), evaluate=False)

    def before(path: Path) -> dict[str, Any]:
        known = json.loads((path / "environment.json").read_text()) if path.exists() else {}
        if "data" in known:
            return {**known, "data": "0" * 40}
        return {**known, "packages": {**known.get("packages", {}), "torch": "1.0"}} if known else {}

    monkeypatch.setattr("nascore.verbs.run_differences.environment_of", before)
    with pytest.raises(RecipeError) as refused:
        nascore.resume(out)
    text = str(refused.value)
    assert text.count("torch: 1.0 when the run began") == 1
    assert text.count("training images, by their digest: 000000000000 when the run began") == 1
    assert "--accept" in text

    nascore.resume(out, accept=True)
    for folder in (out, out / read_plan(out).jobs[1].folder):
        changes = [json.loads(line) for line in (folder / "changes.jsonl").read_text().splitlines()]
        assert len(changes[-1]["accepted"]) == 2


def test_an_edited_recipe_of_a_job_is_refused(tmp_path):
    out = tmp_path / "run"
    compared(out, reporter("1job"), evaluate=False)
    recipe = out / "recipes/0003/recipe.yaml"
    recipe.write_text(recipe.read_text().replace("epochs: 1", "epochs: 2"))
    with pytest.raises(RunFolderError, match=r"recipe\.yaml"):
        nascore.resume(out)


def test_the_command_line_stops_resumes_and_says_how(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = [*COMMAND, "--seeds", "0..1", "--out", "run", "--budget", "3jobs", *words(SMALL)]
    stopped = CliRunner().invoke(main, line)
    assert stopped.exit_code == 0
    assert "stopped: the budget of 3jobs is spent; 1 of 4 jobs are over" in stopped.stdout
    assert "next: nascore resume run" in stopped.stdout

    done = CliRunner().invoke(main, ["resume", "run"])
    assert done.exit_code == 0
    assert "next: nascore compare run" in done.stdout
    assert "1 of 4" not in done.stderr
    for begun in ("2 of 4: sgd, seed 0", "3 of 4: uniform, seed 1", "4 of 4: sgd, seed 1"):
        assert begun in done.stderr


def test_a_comparison_without_recipes_is_refused(tmp_path):
    """Versions before recipes were kept in the folder wrote none."""
    out = tmp_path / "run"
    with suppress(KeyboardInterrupt):
        compared(out, reporter("1job"), evaluate=False)
    plan = json.loads((out / "comparison.json").read_text())
    for job in plan["jobs"]:
        del job["recipe"]
    (out / "comparison.json").write_text(json.dumps(plan))
    (out / "checksums.jsonl").unlink()
    with pytest.raises(RunFolderError, match="a nascore that could not resume made it"):
        nascore.resume(out)
