"""Comparisons by the executor `ray` on one machine: the files of one process, and failures as text."""

from __future__ import annotations

import json
import os
import signal
from importlib.util import find_spec
from threading import Thread

import pytest
from comparison_runs import SMALL, SMALL_EVALUATION, TINY
from ray_samples import GIVEN, by_ray, by_serial, different, events, local_ray, under_way, until

import nascore
from nascore.run import read_result

BAD = """
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
    yield Component(name="dying", slot="updater", summary="Kills its process once.", build=Dying)
"""


@pytest.fixture(autouse=True, scope="module")
def ray_of_this_module():
    with local_ray():
        yield


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("NASCORE_RUNS", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("files", ["shared", "return"])
def test_the_files_are_those_of_one_process(files, tmp_path, capfd):
    out = tmp_path / "run"
    found, different = by_ray(
        out,
        executor={"files": files},
        settings=SMALL_EVALUATION,
        updater="uniform",
        seeds=[0, 1],
        evaluate=True,
    )
    assert different == []
    assert len(found.rows) == 1
    assert capfd.readouterr() == ("", "")
    assert json.loads((out / "environment.json").read_text())["executor"]["name"] == "ray"


GROWING = {
    "dataset.count": 64,
    "dataset.size": 8,
    "ranking.batch": 8,
    "trainer.batch": 8,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "growth.count": 4,
    "growth.wave": 2,
    "growth.seed_epochs": 1,
    "growth.child_epochs": 1,
}


@pytest.mark.skipif(find_spec("nascore_petridish") is None, reason="nascore-petridish is not installed")
@pytest.mark.parametrize("files", ["shared", "return"])
def test_a_growth_run_whose_children_inherit_weights_has_the_files_of_one_process(files, tmp_path, capfd):
    out, given = tmp_path / "run", {**TINY, "growth": "petridish"}
    nascore.search(**given, settings=GROWING, out=out)
    serial = out.rename(tmp_path / "serial")
    nascore.search(**given, settings={**GROWING, "executor.files": files}, executor="ray", out=out)
    assert [name for name in different(serial, out) if name != "origins.json"] == []
    assert not list(out.rglob(".*"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("files", ["shared", pytest.param("return", marks=pytest.mark.slow)])
def test_failures_come_back_as_text(files, tmp_path):
    plugin = tmp_path / "bad.py"
    plugin.write_text(BAD.format(mark="", signal="SIGKILL"))
    _, different = by_ray(
        tmp_path / "run", executor={"files": files}, updater=["uniform", "bad"], plugins=[plugin]
    )
    assert different == []
    assert list(read_result(tmp_path / "run")["failures"].values()) == ["OddError: no more"]
    assert "Traceback" in (tmp_path / "run/run.log").read_text()


@pytest.fixture
def dying(tmp_path):
    """Return a function that writes a plugin whose updater ends its process once, while a file is missing."""

    def write(number):
        plugin, mark = tmp_path / "dying.py", tmp_path / "mark"
        plugin.write_text(BAD.format(mark=str(mark), signal=number.name))
        mark.touch()  # the executor `serial` would end this process
        return {"updater": ["uniform", "dying"], "plugins": [plugin], "between": mark.unlink}

    return write


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_whose_worker_ends_is_done_again(number, dying, tmp_path, capfd):
    _, different = by_ray(tmp_path / "run", **dying(number))
    assert different == []
    assert (tmp_path / "mark").exists()
    (death,) = events(tmp_path / "run", "worker died")
    text = {signal.SIGKILL: "Ray reports: ", signal.SIGTERM: "its process was told to stop (SIGTERM)"}[number]
    assert death["error"].startswith(text)
    assert capfd.readouterr() == ("", "")


def test_retries_of_the_executor_are_no_deaths_for_the_engine(dying, tmp_path):
    _, different = by_ray(tmp_path / "run", executor={"retries": 1}, **dying(signal.SIGKILL))
    assert different == []
    assert (tmp_path / "mark").exists()
    assert not events(tmp_path / "run", "worker died")


def test_jobs_are_saved_when_the_run_is_stopped(tmp_path):
    out, long = tmp_path / "run", {**SMALL, "trainer.epochs": 8}
    serial = by_serial(out, long)

    def stop():
        until(lambda: under_way(out))
        os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(target=stop)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        nascore.search_several(**GIVEN, settings=long, executor="ray", out=out, checkpoint_every="0s")
    thread.join()
    states = {read_result(file.parent)["status"] for file in (out / "jobs").glob("*/result.json")}
    assert "interrupted" in states
    assert states <= {"interrupted", "done"}

    nascore.resume(out)
    assert different(serial, out) == []
