"""Printed commands can be pasted: whatever a path or a name holds, a shell reads the same words again."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from command_line import cli, done

from nascore.shell import command_line, quoted

WORDS = (
    "plain",
    "my files/a b.yaml",
    "it's",
    "$(rm -rf x)",
    "a;b|c&d",
    "nascore[digits]",
    "~/x",
    "",
    "*",
    "é x",
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_read_back(word):
    assert shlex.split(command_line("nascore", "draw", word)) == ["nascore", "draw", word]


def test_a_plain_word_has_no_quotes():
    assert command_line("nascore", "evaluate", Path("runs/a_1.2"), "--set", "trainer.lr=0.1") == (
        "nascore evaluate runs/a_1.2 --set trainer.lr=0.1"
    )


@pytest.mark.parametrize(
    "text", ["a\nforged: row", "a\x1b[2Jb", "tab\there", "it's\n\\", "bad\udcffname", "\u202ex"]
)
def test_no_control_character_reaches_the_terminal(text):
    line = quoted(text)

    assert line.isprintable()
    read = subprocess.run(["bash", "-c", f"printf %s {line}"], capture_output=True, check=True).stdout  # noqa: S607
    assert read == os.fsencode(text)


def test_a_path_that_begins_with_a_dash_is_no_option():
    assert quoted(Path("-x")) == "./-x"
    assert quoted("-x") == "-x"


SMALL = ("--scale", "mini", "--dataset", "synthetic", "--set", "ranking.epochs=1")
PLUGIN = """
from nascore.api import Component, hookimpl


@hookimpl
def nascore_components():
    return []
"""


def next_of(output):
    lines = [line.removeprefix("next: ") for line in output.splitlines() if line.startswith("next: ")]
    return shlex.split(lines[-1])


@pytest.fixture
def spaced(tmp_path, monkeypatch):
    folder = tmp_path / "my files"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run 1"
    search = ("search", "--space", "tiny", "--updater", "uniform", *SMALL, "--set", "trainer.epochs=2")
    return folder, done(*search, "--out", folder)


def test_the_command_after_a_search(run):
    folder, found = run

    assert next_of(found) == ["nascore", "evaluate", str(folder)]


def test_the_command_after_an_evaluation(run, spaced):
    tested = done("evaluate", run[0], "--set", "training.epochs=1", "--out", spaced / "run 2")

    assert next_of(tested) == ["nascore", "draw", "run 2"]


def test_the_command_after_several_searches(spaced):
    search = ("search", "--space", "tiny", "--updater", "uniform", *SMALL, "--set", "trainer.epochs=2")

    assert next_of(done(*search, "--seeds", "0,1", "--out", spaced / "all")) == [
        "nascore",
        "compare",
        "all",
    ]


def test_the_commands_after_a_new_plugin(spaced):
    made = done("new-plugin", "my-x", "--slot", "updater", "--out", spaced / "plug in")
    commands = [shlex.split(line) for line in made.partition("next:")[2].splitlines() if line.strip()]

    assert commands[0] == ["pip", "install", "-e", str(spaced / "plug in")]
    assert commands[2] == ["pytest", str(spaced / "plug in")]


def test_a_description_where_a_recipe_is_read(spaced):
    (spaced / "a b.yaml").write_text("network: {}\ncells: {}\n", encoding="utf-8")

    assert "Write --space 'file:a b.yaml'." in cli("search", "--recipe", "a b.yaml").stderr
    assert "Write --space 'file:a b.yaml'." in cli("search", "--space", "a b.yaml").stderr


def test_a_description_that_is_open(spaced, run):
    text = (run[0] / "jobs/0001-search/description.yaml").read_text(encoding="utf-8")
    (spaced / "a b.yaml").write_text(text, encoding="utf-8")

    assert "nascore search --space 'file:a b.yaml'" in cli("evaluate", "a b.yaml").stderr


def test_a_plugin_file_that_was_left_out(spaced):
    (spaced / "one two.py").write_text(PLUGIN, encoding="utf-8")

    said = cli("check-plugin", "one two").stderr
    assert "nascore check-plugin 'one two' --with 'one two.py'" in said


def test_a_recipe_made_with_a_file(spaced):
    (spaced / "r.yaml").write_text(
        "nascore: 1\nplugins: {mine: 'files/a b.py'}\nspace: {name: of_mine}\n", encoding="utf-8"
    )

    assert "--with 'files/a b.py'" in cli("check", "r.yaml").stderr
