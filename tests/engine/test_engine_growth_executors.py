"""Growth runs whose jobs other processes do: the files of one process, whatever ends first or dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Future
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from command_line import cli
from comparison_runs import words
from resumed_runs import differences
from test_engine_executors import children_of, until

import nascore
from nascore.contract import Job, Observer
from nascore.engine import growth_jobs
from nascore.engine.wave_jobs import WaveJobs
from nascore.errors import PluginError, RecipeError, RunFailed, RunStopped
from nascore.run import job_folder, read, read_result
from nascore.run.job_folder import open_job
from nascore.verbs.watch import progress_of

pytestmark = pytest.mark.needs("nascore-petridish", "nascore-xnas", "nascore-evolution")

DATA = {"dataset.count": 64, "dataset.size": 8, "ranking.batch": 8}
GROWING = {
    **DATA,
    "trainer.batch": 8,
    "growth.count": 4,
    "growth.wave": 2,
    "growth.seed_epochs": 1,
    "growth.child_epochs": 1,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
}
RUNS: dict[str, dict[str, Any]] = {
    "petridish": {"growth": "petridish", "updater": "xnas", "settings": GROWING},
    "random": {"growth": "random", "settings": {**DATA, "growth.count": 4, "ranking.epochs": 2}},
    "evolution": {
        "growth": "evolution",
        "settings": {**DATA, "growth.count": 5, "growth.population": 3, "ranking.epochs": 1},
    },
}
TINY = {"space": "tiny", "dataset": "synthetic", "scale": "mini"}


class Heard(Observer):
    """Notes the events of jobs and epochs."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def job_started(self, *details: Any) -> None:
        self.events.append(("job_started", *details))

    def phase_started(self, *details: Any) -> None:
        self.events.append(("phase_started", *details))

    def epoch_finished(self, report: Any) -> None:
        self.events.append(("epoch_finished", report.phase, report.epoch, report.step, report.loss))

    def job_finished(self, name: str, result: Any) -> None:
        self.events.append(("job_finished", name, dict(result)))


def searched(name: str, out: Path, **given: Any) -> Path:
    settings = {**RUNS[name]["settings"], **given.pop("settings", {})}
    path: Path = nascore.search(**{**TINY, **RUNS[name], **given, "settings": settings}, out=out).path
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return runs by the name of the mix and of the executor, each made once, with the events of its jobs."""
    folder = tmp_path_factory.mktemp("made")
    known: dict[tuple[str, str], tuple[Path, Heard]] = {}

    def make(name: str, executor: str) -> tuple[Path, Heard]:
        if (name, executor) not in known:
            heard = Heard()
            path = searched(name, folder / executor / name, executor=executor, observers=[heard])
            known[name, executor] = path, heard
        return known[name, executor]

    return make


def unequal(one: Path, other: Path) -> list[str]:
    """Return the files that differ, but for the name of the executor, and those of flags or arguments."""
    free = {"environment.json", "origins.json"}
    return [name for name in differences(one, other) if name not in free]


@pytest.mark.parametrize("name", RUNS)
def test_the_files_are_those_of_one_process(name, made):
    (serial, _), (processes, _) = made(name, "serial"), made(name, "processes")
    assert unequal(serial, processes) == []
    assert json.loads((processes / "environment.json").read_text())["executor"] == {
        "name": "processes",
        "settings": {"workers": 2},
    }
    assert "executor" not in (processes / "recipe.yaml").read_text()
    assert not list(processes.rglob(".*"))


@pytest.mark.parametrize("name", ["petridish", "random"])
def test_observers_hear_of_jobs_in_other_processes(name, made):
    """They hear what they hear of jobs in this process, but for the steps, and in the order of the jobs."""
    (_, serial), (_, processes) = made(name, "serial"), made(name, "processes")
    assert processes.events == serial.events
    assert {one[0] for one in serial.events} == {
        "job_started",
        "phase_started",
        "epoch_finished",
        "job_finished",
    }


def test_a_run_folder_has_the_lines_of_its_jobs_in_their_order(made):
    run, _ = made("petridish", "processes")
    jobs = sorted((run / "jobs").iterdir())
    lines = [line for job in jobs for line in (job / "metrics.jsonl").read_text().splitlines()]
    assert (run / "metrics.jsonl").read_text().splitlines() == lines
    assert [json.loads(line)["job"] for line in lines] == sorted(json.loads(line)["job"] for line in lines)
    assert 'parent_folder: "jobs/0001-train"\n' in (jobs[1] / "job.yaml").read_text()


PLUGIN = """
import os
import signal
import time
from pathlib import Path

from nascore.api import Component, hookimpl
from nascore.builtin.updaters import Uniform

FOLDER = Path({folder!r})


def die():
    file = FOLDER / str(len(os.listdir(FOLDER)))
    if int(file.name) < {deaths}:
        file.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def meet():
    (FOLDER / str(os.getpid())).touch()
    end = time.monotonic() + 60
    while len(os.listdir(FOLDER)) < 2:
        if time.monotonic() > end:
            raise RuntimeError("nobody else came")
        time.sleep(0.05)


class Special(Uniform):
    def strength(self, state, expected):
        {action}()
        return super().strength(state, expected)


@hookimpl
def nascore_updaters():
    yield Component(name="special", slot="updater", summary="A test's.", build=Special)
"""


def special(tmp_path: Path, action: str, deaths: int = 0) -> tuple[Path, Path]:
    """Return a plugin with an updater that does this when it has learned, and the folder of its marks."""
    marks, plugin = tmp_path / "marks", tmp_path / "special.py"
    marks.mkdir()
    plugin.write_text(PLUGIN.format(folder=str(marks), action=action, deaths=deaths))
    return plugin, marks


def test_a_job_whose_worker_is_killed_is_done_again(tmp_path):
    plugin, marks = special(tmp_path, "die", deaths=2)
    given = {"updater": "special", "plugins": [plugin]}
    run = searched("petridish", tmp_path / "processes", executor="processes", **given)
    assert len(list(marks.iterdir())) == 2
    changes = [json.loads(line) for line in (run / "changes.jsonl").read_text().splitlines()]
    assert [line["event"] for line in changes] == ["worker died"] * 2
    assert "signal 9" in changes[0]["error"]
    assert unequal(searched("petridish", tmp_path / "serial", **given), run) == []


def test_two_jobs_of_a_wave_are_done_at_the_same_time(tmp_path):
    """Each waits for the other; one after the other, they would fail."""
    plugin, marks = special(tmp_path, "meet")
    given = {"updater": "special", "plugins": [plugin], "settings": {"growth.count": 3}}
    run = searched("petridish", tmp_path / "run", executor="processes", **given)
    assert len(list(marks.iterdir())) == 2
    assert len(read(run).gallery) == 3


@pytest.mark.parametrize(("executor", "settings"), [("serial", {}), (None, {"executor.workers": 1})])
def test_a_killed_driver_is_resumed_by_any_executor(executor, settings, made, tmp_path):
    whole, _ = made("random", "serial")
    settings_of_run = {**RUNS["random"]["settings"], "executor.workers": 2}
    line = ["search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", "--growth", "random"]
    line += ["--executor", "processes", *words(settings_of_run), "--out", "run", "--checkpoint-every", "0s"]
    with subprocess.Popen(
        [sys.executable, "-m", "nascore", *line], cwd=tmp_path, stderr=subprocess.DEVNULL
    ) as process:
        results = tmp_path / "run" / "jobs"
        until(lambda: any(results.glob("*/result.json")) and any(results.glob("0003*/checkpoint-*")))
        workers = children_of(process.pid)
        os.kill(workers[0], signal.SIGKILL)
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{one}").exists() for one in workers))
    run = tmp_path / "run"
    over = {file: file.stat().st_mtime_ns for file in run.glob("jobs/*/result.json")}
    assert 1 <= len(over) < 4

    nascore.resume(run, executor=executor, settings=settings, observers=[Heard()])
    assert {file: file.stat().st_mtime_ns for file in over} == over
    assert unequal(whole, run) == []
    assert read(run).status == "done"


class Late:
    """An executor whose first job seems to end after all others; it does jobs by their plain values."""

    workers = 2
    in_process = False
    slow = False
    deadly = 0
    refused = 0

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.first: Future[dict[str, Any]] = Future()

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        self.jobs.append(job)
        future: Future[dict[str, Any]] = Future()
        if job.number == self.deadly:
            future.set_exception(BrokenExecutor("it was killed"))
            return future
        if job.number == self.refused:
            future.set_exception(RuntimeError("the queue is full"))
            return future
        answer = json.loads(json.dumps(Job(**json.loads(json.dumps(job.plain())))()))
        if self.slow and job.number == 1:
            self.first, self.answer = future, answer
            return future
        future.set_result(answer)
        if self.slow and job.number == 4:
            Timer(1.0, self.first.set_result, [self.answer]).start()
        return future

    def close(self) -> None:
        pass


@pytest.fixture
def late(made, monkeypatch):
    """Let growth runs use a late executor; returns it."""
    made("random", "serial")  # by its own executor
    executor = Late()
    monkeypatch.setattr("nascore.engine.growth.build_executor", lambda _: executor)
    return executor


def test_results_enter_the_gallery_in_the_order_of_the_jobs(late, made, tmp_path, monkeypatch):
    whole, _ = made("random", "serial")
    late.slow, ended = True, []
    end = WaveJobs._end
    monkeypatch.setattr(
        WaveJobs, "_end", lambda self, job, outcome: (ended.append(job.number), end(self, job, outcome))[1]
    )
    run = searched("random", tmp_path / "run", observers=[Heard()])
    assert ended == [2, 3, 4, 1]
    assert [entry.id for entry in read(run).gallery] == [1, 2, 3, 4]
    assert unequal(whole, run) == []
    assert [job.threads for job in late.jobs] == [1] * 4


def test_a_job_whose_worker_always_dies_is_recorded_as_failed(late, tmp_path):
    late.deadly = 2
    run = searched("random", tmp_path / "run")
    error = "its worker died 3 times; the last time it was killed"
    assert json.loads((run / "jobs/0002-train/result.json").read_text())["error"] == error
    result = read_result(run)
    assert result is not None
    assert result["failures"] == {"0002-train": error}
    assert [entry.id for entry in read(run).gallery] == [1, 3, 4]
    changes = [json.loads(line)["event"] for line in (run / "changes.jsonl").read_text().splitlines()]
    assert changes == ["worker died", "worker died", "job failed"]


def test_a_job_that_the_executor_could_not_do_is_done_when_the_run_is_resumed(late, made, tmp_path):
    whole, _ = made("random", "serial")
    late.refused = 2
    with pytest.raises(RunFailed, match="the executor could not do job 2: RuntimeError: the queue is full"):
        searched("random", tmp_path / "run")
    assert read(tmp_path / "run").status == "failed"
    late.refused = 0
    nascore.resume(tmp_path / "run", observers=[Heard()])
    assert unequal(whole, tmp_path / "run") == []


def test_a_process_reads_the_data_of_a_run_once(late, tmp_path, monkeypatch):
    del late
    read_runs = []
    read_run = growth_jobs._read_run
    monkeypatch.setattr(
        growth_jobs,
        "_read_run",
        lambda *given, **named: (read_runs.append(given[0]), read_run(*given, **named))[1],
    )
    run = searched("random", tmp_path / "run", settings={"growth.count": 3, "ranking.epochs": 1})
    assert read_runs == [run]


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("budget", ["5steps", "3jobs"])
def test_a_budget_holds_over_all_jobs(budget, made, tmp_path):
    whole, _ = made("random", "serial")
    run, pieces = tmp_path / "run", 0
    while not pieces or read(run).status != "done":
        with suppress(RunStopped):
            if pieces:
                nascore.resume(run, budget=budget, observers=[Heard()])
            else:
                searched("random", run, budget=budget)
        pieces += 1
    steps = sum(entry.steps for entry in read(run).gallery)
    # No piece does more than its budget, and none less but the last.
    assert pieces == {"5steps": -(-steps // 5), "3jobs": 2}[budget]
    assert unequal(whole, run) == []


def test_a_fault_of_a_plugin_in_another_process_ends_the_run(late, tmp_path):
    del late
    plugin = tmp_path / "bad.py"
    plugin.write_text(BAD)
    with pytest.raises(
        PluginError, match="bad closed a proposal, but the result has an open choice"
    ) as caught:
        searched("petridish", tmp_path / "run", growth="bad", plugins=[plugin])
    assert caught.value.exit_code == 4
    assert read(tmp_path / "run").status == "failed"


BAD = """
from nascore.api import Component, hookimpl
from nascore_petridish.policy import Petridish
from nascore_petridish.settings import GrowthSettings


class Bad(Petridish):
    def close(self, opened, strength):
        return opened


@hookimpl
def nascore_growths():
    yield Component(
        name="bad", slot="growth", summary="A test's.", config=GrowthSettings, build=Bad,
        provides=("grows", "shadows"),
    )
"""


def do_job(run: Path, number: int) -> dict[str, Any]:
    plugins: dict[str, list[str]] = {"files": [], "without": [], "only": []}
    given: dict[str, Any] = {"every": 600.0, "budget": None, "on_nan": "stop", "plugins": plugins}
    return growth_jobs.do_job(str(run), number, **given, accepted=[])


def test_a_job_that_is_over_is_not_done_again(made):
    run, _ = made("random", "serial")
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    assert do_job(run, 2)["status"] == "done"
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before


def test_a_job_that_another_process_does_is_left_alone(made, tmp_path, monkeypatch):
    run = Path(shutil.copytree(made("random", "serial")[0], tmp_path / "run"))
    (run / "jobs/0002-train/result.json").unlink()
    monkeypatch.setattr(job_folder, "PATIENCE", 0.1)
    held = open_job(run / "jobs/0002-train")
    outcome = do_job(run, 2)
    held.close()
    assert outcome["status"] == "unusable"
    assert outcome["cause"]["class"] == "RunFolderError"
    assert "is in use" in outcome["cause"]["problems"][0]["text"]
    assert do_job(run, 2)["status"] == "done"
    assert unequal(made("random", "serial")[0], run) == []


def test_other_images_are_refused_unless_they_are_accepted(made, tmp_path):
    run = Path(shutil.copytree(made("random", "serial")[0], tmp_path / "run"))
    (run / "jobs/0002-train/result.json").unlink()
    (run / "checksums.jsonl").unlink()
    known = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps({**known, "data": "0" * 40}))
    outcome = do_job(run, 2)
    assert outcome["status"] == "unusable"
    assert "synthetic has other training images here" in outcome["cause"]["problems"][0]["text"]


def test_an_executor_has_no_effect_on_a_search_in_one_supernet(tmp_path):
    done = cli(
        *("search", "--space", "tiny", "--updater", "uniform", "--dry-run"),
        *("--executor", "processes"),
    )
    assert done.exit_code == 0
    assert "executor: processes has no effect: a search in one supernet has two jobs" in done.stderr
    assert "from --executor processes" in done.stderr
    grown = cli("search", "--space", "tiny", "--growth", "random", "--executor", "processes", "--dry-run")
    assert "has no effect: a search" not in grown.stderr
    with pytest.raises(RecipeError, match=r"updater\.lr.*is no setting of the executor"):
        nascore.resume(tmp_path, settings={"updater.lr": 1})


def test_watch_shows_the_jobs_of_other_processes(made, tmp_path):
    run = Path(shutil.copytree(made("random", "processes")[0], tmp_path / "run"))
    (run / "result.json").unlink()
    for number in (2, 3):
        (run / f"jobs/000{number}-train/result.json").unlink()
    os.utime(run / "jobs/0002-train/metrics.jsonl")
    progress = progress_of(run)
    assert (progress.job, progress.under_way, progress.epoch) == (2, (2, 3), 2)
    assert "under way  jobs 2, 3" in cli("watch", run, "--once").stdout
