"""`nascore new-plugin`: what it says, what it refuses, and the way from it to a search."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import cli, done

from nascore.slots import SLOTS

ROOT = Path(__file__).parents[2]
SMALL = ("trainer.epochs=1", "trainer.warm_up=0", "ranking.epochs=1", "dataset.count=128", "dataset.size=8")


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_says_what_comes_next(here):
    said = done("new-plugin", "my-space", "--slot", "space")

    assert said.splitlines()[0] == "made my-space:"
    assert "  src/my_space/space.py" in said
    assert said.splitlines()[-4:] == [
        "  pip install -e my-space",
        "  nascore check-plugin my-space",
        "  pytest my-space",
        "  nascore search --space my-space --dataset synthetic --updater sgd --scale mini",
    ]
    assert (here / "my-space" / "src" / "my_space" / "py.typed").read_text(encoding="utf-8") == ""


def test_an_empty_folder_is_taken(here):
    (here / "empty").mkdir()

    assert "made empty:" in done("new-plugin", "mine", "--slot", "updater", "--out", "empty")


@pytest.mark.parametrize("out", ["there", "file"])
def test_nothing_is_overwritten(here, out):
    (here / "there").mkdir()
    (here / "there" / "notes.txt").write_text("mine", encoding="utf-8")
    (here / "file").write_text("mine", encoding="utf-8")
    before = files(here)

    result = cli("new-plugin", "mine", "--slot", "updater", "--out", out)

    assert result.exit_code == 2
    assert f"--out: {out} already exists, and nothing is overwritten." in result.stderr
    assert files(here) == before


def test_a_folder_that_cannot_be_written(here):
    (here / "file").write_text("mine", encoding="utf-8")

    result = cli("new-plugin", "mine", "--slot", "updater", "--out", "file/mine")

    assert result.exit_code == 2
    assert "--out: file/mine cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("name", "slot", "reason", "hint"),
    [
        ("My_Updater", "updater", "is not a name of lower-case letters", "Did you mean my-updater?"),
        ("2fast", "updater", "is not a name of lower-case letters", "Did you mean fast?"),
        ("my--updater", "updater", "is not a name of lower-case letters", "Did you mean my-updater?"),
        ("a" * 41, "updater", "at most 40 long", f"Did you mean {'a' * 40}?"),
        ("sgd", "updater", "builtin brings the updater sgd.", "Choose another"),
        ("builtin", "updater", "a plugin is called builtin", "Choose another"),
        ("none", "regularizer", "none is a reserved word", "Choose another"),
        ("class", "updater", "class is a reserved word", "Choose another"),
        ("torch", "updater", "a Python package is called torch", "Choose another"),
    ],
)
def test_names_that_cannot_be_had(here, name, slot, reason, hint):
    result = cli("new-plugin", name, "--slot", slot)

    assert result.exit_code == 2
    assert result.stderr.startswith("NAME: ")
    assert reason in result.stderr
    assert hint in result.stderr
    assert not list(here.iterdir())


def test_a_name_of_another_slot_can_be_had(here):
    done("new-plugin", "softmax", "--slot", "updater")

    assert (here / "softmax" / "src" / "softmax" / "updater.py").is_file()


def test_a_word_that_is_no_slot(here):
    result = cli("new-plugin", "mine", "--slot", "evaluator")

    assert result.exit_code == 2
    assert ", ".join(repr(slot.name) for slot in SLOTS) in result.stderr
    assert not list(here.iterdir())


def ten_minutes():
    """The commands of the page, without those that change what was made."""
    page = (ROOT / "docs" / "plugin_authors.md").read_text(encoding="utf-8")
    page = page.partition("## What the checks test")[0]
    blocks = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_from_nothing_to_a_search(tmp_path):
    """Every command of the page, as it is; but for where pip installs to, and the size of the search."""
    commands = [shlex.split(line) for line in ten_minutes()]
    site = tmp_path / "site"
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    for words in commands:
        result = subprocess.run(
            here_and_now(words, site),
            capture_output=True,
            check=False,
            cwd=tmp_path,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
        assert result.returncode == 0, f"{words}\n{result.stdout}\n{result.stderr}"

    assert [words[:2] for words in commands] == [
        ["nascore", "new-plugin"],
        ["pip", "install"],
        ["nascore", "show"],
        ["nascore", "check-plugin"],
        ["pytest", "my-updater"],
        ["nascore", "search"],
    ]
    (recipe,) = tmp_path.glob("runs/*/recipe.yaml")
    assert "my-updater" in recipe.read_text(encoding="utf-8")


def here_and_now(words, site):
    if words[0] == "pip":
        offline = ["--no-deps", "--no-build-isolation", "--no-index", "--target", site]
        return [sys.executable, "-m", "pip", "--no-input", "install", *offline, f"./{words[-1]}"]
    if words[0] == "pytest":
        return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words[1:]]
    more = [word for value in SMALL for word in ("--set", value)] if words[1] == "search" else []
    return [sys.executable, "-m", *words, *more]
