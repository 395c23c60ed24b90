"""The executor `processes`, with jobs and workers that misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor
from typing import Any

import pytest

from nascore.builtin.components import ProcessesSettings
from nascore.builtin.executors import Processes
from nascore.contract import Job

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


def process_of(folder: str, number: int) -> dict[str, Any]:
    """Return the process that does a job."""
    del folder, number
    return {"process": os.getpid()}


def stdin_of(folder: str, number: int) -> dict[str, Any]:
    """Return what a program that a job starts reads from its stdin."""
    del folder, number
    program = "import sys; print(repr(sys.stdin.read()))"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True)
    return {"read": done.stdout.strip()}


def die_with_child(folder: str, number: int) -> dict[str, Any]:
    """Die, while a child lives on for a while with the streams of the job."""
    del number
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open(os.path.join(folder, "child"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123 - short
        file.write(str(child.pid))
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


@pytest.fixture
def executor():
    made = Processes(ProcessesSettings(workers=1))
    yield made
    made.close()


def job(name: str, folder: object = "") -> Job:
    return Job(function=f"{__name__}:{name}", folder=str(folder), number=1)


@posix
def test_a_worker_that_died_between_two_jobs_is_replaced(executor):
    first = executor.submit(job("process_of")).result(120)["process"]
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert executor.submit(job("process_of")).result(120)["process"] != first


def test_a_program_that_a_job_starts_has_no_stdin(executor):
    assert executor.submit(job("stdin_of")).result(120) == {"read": "''"}


@posix
def test_a_child_that_outlives_a_worker_holds_up_nobody(executor, tmp_path):
    future = executor.submit(job("die_with_child", tmp_path))
    try:
        with pytest.raises(BrokenExecutor, match="its process ended with signal 9"):
            future.result(30)
    finally:
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)
