"""A run whose driver is stopped or killed: no process of Ray is left, and the run is resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from comparison_runs import SMALL, words
from ray_samples import STORE, by_serial, different, finished, ray_processes, under_way, until

import nascore
from nascore.run import read_result

LONG = {**SMALL, "trainer.epochs": 8, "ranking.epochs": 2}
SEARCH = [
    *("search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", "--updater", "uniform,sgd"),
    *(
        "--seeds",
        "0..1",
        "--executor",
        "ray",
        "--out",
        "run",
        "--set",
        f"executor.object_store_memory={STORE}",
    ),
    *words(LONG),
]


def stopped(folder, command, number, jobs):
    """Stop a run when so many jobs are over and another is under way; returns its exit code and stderr."""
    line = [sys.executable, "-m", "nascore", *command, "--checkpoint-every", "0s"]
    with subprocess.Popen(line, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: len(finished(folder / "run")) >= jobs and under_way(folder / "run"))
        os.kill(process.pid, number)
        _, text = process.communicate(timeout=120)
    until(lambda: not ray_processes(folder), seconds=30)
    return process.returncode, text


@pytest.mark.parametrize(
    ("number", "jobs", "code"),
    [
        (signal.SIGKILL, 1, -signal.SIGKILL),
        pytest.param(signal.SIGINT, 0, 130, marks=pytest.mark.slow),
    ],
)
def test_a_run_whose_driver_ends_leaves_no_process_and_is_resumed(number, jobs, code, tmp_path, monkeypatch):
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"

    ended, text = stopped(tmp_path, SEARCH, number, jobs)
    assert ended == code, text
    if number == signal.SIGINT:
        assert "Resume it: nascore resume run" in text
        assert read_result(run)["status"] == "interrupted"
    done = finished(run)
    assert jobs <= len(done) < 4

    nascore.resume(run)
    assert done.items() <= finished(run).items()  # not done twice
    whole = run.rename(tmp_path / "whole")
    serial = by_serial(run, LONG, seeds=[0, 1])
    # The command line and Python differ in no file of a job but the origins of its values.
    assert [name for name in different(serial, whole) if not name.endswith("origins.json")] == []
