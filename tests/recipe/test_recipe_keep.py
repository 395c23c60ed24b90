"""The recipe in a run's folder repeats the run from there: with its description, and with its plugins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import TINY

import nascore
from nascore.builtin.components import TinySettings
from nascore.builtin.spaces import Tiny
from nascore.cli import main
from nascore.contract import DataFacts
from nascore.description import dump
from nascore.files import CHECKSUMS, without_digest

IDEA = """\
from nascore.api import Component, hookimpl


@hookimpl
def nascore_updaters():
    yield Component(name="mine", slot="updater", summary="Mine.", build="nascore.builtin.updaters:Uniform")
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A search in a space from a file, with an updater from a file; both files are gone afterwards."""
    folder = tmp_path_factory.mktemp("from")
    facts = DataFacts(
        channels=1, height=8, width=8, classes=10, train=1000, test=100, mean=(0.0,), std=(1.0,)
    )
    space = Tiny(TinySettings()).describe(facts)
    (folder / "chain.yaml").write_text(dump(space), encoding="utf-8")
    (folder / "idea.py").write_text(IDEA, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = nascore.search(
            space="file:chain.yaml", updater="mine", settings=TINY, out="run", plugins=["idea.py"]
        )
        kept = tmp_path_factory.mktemp("moved") / "run"
        shutil.move(folder / found.path, kept)
    for name in ("chain.yaml", "idea.py"):
        (folder / name).unlink()
    return kept


def cli(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_folder_holds_what_its_recipe_names(run):
    recipe = (run / "recipe.yaml").read_text(encoding="utf-8")
    assert "  path: files/chain.yaml\n" in recipe
    assert "plugins:\n  idea: files/idea.py\n" in recipe
    assert str(run.parent) not in recipe
    assert (run / "files" / "idea.py").read_text(encoding="utf-8") == IDEA


def test_the_environment_says_which_plugin_brought_which_part(run):
    found = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    assert found["brought"] == {"updater mine": "files/idea.py"}


def test_without_the_plugin_it_says_what_to_add_and_that_works(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = cli("check", run / "recipe.yaml")
    assert result.exit_code == 4
    [way] = (line.split("Add ")[1].rstrip(".") for line in result.stderr.splitlines() if "Add " in line)
    assert way == f"--with {run / 'files' / 'idea.py'}"
    assert cli("check", run / "recipe.yaml", *way.split()).exit_code == 0


def test_the_run_is_repeated_from_its_folder(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    again = nascore.search(recipe=run / "recipe.yaml", out="again", plugins=[run / "files" / "idea.py"])
    first = (run / "best" / "architecture.yaml").read_text(encoding="utf-8")
    assert (again.path / "best" / "architecture.yaml").read_text(encoding="utf-8") == first
    assert again.recipe == (run / "recipe.yaml").read_text(encoding="utf-8")
    assert (again.path / "files" / "chain.yaml").is_file()


def test_it_is_evaluated_from_its_folder_without_its_plugin(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nascore.evaluate(run, settings={"training.epochs": 1, "training.channels": 2}, out="evaluated")
    assert Path("evaluated", "result.json").is_file()


def test_data_of_a_plugin_that_is_gone_are_asked_for(run, tmp_path):
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    (copied / CHECKSUMS).unlink()
    recipe = copied / "recipe.yaml"
    text = without_digest(recipe.read_text(encoding="utf-8")).replace("name: digits", "name: pictures")
    recipe.write_text(text, encoding="utf-8")
    result = cli("evaluate", copied, "--out", tmp_path / "evaluated")
    assert result.exit_code == 4
    assert f"Add --with {copied / 'files' / 'idea.py'}." in result.stderr
    recipe.write_text("nascore: [", encoding="utf-8")
    result = cli("evaluate", copied, "--out", tmp_path / "evaluated")
    assert result.exit_code == 3
    assert f"{recipe}:1:11" in result.stderr
    assert not (tmp_path / "evaluated").exists()
