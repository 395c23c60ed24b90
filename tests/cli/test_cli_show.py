"""``nascore show``: everything that has a name, and what is said of a name that nothing has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from command_line import cli, done

import nascore.builtin
from nascore.plugin import Registry
from nascore.recipe import Request
from nascore.slots import SLOTS
from nascore.verbs.dry_run import check

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("name", "slots"),
    [
        ("darts", ["space", "updater"]),
        ("nascore-darts:darts", ["space", "updater"]),
        ("planted", ["space", "dataset"]),
        ("run", ["run", "run"]),
        ("darts-cifar10", ["preset"]),
        ("nascore-darts:genotype", ["notation"]),
        ("builtin:mbconv", ["operation"]),
        ("export", ["verb"]),
        ("terminal", ["observer"]),
    ],
)
def test_show_knows_everything_that_has_a_name(name: str, slots: list[str]) -> None:
    found = json.loads(done("show", name, "--json"))

    assert [one["slot"] for one in found] == slots
    assert all(one["plugin"] or name == "run" for one in found)
    assert cli("show", name).exit_code == 0


def test_show_an_operation() -> None:
    said = done("show", "max_pool_3x3")

    assert "strides: 1 or 2" in said
    assert "as many out as in" in said
    assert "pool_norm" in said


@pytest.mark.needs("nascore-darts")
def test_show_a_preset_prints_its_recipe() -> None:
    assert "relaxation:\n  name: softmax" in done("show", "darts-cifar10")


def test_settings_of_a_list_are_shown_by_the_path_that_is_typed() -> None:
    (found,) = json.loads(done("show", "terminal", "--json"))

    assert [one["path"] for one in found["settings"]] == ["observer.terminal.form"]


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["drats"], 3, "no installed part is called drats. Did you mean darts?"),
        (["darts-cifar01"], 3, "Did you mean darts-cifar10?"),
        (["sep_conv_3x4"], 3, "Did you mean sep_conv_3x3?"),
        (["exprot"], 3, "Did you mean export?"),
        (["builtin:uniforn"], 3, "Did you mean builtin:uniform?"),
        (["updater"], 3, "Write nascore list updater."),
        (["builtin"], 3, "builtin is a plugin."),
        (["tensorboard"], 3, "no installed part is called tensorboard. See nascore list."),
        (["sep_conv_3x3", "--yaml"], 3, "sep_conv_3x3 is of kind operation"),
        (["genotype", "--schema"], 3, "genotype is of kind notation"),
        (["darts", "--yaml", "--json"], 2, "only one of them"),
    ],
)
def test_show_of_what_there_is_not(words: list[str], code: int, text: str) -> None:
    result = cli("show", *words)

    assert result.exit_code == code, result.output
    assert text in result.output


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    "name", ["darts", "run", "uniform", "terminal", "softmax", "alternating", "darts-cifar10"]
)
def test_the_recipe_that_is_shown_can_be_used(name: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(done("show", name, "--yaml"))

    # Digits are few; the values are those of the papers.
    checked = check(Request(recipe=file, names={"dataset": ["synthetic"]}, sets=["dataset.count=50000"]))

    assert not checked.recipe.refused


def test_a_name_that_two_plugins_have_is_no_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Registry.of(SLOTS, one=nascore.builtin)
    both = Registry([*both.plugins, *Registry.of(SLOTS, two=nascore.builtin).plugins])
    monkeypatch.setattr("nascore.verbs.show.installed", lambda _: both)

    result = cli("show", "uniform", "--yaml")

    assert result.exit_code == 3
    assert "Write one:uniform or two:uniform." in result.output
    assert cli("show", "two:uniform", "--yaml").exit_code == 0
