"""A default that is not there: said of the plugin that would bring it, in whichever state that is."""

from types import SimpleNamespace

import pytest
from attrs import evolve
from click.testing import CliRunner
from recipe_sample import TABLE, hooks, part

from nascore.cli import main
from nascore.errors import PluginError, Problem, RecipeError, refusal
from nascore.plugin import Plugin, Registry
from nascore.plugin.known import absence
from nascore.recipe import Request, resolve

DARTS = Plugin(name="nascore-darts", value="nascore_darts", distribution="nascore-darts")


def of_updater(*plugins, **modules):
    registry = Registry([*Registry.of(TABLE, **modules).plugins, *plugins])
    found = resolve(Request().layers(registry), registry).problems
    return next(problem for problem in found if problem.path == "updater")


def brings(*names):
    return SimpleNamespace(**hooks([part(name, "updater") for name in names]))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("broken", "is broken: so"),
        ("blocked", "is switched off: so"),
        ("clash", "clashes with another plugin: so"),
        ("foreign", "is made for a different version of nascore: so"),
    ],
)
def test_a_plugin_that_is_not_ready_is_named_with_its_state_and_cure(status, state):
    plugin = evolve(DARTS, status=status, reason="so", cure="Do that.")
    problem = of_updater(plugin, own=brings("mine"))
    assert problem.text == f"no updater is chosen, and nascore-darts, which brings the default, {state}."
    assert problem.hint == "Do that. Or write --updater NAME: mine."
    assert (problem.of_plugin, problem.missing) == (True, "")


def test_a_default_that_two_bring_is_ambiguous():
    problem = of_updater(one=brings("darts", "mine"), two=brings("darts"))
    assert problem.text == "no updater is chosen: 2 plugins bring the default darts."
    assert problem.hint == "Write --updater one:darts or two:darts."
    assert (problem.of_plugin, problem.missing) == (True, "")


def test_what_two_bring_is_listed_by_its_full_name():
    problem = of_updater(one=brings("same", "mine"), two=brings("same"))
    assert problem.hint == "pip install nascore-darts, or write --updater NAME: mine, one:same, two:same."
    assert problem.missing == "nascore-darts"


def test_a_ready_plugin_that_does_not_bring_its_default_is_not_blamed():
    problem = of_updater(DARTS, own=brings("mine"))
    assert str(problem) == "updater: no updater is chosen. Write --updater NAME: mine."


@pytest.mark.needs("nascore-darts")
def test_a_file_that_brings_the_default_too(tmp_path):
    file = tmp_path / "other.py"
    head = "from nascore.api import Component, hookimpl\n@hookimpl\ndef nascore_updaters():\n"
    part_of_it = "Component(name='darts', slot='updater', summary='s', build='x:y')"
    file.write_text(f"{head}    yield {part_of_it}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["search", "--space", "tiny", "--with", str(file), "--dry-run"])
    assert result.exit_code == 4
    assert "updater: no updater is chosen: 2 plugins bring the default darts." in result.stderr
    assert "Write --updater nascore-darts:darts or other:darts." in result.stderr


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    "words",
    [("show", "darts-cifar10"), ("search", "--preset", "darts-cifar10"), ("search", "--space", "tiny")],
)
def test_a_plugin_that_is_switched_off_is_not_called_missing(words):
    result = CliRunner().invoke(main, words, env={"NASCORE_WITHOUT": "nascore-darts"})
    assert result.exit_code == 4
    assert "is switched off: NASCORE_WITHOUT names it." in result.stderr
    assert "Remove it from NASCORE_WITHOUT." in result.stderr
    assert "not installed" not in result.stderr


def test_a_distribution_is_found_however_it_is_spelt():
    plugin = Plugin(
        name="xnas", value="x", distribution="NASCore_XNAS", status="broken", reason="ImportError: so"
    )
    why = absence("updater", "xnas", [plugin])
    assert str(why) == "nascore-xnas is broken: ImportError: so."
    assert absence("updater", "xnas", [evolve(plugin, status="ready")]) is None
    assert absence("updater", "nobody", []) is None
    assert absence("updater", "xnas:nobody", [plugin]).who == "xnas"


def test_only_what_is_not_installed_is_missing():
    assert Problem(path="", text="", missing="x").of_plugin
    assert refusal([Problem(path="", text="", of_plugin=True)]).exit_code == PluginError.exit_code
    assert refusal([Problem(path="", text="")]).exit_code == RecipeError.exit_code
    two = [Problem(path="", text="", of_plugin=True), Problem(path="", text="")]
    assert refusal(two).exit_code == RecipeError.exit_code


def test_the_slots_of_a_problem_may_be_given_as_a_list():
    problem = Problem(path="", text="", slots=["updater", "space"])
    assert problem.slots == ("updater", "space")
    assert hash(problem) is not None
    assert Problem(path="", text="", slots="updater").slots == ("updater",)
