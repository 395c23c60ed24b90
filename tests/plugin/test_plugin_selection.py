"""Switching plugins off and on, by their name or their distribution's."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from nascore.cli import main
from nascore.errors import PluginError
from nascore.plugin import Plugin, Selection
from nascore.plugin.plugin import VARIABLE
from nascore.verbs.resolution import installed

IDEA = Plugin(name="idea", value="their_idea", distribution="Their_Idea", version="1.0")
CORE = Plugin(name="builtin", value="nascore.builtin", distribution="nascore")
FILE = Plugin(name="mine", value="mine.py")

HOOKS = """
from nascore.api import Component, hookimpl

@hookimpl
def nascore_updaters():
    yield Component(name="mine", slot="updater", summary="Steps.", build="nascore.builtin.updaters:Uniform")
"""


@pytest.mark.parametrize(
    ("selection", "variable", "status", "said"),
    [
        (Selection(), "", "ready", ("", "")),
        (Selection(), "other,, ", "ready", ("", "")),
        (Selection(without=("idea",)), "", "blocked", ("--without names it", "Remove that option.")),
        (Selection(without=("their-idea",)), "", "blocked", ("--without names it", "Remove that option.")),
        (Selection(), "x, their.idea", "blocked", (f"{VARIABLE} names it", f"Remove it from {VARIABLE}.")),
        (Selection(only=("other",)), "", "blocked", ("--only does not name it", "Add --only idea.")),
        (Selection(only=("other", "their-idea")), "", "ready", ("", "")),
        (
            Selection(only=("idea",), without=("idea",)),
            "",
            "blocked",
            ("--without names it", "Remove that option."),
        ),
    ],
)
def test_what_is_wanted(selection, variable, status, said):
    judged = selection.blocked_unless_wanted(IDEA, {VARIABLE: variable})
    assert (judged.status, (judged.reason, judged.cure)) == (status, said)


@pytest.mark.parametrize("plugin", [CORE, FILE])
def test_only_leaves_the_core_and_files(plugin):
    assert Selection(only=("idea",)).blocked_unless_wanted(plugin, {}) is plugin


def test_files_alone_are_a_selection():
    assert Selection.of(["a.py"]) == Selection(files=("a.py",))
    assert Selection.of(Selection(only=("x",))) == Selection(only=("x",))


def cli(*words):
    return CliRunner().invoke(main, words)


def test_the_variable_switches_off_in_every_verb(monkeypatch):
    monkeypatch.setenv(VARIABLE, "builtin")
    said = {one["name"]: one["status"] for one in json.loads(cli("plugins", "list", "--json").stdout)}
    assert said["builtin"] == "blocked"
    assert json.loads(cli("list", "trainer", "--json").stdout) == []


def test_a_variable_that_names_nothing_is_no_mistake(monkeypatch):
    monkeypatch.setenv(VARIABLE, "nobody")
    assert cli("list").exit_code == 0


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(HOOKS, encoding="utf-8")
    return path


def test_with_without_and_only_go_together(mine):
    found = json.loads(cli("list", "updater", "--json", "--with", str(mine), "--only", "mine").stdout)
    assert [one["name"] for one in found] == ["mine", "sgd", "uniform"]


@pytest.mark.parametrize(
    "words", [["list"], ["show", "uniform"], ["search", "--dry-run"], ["schema"], ["plugins", "doctor"]]
)
@pytest.mark.parametrize("flag", ["--without", "--only"])
def test_a_name_that_is_none_is_refused(words, flag):
    result = cli(*words, flag, "bultin")
    assert result.exit_code == 4
    assert "no plugin is called bultin. Did you mean builtin?" in result.output
    assert f"from {flag} bultin" in result.output


def test_a_file_that_is_asked_for_and_switched_off(mine):
    with pytest.raises(
        PluginError, match=r"mine\.py cannot be used: --without names it\. Remove that option\."
    ):
        installed(Selection(files=(mine,), without=("mine",)))


def test_a_plugin_that_alone_is_asked_for_must_work(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(PluginError, match=r"bad\.py cannot be used: ZeroDivisionError: division by zero"):
        installed([path])


def test_all_that_cannot_be_used_is_said_at_once(tmp_path):
    with pytest.raises(PluginError) as caught:
        installed([tmp_path / "a.py", tmp_path / "b.py"])
    assert len(caught.value.problems) == 2
