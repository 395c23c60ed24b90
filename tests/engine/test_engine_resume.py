"""A run that was stopped and resumed ends as one that nobody stopped, to the last bit."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from command_line import cli, done
from resumed_runs import differences

import nascore
from nascore.engine.build import Begun
from nascore.engine.checkpoint import Checkpoints
from nascore.errors import RecipeError, RunFolderError, RunStopped
from nascore.run import Budget, RunControl, control_of, read, reopen
from nascore.verbs.evaluate import evaluate_as_requested
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import requested
from nascore.verbs.resume import resume_as_requested
from nascore.verbs.search import search_as_requested

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.recipe import Request

SMALL: dict[str, Any] = {
    "dataset.count": 64,
    "trainer.epochs": 3,
    "trainer.batch": 8,
    "ranking.epochs": 2,
    "ranking.batch": 8,
}
GROWING: dict[str, Any] = {
    "dataset.count": 64,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "trainer.batch": 8,
    "growth.count": 3,
    "growth.seed_epochs": 1,
    "growth.child_epochs": 1,
    "ranking.batch": 8,
}
SEARCHES: dict[str, dict[str, Any]] = {
    "first order": {"names": {"updater": "darts"}, "settings": SMALL},
    "unrolled": {"names": {"updater": "darts"}, "settings": {**SMALL, "trainer.estimate": "unrolled"}},
    "xnas": {"names": {"updater": "xnas"}, "settings": SMALL},
    "fp16": {"names": {"updater": "darts"}, "settings": {**SMALL, "precision": "fp16"}},
    "data": {"names": {"updater": "data"}, "settings": SMALL},
    "petridish": {"names": {"updater": "xnas", "growth": "petridish"}, "settings": GROWING},
    "random": {
        "names": {"growth": "random"},
        "settings": {"dataset.count": 64, "growth.count": 3, "ranking.epochs": 2, "ranking.batch": 8},
    },
}
STEPS = "5steps"


def request_of(names: dict[str, str], settings: dict[str, Any]) -> Request:
    named = {"space": "tiny", "dataset": "synthetic", **names}
    return requested(names=named, recipe=None, preset=None, scale="mini", settings=settings)


def budgeted(budget: str | None, every: float = 1e9) -> Reporter:
    return Reporter(RunControl(every=every, budget=None if budget is None else Budget.of(budget)))


def resumed_to_the_end(run: Path, budget: str = STEPS) -> int:
    """Resume a run until it is done; returns how often that took."""
    pieces = 0
    while read(run).status != "done":
        with suppress(RunStopped):
            resume_as_requested(run, reporter=budgeted(budget))
        pieces += 1
    return pieces


def begun(out: Path, name: str = "first order", budget: str = STEPS) -> Path:
    """Begin a search that its budget stops."""
    with suppress(RunStopped):
        search_as_requested(request_of(**SEARCHES[name]), out=out, reporter=budgeted(budget))
    assert read(out).status == "stopped"
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return searches that nobody stops, each made once."""
    folder = tmp_path_factory.mktemp("whole")

    def made(name: str) -> Path:
        out: Path = folder / name
        if not out.exists():
            search_as_requested(request_of(**SEARCHES[name]), out=out)
        return out

    return made


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_in_pieces_ends_as_a_whole_one(name, whole, tmp_path):
    run = begun(tmp_path / "run", name)

    assert resumed_to_the_end(run) >= 2
    assert differences(whole(name), run) == []
    assert not list(run.rglob("checkpoint-*"))


def test_an_evaluation_in_pieces_ends_as_a_whole_one(whole, tmp_path):
    settings = {"training.epochs": 2, "training.batch": 8, "dataset.count": 64}
    found = whole("first order")
    given = {"dataset": "synthetic", "scale": "mini", "settings": settings}
    uncut = nascore.evaluate(found, **given, out=tmp_path / "uncut").path
    data = {"dataset": "synthetic"}
    request = requested(names=data, recipe=None, preset=None, scale="mini", settings=settings)
    with pytest.raises(RunStopped, match="nascore resume"):
        evaluate_as_requested(found, request, out=tmp_path / "cut" / "run", reporter=budgeted("3steps"))
    resumed_to_the_end(tmp_path / "cut" / "run", "3steps")

    cut = json.loads((tmp_path / "cut" / "run" / "result.json").read_text())
    known = json.loads((uncut / "result.json").read_text())
    for result in (cut, known):
        result.pop("seconds")
    assert cut == known
    assert differences(uncut, tmp_path / "cut" / "run") == []


def test_warnings_name_what_the_first_command_typed(tmp_path):
    request = request_of({"updater": "sgd"}, {**SMALL, "trainer.estimate": "single-level"})
    uncut, cut = tmp_path / "uncut" / "run", tmp_path / "cut" / "run"
    search_as_requested(request, out=uncut)
    with suppress(RunStopped):
        search_as_requested(request, out=cut, reporter=budgeted(STEPS))
    heard: list[str] = []
    reporter = budgeted(None)
    reporter.warn = heard.append  # type: ignore[method-assign]
    resume_as_requested(cut, reporter=reporter)

    (warning,) = json.loads((uncut / "result.json").read_text())["warnings"]
    assert "from updater='sgd'" in warning
    assert heard == [warning]
    assert differences(uncut, cut) == []


def test_finished_jobs_are_not_done_again(tmp_path):
    run = begun(tmp_path / "run", "random", "15steps")
    first = (run / "jobs/0001-train/result.json").stat().st_mtime_ns
    resumed_to_the_end(run)
    assert (run / "jobs/0001-train/result.json").stat().st_mtime_ns == first
    started = [
        line for line in (run / "metrics.jsonl").read_text().splitlines() if json.loads(line)["job"] == 1
    ]
    assert len(started) == 2


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(whole, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(RunStopped):
        search_as_requested(
            request_of(**SEARCHES["first order"]), out=run, reporter=budgeted("6steps", every=0.0)
        )
    first, last = sorted(run.rglob("checkpoint-*.pt"))
    damage(last)
    resume_as_requested(run)

    assert (
        f"job 0001-search: {last.name} cannot be used: it is truncated or damaged; the one before it is used"
        in (run / "run.log").read_text()
    )
    assert first.name != last.name
    assert differences(whole("first order"), run) == []


def test_a_job_whose_checkpoints_are_all_damaged_begins_anew(whole, tmp_path):
    run = begun(tmp_path / "run")
    for path in run.rglob("checkpoint-*.pt"):
        path.write_bytes(path.read_bytes()[:1000])
    resume_as_requested(run)
    assert "it is truncated or damaged; the job begins again" in (run / "run.log").read_text()
    assert differences(whole("first order"), run) == []


def test_two_processes_cannot_do_one_run(tmp_path):
    run = begun(tmp_path / "run")
    held = reopen(run)
    try:
        with pytest.raises(RunFolderError, match="another process is working on this run"):
            resume_as_requested(run)
    finally:
        held.close()
    resume_as_requested(run)
    with pytest.raises(RunFolderError, match="is done: there is nothing left to do"):
        resume_as_requested(run)


def test_other_versions_and_data_are_refused_unless_they_are_accepted(tmp_path, monkeypatch):
    run = begun(tmp_path / "run")
    known = json.loads((run / "environment.json").read_text())

    def before(_path: object) -> dict[str, Any]:
        changed = {**known, "packages": {**known["packages"], "torch": "1.0"}, "data": "0" * 40}
        return {**changed, "brought": {**known["brought"], "updater darts": "nascore-darts==9.9"}}

    monkeypatch.setattr("nascore.verbs.resume.environment_of", before)
    with pytest.raises(RecipeError) as refused:
        resume_as_requested(run)
    text = str(refused.value)
    assert "torch: 1.0 when the run began" in text
    assert "updater darts: nascore-darts==9.9 when the run began" in text
    assert "training images, by their digest: 000000000000 when the run began" in text
    assert "--accept" in text
    assert read(run).status == "stopped"

    resume_as_requested(run, accept=True)
    changes = [json.loads(line) for line in (run / "changes.jsonl").read_text().splitlines()]
    assert len(changes[-1]["accepted"]) == 3


def test_an_edited_recipe_is_refused(tmp_path):
    run = begun(tmp_path / "run")
    recipe = run / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("epochs: 3", "epochs: 4"))
    with pytest.raises(RunFolderError, match=r"recipe\.yaml"):
        resume_as_requested(run)


def test_damaged_results_of_finished_jobs_are_refused(tmp_path):
    run = begun(tmp_path / "run", "random", "15steps")
    damage(run / "jobs/0001-train/weights.safetensors")
    with pytest.raises(RunFolderError, match="not as the run wrote it"):
        resume_as_requested(run)


def test_a_killed_run_is_resumed_wherever_it_was(whole, tmp_path, monkeypatch):
    """Copies of the folder after each checkpoint are what a kill at that moment leaves."""
    copies = []
    save = Checkpoints.save

    def saving(self: Checkpoints, checkpoint: Any) -> None:
        save(self, checkpoint)
        copies.append(shutil.copytree(tmp_path / "run", tmp_path / f"copy{len(copies)}"))

    monkeypatch.setattr(Checkpoints, "save", saving)
    search_as_requested(
        request_of(**SEARCHES["petridish"]), out=tmp_path / "run", reporter=budgeted(None, every=0.0)
    )
    monkeypatch.undo()
    assert len(copies) >= 20
    for copy in copies[:: len(copies) // 6]:
        assert read(copy).status == "killed"
        (copy / ".lock").unlink(missing_ok=True)
        resume_as_requested(copy)
        assert differences(whole("petridish"), copy) == []


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("2h", 7200, "seconds"), ("+90s", 90, "seconds"), ("500 steps", 500, "steps"), ("1job", 1, "jobs")],
)
def test_budgets_are_read(text, amount, unit):
    budget = Budget.of(text)
    assert (budget.amount, budget.unit) == (amount, unit)


def test_what_is_no_budget_and_no_time_is_refused_at_once():
    with pytest.raises(RecipeError) as refused:
        control_of("2 weeks", "often")
    text = str(refused.value)
    assert "budget: '2 weeks' is not 2h, 30m, 90s, 500steps or 20jobs" in text
    assert "checkpoint-every: 'often' is not a duration" in text


def test_the_time_between_checkpoints_is_kept(tmp_path):
    folder = reopen(begun(tmp_path / "run"))
    control = RunControl(every=1e9)
    assert Begun(control=control, folder=folder).control.every == 1e9
    folder.close()


PLUGIN = """
from nascore.api import Component, NoSettings, hookimpl
from nascore.builtin.updaters import Uniform

@hookimpl
def nascore_updaters():
    told = {"summary": "Moves nothing.", "config": NoSettings, "build": Uniform}
    return [Component(name="mine", slot="updater", **told)]
"""


def test_the_printed_command_loads_the_plugin_files_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    settings = [f"{path}={value}" for path, value in SMALL.items()]
    words = ["search", "--space", "tiny", "--updater", "mine", "--dataset", "synthetic", "--scale", "mini"]
    sets = [word for text in settings for word in ("--set", text)]
    stopped = cli(*words, *sets, "--with", "mine.py", "--budget", STEPS, "--out", "run")

    command = stopped.stderr.rpartition("Resume it: ")[2].strip()
    assert command == "nascore resume run --with run/files/mine.py"
    assert "no updater is called mine" in cli("resume", "run").stderr
    done(*command.split()[1:])
