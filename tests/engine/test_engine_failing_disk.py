"""A checkpoint that is interrupted at any file function, or that does not fit, costs no state."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from failing_disk import Faults, Killed, failing
from resumed_runs import differences
from test_engine_resume import budgeted, request_of

import nascore
from nascore.errors import RunFolderError, RunStopped
from nascore.run import read
from nascore.verbs.resume import resume_as_requested
from nascore.verbs.search import search_as_requested

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the test asks Linux for the names of open files"
)
TINY = {
    "dataset.count": 32,
    "trainer.epochs": 2,
    "trainer.batch": 8,
    "ranking.epochs": 1,
    "ranking.batch": 8,
}


def of_checkpoints(path):
    return "checkpoint-" in path


def search(out, *, every=0.0, budget=None, observers=()):
    request = request_of({"updater": "darts"}, TINY)
    return search_as_requested(request, out=out, reporter=budgeted(budget, every), observers=observers)


class Always(Faults):
    """Every call fails."""

    def reach(self, name, path):
        self.at = len(self.calls)
        super().reach(name, path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return search(tmp_path_factory.mktemp("whole") / "run", every=1e9).path


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Return the names of all calls on checkpoints in a run that saves itself after each step."""
    with pytest.MonkeyPatch.context() as patches, failing(patches, Faults(of_checkpoints)) as faults:
        search(tmp_path_factory.mktemp("calls") / "run")
    return faults.calls


def test_every_file_function_is_reached(calls):
    assert {"open", "write", "flush", "fsync", "chmod", "replace", "unlink"} <= set(calls)
    assert calls.count("replace") == 6


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(slice(0, 6), id="first checkpoint"),
        pytest.param(slice(12, 19), id="third checkpoint"),
        pytest.param(slice(None), id="all", marks=pytest.mark.slow),
    ],
)
def test_a_checkpoint_interrupted_at_any_call_leaves_a_run_that_resumes(
    points, whole, calls, tmp_path, monkeypatch
):
    """A copy of the folder at the moment of the call is what a killed process leaves."""
    run, left = tmp_path / "run", tmp_path / "left"
    for at, name in [*enumerate(calls)][points]:
        faults = Faults(
            of_checkpoints, at, failed=lambda: shutil.copytree(run, left, ignore=lambda *_: [".lock"])
        )
        with pytest.raises(Killed), failing(monkeypatch, faults):
            search(run)
        assert read(left).status == "killed"
        resume_as_requested(left)
        assert differences(whole, left) == [], (at, name)
        shutil.rmtree(run)
        shutil.rmtree(left)


@pytest.mark.parametrize("at", range(6))
def test_a_checkpoint_that_does_not_fit_does_not_end_the_run(at, whole, calls, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with failing(monkeypatch, Faults(of_checkpoints, at, killing=False)):
        search(run)
    assert differences(whole, run) == []
    log = (run / "run.log").read_text()
    assert (
        "the run cannot write this file: the disk is full. The run continues, and tries again later" in log
    ), calls[at]


def test_a_last_checkpoint_that_does_not_fit_is_saved_elsewhere(whole, tmp_path, monkeypatch):
    run = tmp_path / "run"

    def in_run(path):
        return of_checkpoints(path) and str(run) in path

    with (
        failing(monkeypatch, Always(in_run, killing=False)),
        pytest.raises(RunFolderError, match="the state of the run is saved in") as caught,
    ):
        search(run, every=1e9, budget="3steps")
    assert caught.value.exit_code == 5
    assert f"nascore resume {run}" in str(caught.value)
    assert read(run).status == "failed"
    path = Path(str(caught.value).partition("is saved in ")[2].split(". ")[0])
    shutil.move(path, run / "jobs/0001-search")
    path.parent.rmdir()
    resume_as_requested(run)
    assert differences(whole, run) == []


def test_a_state_that_fits_nowhere_goes_back_to_the_checkpoint_before(tmp_path, monkeypatch):
    with (
        failing(monkeypatch, Always(of_checkpoints, killing=False)),
        pytest.raises(RunFolderError, match=r"(?s)disk is full.*The state is lost.*the checkpoint before"),
    ):
        search(tmp_path / "run", every=1e9, budget="3steps")


def test_a_result_finds_the_room_of_the_reserve(tmp_path, monkeypatch):
    """The disk is full from the first epoch on; only as much as the run itself removes becomes free."""
    run = tmp_path / "run"

    class Disk(Faults):
        def reach(self, name, path):
            if name == "open" and (run / ".reserve").exists() and (run / "metrics.jsonl").exists():
                self.at = len(self.calls)
            else:
                self.at = None
            super().reach(name, path)

    with (
        failing(monkeypatch, Disk(lambda path: "weights" in path or "result" in path, killing=False)),
        pytest.raises(RunFolderError, match="the disk is full"),
    ):
        search(run, every=1e9)
    assert json.loads((run / "result.json").read_text())["status"] == "failed"
    assert not (run / ".reserve").exists()
    nascore.resume(run)
    assert read(run).status == "done"


def test_a_folder_that_is_removed_in_mid_run_is_not_made_again(tmp_path):
    run = tmp_path / "run"

    class Remover(nascore.api.Observer):
        def epoch_finished(self, report):
            if report.epoch == 1:
                shutil.rmtree(run)

    with pytest.raises(RunFolderError, match="the folder of the run is gone") as caught:
        search(run, observers=[Remover()])
    assert caught.value.exit_code == 5
    assert not run.exists()
    assert caught.value.__notes__ == [f"The folder of the run is gone: {run}"]


def test_a_clock_that_goes_backwards_changes_nothing(whole, tmp_path, monkeypatch):
    times = iter(range(10**9, 0, -3600))

    def now():
        return datetime.fromtimestamp(next(times), UTC)

    monkeypatch.setattr("nascore.run.folder._now", now)
    monkeypatch.setattr("nascore.run.atomic.time", lambda: float(next(times)))
    run = tmp_path / "run"
    with suppress(RunStopped):
        search(run, every=1e9, budget="3steps")
    assert read(run).status == "stopped"
    resume_as_requested(run)
    assert differences(whole, run) == []
