"""`nascore watch`: the progress of a run from its folder alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attrs import evolve
from command_line import cli
from failing_plugins import UNIFORM

import nascore
from nascore.api import Observer
from nascore.cli import live, watch
from nascore.errors import RunFolderError
from nascore.run import begin_job, create, lock, read, reading
from nascore.run.lock import FRESH
from nascore.verbs import watch as verb
from nascore.verbs.runs import runs
from nascore.verbs.watch import Progress, progress_of


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watch, "PERIOD", 0.02)


def begun(age=0.0):
    """Make the folder of a run that a process does, with one epoch; returns it."""
    folder = create("x", out=Path("run"))
    folder.document("recipe.yaml", "nascore: 1\n")
    folder.log("begun")
    folder.metric({"job": 2, "phase": "train", "epoch": 0, "epochs": 3, "loss": 1.5, "accuracy": 0.25})
    past = time.time() - age
    for name in ("metrics.jsonl", "run.log"):
        os.utime(folder / name, (past, past))
    return folder


def test_once_shows_the_state_of_a_finished_run():
    assert cli(*UNIFORM).exit_code == 0
    done = cli("watch", "run", "--once")
    assert done.exit_code == 0
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (rows["run"], rows["status"], rows["job"], rows["epoch"]) == ("run", "done", "2", "train 1 of 1")
    assert rows["gallery"].startswith("1 architecture, the best with")
    plain = json.loads(cli("watch", "run", "--once", "--json").stdout)
    assert plain["gallery"] == 1
    assert plain["accuracy"] == read(Path("run")).metrics()[-1]["validation_accuracy"]


def test_a_finished_run_ends_the_view():
    assert cli(*UNIFORM).exit_code == 0
    done = cli("watch", "run")
    assert done.exit_code == 0
    assert "status  " in done.stdout
    assert done.stderr.startswith("status done, job 2, epoch train 1 of 1, loss ")


def test_a_run_of_another_process_is_shown_until_it_ends():
    words = [word.replace("trainer.epochs=3", "trainer.epochs=30") for word in UNIFORM]
    process = subprocess.Popen(
        [sys.executable, "-m", "nascore", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 120
    while not Path("run/recipe.yaml").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    seen = [*nascore.watch("run", period=0.02)]
    assert process.wait(timeout=120) == 0
    assert (seen[0].status, seen[-1].status) == ("running", "done")
    assert {one.phase for one in seen} >= {"search"}
    assert [one.epoch for one in seen if one.phase == "search"] == sorted(
        one.epoch for one in seen if one.phase == "search"
    )
    assert seen[-1].gallery == 1


def test_with_json_each_change_is_a_line():
    assert cli(*UNIFORM).exit_code == 0
    lines = cli("watch", "run", "--json").stdout.splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["done"]


def test_a_run_is_under_way_while_its_lock_is_held():
    folder = begun(age=3600)
    found = progress_of(Path("run"))
    assert (found.status, found.job, found.phase, found.epoch, found.epochs) == ("running", 2, "train", 1, 3)
    assert 3500 < found.age < 4000
    folder.close()
    assert progress_of(Path("run")).status == "killed"


def test_a_killed_run_is_called_killed_at_once():
    words = [word.replace("trainer.epochs=3", "trainer.epochs=300") for word in UNIFORM]
    process = subprocess.Popen(
        [sys.executable, "-m", "nascore", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 120
    while not Path("run/metrics.jsonl").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert (progress_of(Path("run")).status, runs("run/..")[0].status) == ("running", "running")
    process.kill()
    process.wait()
    found = progress_of(Path("run"))
    assert (found.status, found.by_age) == ("killed", False)
    assert cli("runs", ".").stdout.splitlines()[1].split()[:2] == ["run", "killed"]


@pytest.mark.parametrize(("age", "status"), [(0, "running"), (2 * FRESH, "killed")])
@pytest.mark.parametrize("owner", ["another machine", ""])
def test_of_a_run_on_another_machine_the_age_of_the_last_line_decides(age, status, owner):
    begun(age).close()
    Path("run/.lock").touch()
    Path("run/.owner").write_text(owner)
    found = progress_of(Path("run"))
    assert (found.status, found.by_age) == (status, True)
    shown = cli("watch", "run", "--once").stdout
    assert f"{status} (judged by the age of the last line, since the run is on another machine)" in shown
    done = cli("runs", ".")
    assert done.stdout.splitlines()[1].split()[:2] == ["run", status]
    assert "1 of 1 on another machine: running or killed is judged by the age of the last line" in done.stderr


def test_a_line_of_a_job_that_another_process_does_counts():
    folder = begun(2 * FRESH)
    job = begin_job(folder, 3, "train", {})
    folder.close()
    (job / "metrics.jsonl").touch()
    assert progress_of(Path("run")).age < FRESH


def test_a_lock_that_cannot_be_tested_leaves_the_age(monkeypatch):
    begun().close()
    Path("run/.lock").touch()
    Path("run/.owner").write_text(lock.machine())

    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr("filelock.FileLock.acquire", refused)
    found = progress_of(Path("run"))
    assert (found.status, found.by_age) == ("running", True)


def test_a_run_that_ends_while_it_is_read_is_not_called_killed(monkeypatch):
    folder = begun()
    asked = reading.activity_of

    def ending(path):
        folder.finish({"kind": "search", "status": "failed", "error": "x"})
        folder.close()
        return asked(path)

    monkeypatch.setattr(reading, "activity_of", ending)
    assert progress_of(Path("run")).status == "failed"


def test_a_clock_that_goes_backwards_makes_no_negative_age():
    begun(age=-500).close()
    assert progress_of(Path("run")).age == 0


def test_a_line_that_is_being_written_is_not_read():
    begun().close()
    with Path("run/metrics.jsonl").open("a") as file:
        file.write('{"job": 2, "epoch": 1')
    assert progress_of(Path("run")).epoch == 1


def test_a_run_that_failed_says_why():
    folder = begun()
    folder.finish({"kind": "search", "status": "failed", "error": "the loss is nan."})
    folder.close()
    done = cli("watch", "run")
    assert done.exit_code == 0
    assert "the loss is nan." in done.stdout


def test_what_is_no_run_is_refused():
    Path("empty").mkdir()
    done = cli("watch", "empty")
    assert done.exit_code == 5
    assert "empty is not a run" in done.stderr


def test_a_reading_that_fails_once_is_repeated_and_one_that_always_fails_is_not(monkeypatch):
    begun()
    right, fails = verb.progress_of, [False, True, False]

    def progress(run):
        if not fails or fails.pop(0):
            raise RunFolderError("it is being replaced")
        return right(run)

    monkeypatch.setattr(verb, "progress_of", progress)
    seen = []
    with pytest.raises(RunFolderError, match="being replaced"):
        seen.extend(nascore.watch("run", period=0.02))
    assert fails == []


def test_the_live_view_shows_the_figures_and_ends_with_the_run(monkeypatch, capsys):
    assert cli(*UNIFORM).exit_code == 0
    monkeypatch.setenv("FORCE_COLOR", "1")
    last = live.show_live(Path("run"), watch.rows, 0.01)
    assert last.status == "done"
    assert "status: done" in capsys.readouterr().err


COMPARED = {
    "space": "tiny",
    "dataset": "synthetic",
    "updater": ["uniform", "sgd"],
    "seeds": [0],
    "scale": "mini",
    "settings": {
        "trainer.epochs": 1,
        "trainer.warm_up": 0,
        "ranking.epochs": 1,
        "dataset.count": 64,
        "dataset.size": 8,
    },
}


class Looking(Observer):
    """Looks at the comparison while its first job is in its second phase."""

    def __init__(self):
        self.seen = None

    def phase_started(self, name, steps, steps_per_epoch):
        del steps, steps_per_epoch
        if name == "train" and self.seen is None:
            self.seen = progress_of(Path("run")), cli("watch", "run", "--once").stdout


def test_a_comparison_shows_its_jobs_and_the_last_line_of_the_running_one():
    looking = Looking()
    nascore.search_several(**COMPARED, observers=[looking], out="run")
    found, shown = looking.seen
    assert [job.status for job in found.jobs] == ["running", "waiting"]
    assert (found.status, found.jobs[0].phase, found.jobs[0].epoch) == ("running", "search", 1)
    rows = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert rows["jobs"] == "0 of 2 done, 1 running, 1 waiting"
    assert rows[found.jobs[0].path.name].startswith("running, job 1, epoch search 1 of 1, loss ")
    assert rows[found.jobs[1].path.name] == "waiting"

    found = progress_of(Path("run"))
    assert (found.status, found.counts) == ("done", {"done": 2})
    plain = json.loads(cli("watch", "run", "--json").stdout)
    assert [job["accuracy"] for job in plain["jobs"]] == [job.accuracy for job in found.jobs]
    result = json.loads((found.jobs[0].path / "result.json").read_text())
    assert found.jobs[0].accuracy == result["validation_accuracy"]
    assert cli("watch", "run").stderr.startswith("status done, jobs 2 of 2 done")


def test_of_many_jobs_those_that_run_or_went_wrong_are_shown():
    jobs = [Progress(path=Path(f"run/jobs/{number:04d}-x"), status="done") for number in range(1, 41)]
    jobs[6] = evolve(jobs[6], status="failed", error="the loss is nan.")
    whole = Progress(path=Path("run"), status="running", jobs=tuple(jobs))
    shown = dict(watch.rows(whole))
    assert shown["jobs"] == "39 of 40 done, 1 failed"
    assert [name for name in shown if name.endswith("-x")] == ["0007-x"]
    assert shown["0007-x"] == "failed, the loss is nan."
