"""Foreign code at its worst: errors that cannot be printed or caught by habit, and what a run is left in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from nascore.cli import main
from nascore.contract import Observer
from nascore.engine.observers import Observers

UNPRINTABLE = """\
class Evil(Exception):
    def __str__(self):
        raise RuntimeError("no")

raise Evil()
"""

PART = """\
from nascore.api import Component, hookimpl

class Own(BaseException):
    pass

def check(settings, recipe):
    raise Own("at once")

@hookimpl
def nascore_updaters():
    yield Component(name="checked", slot="updater", summary="s", build="nowhere.at_all:x", check=check)
    yield Component(name="unbuilt", slot="updater", summary="s", build="nowhere.at_all:x")
"""

SEARCH = ("search", "--space", "tiny", "--dataset", "synthetic", "--scale", "mini", "--with", "foreign.py")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "foreign.py").write_text(PART, encoding="utf-8")
    (tmp_path / "evil.py").write_text(UNPRINTABLE, encoding="utf-8")
    return tmp_path


def asked(*words):
    result = CliRunner().invoke(main, list(words))
    assert "Traceback" not in result.output
    assert "unexpected" not in result.output
    return result


@pytest.mark.usefixtures("folder")
def test_an_error_that_cannot_be_printed():
    result = asked("plugins", "doctor", "--with", "evil.py")
    assert result.exit_code == 4
    assert "Evil" in result.output


@pytest.mark.parametrize(("updater", "said"), [("checked", "Own: at once"), ("unbuilt", "nowhere")])
def test_a_part_that_cannot_be_used_names_its_plugin(folder, updater, said):
    result = asked(*SEARCH, "--updater", updater, "--out", "run")
    assert result.exit_code == 4
    assert said in result.stderr
    assert "foreign" in result.stderr
    assert not (folder / "run").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("value", ["threads=100000", "dataset.size=100000000000000000000"])
def test_a_number_that_no_machine_holds(value):
    result = asked(*SEARCH, "--updater", "uniform", "--set", value, "--dry-run")
    assert result.exit_code == 3
    assert "at most" in result.stderr


@pytest.mark.usefixtures("folder")
def test_an_empty_name_is_a_name():
    assert asked("search", "--space", "", "--updater", "uniform", "--dry-run").exit_code == 3


def test_a_run_without_its_recipe_brings_no_data_by_chance(tiny_run, folder):
    shutil.copytree(tiny_run, "run")
    (folder / "run" / "recipe.yaml").unlink()
    result = asked("evaluate", "run", "--out", "again")
    assert result.exit_code == 5
    assert "recipe.yaml" in result.stderr
    assert not (folder / "again").exists()


class Mover(Observer):
    """Moves what a process has once."""

    def run_started(self, *_told):
        os.chdir("/")
        torch.set_default_device("meta")


def test_an_observer_moves_nothing(folder):
    logged = []
    Observers([Mover()], logged.append).notify("run_started", folder, None)
    assert logged == []
    assert Path.cwd().samefile(folder)
    assert torch.zeros(1).device.type == "cpu"


@pytest.mark.parametrize("out", ["evil.py", "."])
@pytest.mark.usefixtures("folder")
def test_a_dry_run_looks_where_the_run_would_be_kept(out):
    result = asked("search", "--space", "tiny", "--updater", "uniform", "--out", out, "--dry-run")
    assert result.exit_code == 5
    assert out in result.stderr


class Loud(Observer):
    """Fails in everything it is told, and remembers that it was let go."""

    let_go = 0

    def run_started(self, *_told):
        raise ValueError

    def run_ended(self):
        Loud.let_go += 1
        raise KeyboardInterrupt


def test_a_full_disk_is_not_the_observers_affair():
    def full(_line):
        raise OSError(28, "No space left on device")

    Observers([Loud()], full).notify("run_started", None, None)


def test_ctrl_c_in_one_observer_lets_the_others_go():
    Loud.let_go = 0
    with pytest.raises(KeyboardInterrupt):
        Observers([Loud(), Loud()], lambda _line: None).end()
    assert Loud.let_go == 2
