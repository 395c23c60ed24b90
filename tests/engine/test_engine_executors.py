"""Several searches in processes: the files of one process, whatever ends first, stops or dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from comparison_runs import SMALL, SMALL_EVALUATION, TINY, words
from resumed_runs import differences

import nascore
from nascore.cli import main
from nascore.comparison import read_plan
from nascore.contract import Observer
from nascore.engine.job_queue import JobQueue, QueuedJob
from nascore.errors import RecipeError
from nascore.run import Budget, BudgetSpentError, RunControl, read_result

if TYPE_CHECKING:
    from nascore.engine.job_queue import Outcome

GIVEN: dict[str, Any] = {**TINY, "updater": ["uniform", "sgd"], "seeds": [0, 1]}
IN_PROCESSES = {"executor": "processes"}

DYING = """
import os
import signal
from pathlib import Path

from nascore.api import Component, hookimpl
from nascore.builtin.updaters import Uniform


class Dying(Uniform):
    def strength(self, state, expected):
        file = Path({counts!r}) / str(len(os.listdir({counts!r})))
        if int(file.name) < {deaths}:
            file.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().strength(state, expected)


@hookimpl
def nascore_updaters():
    yield Component(name="dying", slot="updater", summary="Kills its process.", build=Dying)
"""


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)


def compared(out: Path, **given: Any) -> Any:
    """Return the differences to a comparison by the executor `serial` that was made in the same folder."""
    settings = {**SMALL, **given.pop("settings", {})}
    serial = out.parent / "away" / "serial"  # beside the other, its evaluations would be counted there
    if not serial.exists():
        nascore.search_several(**{**GIVEN, **given, "settings": settings}, out=out)
        serial.parent.mkdir()
        out.rename(serial)
    found = nascore.search_several(**{**GIVEN, **given, "settings": settings}, **IN_PROCESSES, out=out)
    return found, [name for name in differences(serial, out) if name != "environment.json"]


def test_the_files_are_those_of_one_process(tmp_path):
    out = tmp_path / "run"
    found, different = compared(out, evaluate=True, settings=SMALL_EVALUATION)

    assert different == []
    assert [row.label for row in found.rows] == ["uniform", "sgd"]
    known = [
        json.loads((tmp_path / name / "environment.json").read_text()) for name in ("away/serial", "run")
    ]
    assert [one.pop("executor")["name"] for one in known] == ["serial", "processes"]
    assert known[0] == known[1]
    # The recipe of a job does not depend on where it is done.
    assert "executor" not in (out / read_plan(out).jobs[0].folder / "recipe.yaml").read_text()


SAME = """
import torch

from nascore.api import Component, hookimpl
from nascore.builtin.updaters import Uniform


class Same(Uniform):
    def strength(self, state, expected):
        ranks = {name: torch.arange(one.numel()).reshape(one.shape) + 1.0 for name, one in expected.items()}
        return {name: ranks[name] * (one > 0) for name, one in expected.items()}


@hookimpl
def nascore_updaters():
    yield Component(name="same", slot="updater", summary="Finds one architecture.", build=Same)
"""


def test_tests_of_one_architecture_are_counted_in_the_order_of_the_plan(tmp_path):
    plugin = tmp_path / "same.py"
    plugin.write_text(SAME)
    given = {"updater": "same", "seeds": [0, 1, 2], "evaluate": True, "plugins": [plugin]}
    out = tmp_path / "run"
    _, different = compared(out, **given, settings=SMALL_EVALUATION)
    evaluations = [job for job in read_plan(out).jobs if job.of]
    assert [read_result(out / job.folder)["test_opened"] for job in evaluations] == [1, 2, 3]
    assert different == []


def test_failures_come_back_as_text(tmp_path):
    plugin = tmp_path / "bad.py"
    plugin.write_text(
        "from nascore.api import Component, hookimpl\n"
        "from nascore.builtin.updaters import Uniform\n\n\n"
        "class OddError(Exception):\n"
        "    def __init__(self, one, other):\n"
        "        super().__init__(f'{one} {other}')\n\n\n"
        "class Bad(Uniform):\n"
        "    def strength(self, state, expected):\n"
        "        raise OddError('no', 'more')\n\n\n"
        "@hookimpl\n"
        "def nascore_updaters():\n"
        "    yield Component(name='bad', slot='updater', summary='Fails.', build=Bad)\n"
    )
    out = tmp_path / "run"
    _, different = compared(out, updater=["uniform", "bad"], plugins=[plugin])
    assert different == []
    failures = read_result(out)["failures"]
    assert list(failures.values()) == ["OddError: no more"] * 2
    assert "Traceback" in (out / "run.log").read_text()


@pytest.mark.parametrize(("deaths", "ended"), [(2, "done"), (6, "failed")])
def test_a_job_whose_process_dies_is_done_again_twice_at_most(deaths, ended, tmp_path):
    counts = tmp_path / "counts"
    counts.mkdir()
    plugin = tmp_path / "dying.py"
    plugin.write_text(DYING.format(counts=str(counts), deaths=deaths))
    out = tmp_path / "run"
    given = {**GIVEN, "updater": "dying", "seeds": [0]}
    call = {"settings": SMALL, "plugins": [plugin], "out": out, **IN_PROCESSES}
    if ended == "failed":
        with pytest.raises(nascore.api.RunFailed, match="its worker died 3 times"):
            nascore.search_several(**given, **call)
        assert len(list(counts.iterdir())) == 3
    else:
        nascore.search_several(**given, **call)
    assert read_result(out)["status"] == ended
    changes = [json.loads(line) for line in (out / "changes.jsonl").read_text().splitlines()]
    assert [line["event"] for line in changes].count("worker died") == 2
    assert "signal 9" in changes[0]["error"]


@pytest.mark.parametrize("budget", ["11steps", "3jobs"])
def test_a_budget_holds_over_all_processes(budget, tmp_path):
    out = tmp_path / "run"
    nascore.search_several(**GIVEN, settings=SMALL, out=out)
    out.rename(tmp_path / "serial")
    nascore.search_several(**GIVEN, settings=SMALL, **IN_PROCESSES, out=out, budget=budget)
    pieces = 1
    while read_result(out)["status"] != "done":
        assert read_result(out)["status"] == "stopped"
        nascore.resume(out, budget=budget)
        pieces += 1
    # 4 searches of 8 steps and 2 jobs: no piece does more than its budget.
    assert pieces == {"11steps": 3, "3jobs": 3}[budget]
    different = [name for name in differences(tmp_path / "serial", out) if name != "environment.json"]
    assert different == []


def test_observers_that_are_objects_are_refused(tmp_path):
    with pytest.raises(
        RecipeError, match="in other processes, where the objects in `observers` cannot watch"
    ):
        nascore.search_several(
            **GIVEN, settings=SMALL, **IN_PROCESSES, out=tmp_path / "run", observers=[Observer()]
        )
    assert not (tmp_path / "run").exists()


COMMAND = [
    *("search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", "--updater", "uniform,sgd"),
    *("--seeds", "0..1", "--executor", "processes", "--out", "run"),
]


def test_the_command_line_names_each_job_as_it_begins_and_ends():
    done = CliRunner().invoke(main, [*COMMAND, *words(SMALL)])
    assert done.exit_code == 0, done.stderr
    lines = done.stderr.splitlines()
    for number, job in enumerate(
        ("uniform, seed 0", "sgd, seed 0", "uniform, seed 1", "sgd, seed 1"), start=1
    ):
        begun, ended = f"{number} of 4: {job}", f"{number} of 4: {job}: done"
        assert lines.count(begun) == 1
        assert lines.index(begun) < lines.index(ended)


def children_of(process: int) -> list[int]:
    """Return the numbers of the processes that a process began."""
    stats = (path.read_text() for path in Path("/proc").glob("[0-9]*/stat"))
    fields = ((stat.split(" ", 1)[0], stat.rpartition(")")[2].split()) for stat in stats)
    return [int(number) for number, rest in fields if int(rest[1]) == process]


def until(holds: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_comparison_leaves_no_process_and_is_resumed(number, tmp_path):
    long = {**SMALL, "trainer.epochs": 40, "ranking.epochs": 2}
    line = [sys.executable, "-m", "nascore", *COMMAND, *words(long), "--checkpoint-every", "0s"]
    with subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: len(list((tmp_path / "run").rglob("checkpoint-*.pt"))) >= 2)
        workers = children_of(process.pid)
        assert len(workers) == 2
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=120)
    until(lambda: not any(Path(f"/proc/{one}").exists() for one in workers))
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "Resume it: nascore resume run" in said
        assert read_result(tmp_path / "run")["status"] == "interrupted"

    nascore.resume(tmp_path / "run")
    found = json.loads((tmp_path / "run" / "environment.json").read_text())["executor"]
    assert found == {"name": "processes", "settings": {"workers": 2}}
    (tmp_path / "run").rename(tmp_path / "cut")
    nascore.search_several(**GIVEN, settings=long, out=tmp_path / "run")
    different = [
        name for name in differences(tmp_path / "run", tmp_path / "cut") if name != "environment.json"
    ]
    # The command line and Python differ in no file of a job but the origins of its values.
    assert [name for name in different if not name.endswith("origins.json")] == []


class Lazy:
    """An executor whose jobs end when the test says so."""

    in_process = False

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def submit(self, job: Any) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = job
        return future

    def close(self) -> None:
        pass


def test_shares_of_a_budget_never_exceed_it():
    """Steps that one job leaves go to the next; the last step ends the comparison."""
    control = RunControl(budget=Budget.of("10steps"))
    shares: list[float] = []
    futures: list[Future[dict[str, Any]]] = []
    need = {1: 3, 2: 9, 3: 1, 4: 9}
    made = dict.fromkeys(need, 0)

    def make(queued: QueuedJob[Any]) -> Any:
        assert queued.share is not None
        shares.append(queued.share.amount)
        steps = min(int(queued.share.amount), need[queued.number] - made[queued.number])
        made[queued.number] += steps
        status = "done" if made[queued.number] == need[queued.number] else "stopped"
        future: Future[dict[str, Any]] = Future()
        future.set_result({"status": status, "steps": steps})
        futures.append(future)
        return future

    waiting: list[QueuedJob[Any]] = [QueuedJob(number=one, work=Any, threads=1) for one in need]
    queue = JobQueue(executor=Lazy(2), control=control, waiting=waiting, make=make)
    ended: list[tuple[int, Outcome]] = []

    def run() -> None:
        ended.extend((queued.number, outcome) for queued, outcome in queue.outcomes(lambda _: None))

    with pytest.raises(BudgetSpentError):
        run()
    assert sum(made.values()) == control.steps == 10
    assert shares[:2] == [5, 5]
