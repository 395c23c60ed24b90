"""A path that a user gives: ``~`` is the home folder wherever it stands, and a run stays where it began."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from edge_files import CHAIN

import nascore
from nascore.cli import main
from nascore.errors import RunFolderError
from nascore.files import given_path, shown_path
from nascore.run import create

FEW = ("--scale", "mini", "--set", "trainer.epochs=2", "--set", "ranking.epochs=1")


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (folder / "chain.yaml").write_text(CHAIN, encoding="utf-8")
    return folder


def cli(*words):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert not Path("~").exists()
    return result


def test_a_home_folder_that_nobody_has_stays():
    assert given_path("~no-such-user/x") == Path("~no-such-user/x")
    assert given_path("a/~/b") == Path("a/~/b")


def test_a_path_is_shown_from_the_working_folder(home):
    assert shown_path(Path.cwd() / "runs" / "x") == Path("runs/x")
    assert shown_path(home) == home


def test_out_space_and_recipe_of_a_search(home):
    cli("search", "--space", "file:~/chain.yaml", "--updater", "uniform", "--out", "~/r", *FEW)
    assert (home / "r" / "result.json").is_file()
    cli("check", "~/r/recipe.yaml")
    cli("search", "--recipe", "~/r/recipe.yaml", "--dry-run")
    cli("draw", "~/r")
    cli("gallery", "~/r")
    cli("compare", "~/r")
    assert "r" in cli("runs", "~").stdout
    (home / "upper.yaml").write_text("nascore: 1\ninclude: ~/r/recipe.yaml\n", encoding="utf-8")
    cli("check", "~/upper.yaml")
    (home / "low.yaml").write_text(
        'nascore: 1\nscale: mini\nspace: {name: file, path: "~/chain.yaml"}\nupdater: uniform\n',
        encoding="utf-8",
    )
    cli("check", "~/low.yaml")


def test_a_file_with_a_plugin_and_a_new_one(home):
    text = "from nascore.api import Operation, hookimpl\n\n\n@hookimpl\ndef nascore_operations():\n"
    (home / "mine.py").write_text(f'{text}    yield Operation(name="mine", build="x:y")\n', encoding="utf-8")
    assert "mine" in cli("list", "operation", "--with", "~/mine.py").stdout
    cli("new-plugin", "my-thing", "--slot", "updater", "--out", "~/thing")
    assert (home / "thing" / "pyproject.toml").is_file()


def test_where_runs_are_kept(home, monkeypatch):
    monkeypatch.setenv("NASCORE_RUNS", "~/kept")
    cli("search", "--space", "tiny", "--updater", "uniform", *FEW)
    assert len(list((home / "kept").iterdir())) == 1


def test_from_python(home):
    few = {"trainer.epochs": 2, "ranking.epochs": 1}
    run = nascore.search(space="file:~/chain.yaml", updater="uniform", settings=few, out="~/r")
    assert run.path == home / "r"
    assert nascore.load_run("~/r").result == run.result
    assert nascore.evaluate("~/r", settings={"training.epochs": 1}, out="~/e").path == home / "e"
    assert not Path("~").exists()


@pytest.mark.parametrize("out", [Path("r"), None])
def test_a_run_stays_where_it_began(home, out):
    here = Path.cwd()
    folder = create("x", out=out)
    os.chdir(home)
    folder.json("environment.json", {})
    folder.finish({})
    assert (folder.path / "result.json").is_file()
    assert folder.path.is_relative_to(here)


def test_what_is_no_path_to_load_is_told():
    with pytest.raises(RunFolderError, match=r"int is not a path"):
        nascore.load_run(3)


@pytest.mark.parametrize("given", [["a", "b"], 3, None])
def test_what_is_no_path_to_compare_is_told(given):
    with pytest.raises(RunFolderError, match=r"is not a run.*one by one"):
        nascore.compare(given)
