"""The commands of Slurm that the executor calls, with stand-ins that start jobs on this machine."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor

import pytest
from slurm_samples import stand_in, until

from nascore.api import Job
from nascore_slurm import submission
from nascore_slurm.executor import Slurm
from nascore_slurm.settings import SlurmSettings

ECHO = "nascore.contract.jobs:echo"
SLEEP = "nascore.testing.executor:sleep"
DIE = "nascore.testing.executor:die"


@pytest.fixture(autouse=True)
def commands(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{stand_in(tmp_path)}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(submission, "PATIENCE", 1)
    monkeypatch.setattr(submission, "ASK_EVERY", 0.5)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def job(folder, function=ECHO, number=1):
    return Job(function=function, folder=str(folder), number=number, threads=3)


def test_sbatch_gets_the_resources_of_a_job(run, tmp_path):
    settings = SlurmSettings(
        partition="small", time=90 * 60, gpus=2, memory=3, options=("account=lab", "--exclusive")
    )
    executor = Slurm(settings)
    try:
        assert executor.submit(job(run)).result(timeout=120) == {"folder": str(run), "number": 1}
    finally:
        executor.close()
    lines = (tmp_path / "state" / "1.job").read_text().splitlines()
    flags = {line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH --")}
    assert {
        "partition=small",
        "time=90",
        "gpus-per-node=2",
        "mem=3GB",
        "cpus-per-task=3",
        "job-name=nascore-1",
        "account=lab",
        "exclusive",
        "no-requeue",
        "signal=USR2@90",
    } <= flags
    assert list(run.iterdir()) == []  # no logs of a job that succeeded


def test_a_job_that_slurm_lost_is_a_broken_executor_with_its_state_and_its_logs(run):
    executor = Slurm(SlurmSettings())
    try:
        error = executor.submit(job(run, DIE, 7)).exception(timeout=120)
        assert isinstance(error, BrokenExecutor)
        assert "its job 1 ended with the state FAILED" in str(error)
        assert {path.name for path in (run / "slurm").iterdir()} >= {"1_0_log.err", "1_0_log.out"}
    finally:
        executor.close()


def test_jobs_that_a_killed_driver_left_are_cancelled_first(run, tmp_path):
    left, executor = Slurm(SlurmSettings()), Slurm(SlurmSettings())
    state = tmp_path / "state"
    try:
        future = left.submit(job(run, SLEEP))
        until((state / "1.pid").exists)
        until(lambda: list((run / "slurm").glob("*_submitted.pkl")))
        executor.submit(job(run)).result(timeout=120)
        assert (state / "1.cancelled").exists()
        assert (state / "1.end").exists()
        assert not (state / "2.cancelled").exists()
        assert isinstance(future.exception(timeout=120), BrokenExecutor)
    finally:
        executor.close()
        left.close()


def test_jobs_are_cancelled_when_it_is_closed(run, tmp_path):
    executor = Slurm(SlurmSettings(workers=1))
    futures = [executor.submit(job(run, SLEEP)) for _ in range(2)]
    until((tmp_path / "state" / "1.pid").exists)
    executor.close()
    assert (tmp_path / "state" / "1.cancelled").exists()
    assert not (tmp_path / "state" / "2.job").exists()
    assert all(future.done() for future in futures)
