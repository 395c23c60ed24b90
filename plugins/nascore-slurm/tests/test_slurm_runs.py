"""Comparisons by the executor `slurm`, whose jobs are processes of this machine: the files of one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from comparison_runs import SMALL, SMALL_EVALUATION, words
from resumed_runs import differences
from slurm_samples import GIVEN, LOCAL, by_slurm, events, until

import nascore
from nascore.run import read_result

PLUGIN = """
import os
import signal
from pathlib import Path

from nascore.api import Component, hookimpl
from nascore.builtin.updaters import Uniform


class OddError(Exception):
    def __init__(self, one, other):
        super().__init__(f"{{one}} {{other}}")


class Bad(Uniform):
    def strength(self, state, expected):
        raise OddError("no", "more")


class Dying(Uniform):
    def strength(self, state, expected):
        mark = Path({mark!r})
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.{signal})
        return super().strength(state, expected)


@hookimpl
def nascore_updaters():
    yield Component(name="bad", slot="updater", summary="Fails.", build=Bad)
    yield Component(name="dying", slot="updater", summary="Ends its process once.", build=Dying)
"""


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)


def test_the_files_are_those_of_one_process(tmp_path, capfd):
    run = tmp_path / "run"
    _, different = by_slurm(run, settings=SMALL_EVALUATION, updater="uniform", evaluate=True)
    assert different == []
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def dying(tmp_path):
    """Return a function that writes a plugin whose updater ends its process once, while a file is missing."""

    def write(number):
        plugin, mark = tmp_path / "plugin.py", tmp_path / "mark"
        plugin.write_text(PLUGIN.format(mark=str(mark), signal=number.name))
        mark.touch()  # the executor `serial` would end this process
        return {"plugins": [plugin], "between": mark.unlink}

    return write


def test_failures_come_back_as_text_and_a_job_that_died_is_done_again(dying, tmp_path):
    run = tmp_path / "run"
    _, different = by_slurm(run, updater=["bad", "dying"], **dying(signal.SIGKILL))
    assert list(read_result(run)["failures"].values()) == ["OddError: no more"]
    (death,) = events(run, "worker died")
    assert death["error"].startswith("its job ")
    logs = [name for name in different if name.startswith("slurm/")]
    assert {name.partition("_")[2] for name in logs} == {"0_log.out", "0_log.err"}
    assert different == logs


def test_a_job_that_reaches_its_time_limit_is_saved_and_done_again(dying, tmp_path):
    """Slurm sends USR2 some time before the limit."""
    run = tmp_path / "run"
    _, different = by_slurm(run, updater="dying", **dying(signal.SIGUSR2))
    assert different == []
    (death,) = events(run, "worker died")
    assert death["error"] == "its process was told to stop (SIGTERM)"
    assert len(events(run / "jobs/0001-tiny-dying_s0", "resumed")) == 1


LONG = {**SMALL, "trainer.epochs": 8, "ranking.epochs": 2}


def under_way(run):
    return len(list((run / "jobs").glob("*/**/checkpoint-*.pt"))) > 0


@pytest.mark.slow
def test_jobs_are_saved_when_the_run_is_stopped(tmp_path):
    run = tmp_path / "run"
    nascore.search_several(**GIVEN, settings=LONG, out=run)
    serial = run.rename(tmp_path / "serial")

    def stop():
        until(lambda: under_way(run))
        os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(target=stop)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        nascore.search_several(
            **GIVEN, settings={**LONG, **LOCAL}, executor="slurm", out=run, checkpoint_every="0s"
        )
    thread.join()
    states = {
        read_result(job)["status"] for job in (run / "jobs").iterdir() if (job / "result.json").exists()
    }
    assert "interrupted" in states
    assert states <= {"interrupted", "done"}

    nascore.resume(run)
    assert [name for name in differences(serial, run) if name != "environment.json"] == []


def test_jobs_on_this_machine_end_with_a_driver_that_is_killed(tmp_path):
    long = {**SMALL, **LOCAL, "executor.workers": 1, "trainer.epochs": 1000}
    search = [
        "search",
        "--space",
        "tiny",
        "--dataset",
        "synthetic",
        "--scale",
        "mini",
        "--updater",
        "uniform",
    ]
    how = ["--seeds", "0,1", "--executor", "slurm", "--out", "run", "--checkpoint-every", "0s"]
    line = [sys.executable, "-m", "nascore", *search, *how, *words(long)]
    with subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        until(lambda: under_way(tmp_path / "run"))
        assert processes(tmp_path)
        process.kill()
    until(lambda: not processes(tmp_path), seconds=30)


def processes(folder):
    """Return the processes of submitit whose working folder is one."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink() == folder and b"submitit" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found
